"""Who may issue what, where, and when: the list a verifier believes, and how it is searched.

`list.py` holds the list itself; `read.py` makes it from whatever an operator was given (certificates, key sets,
DID documents, national and international lists, our own file); `repository.py` carries it between machines.
"""
