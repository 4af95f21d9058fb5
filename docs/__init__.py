"""The documentation, and the program that derives its reference from the code."""
