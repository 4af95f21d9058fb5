"""CLEAR: may I, and if not, what is missing and by when? A destination's own rules, decided on proven facts.

moments   dates and date-times of the rules' logic
logic     JSON logic → a small typed tree (certlogic/1.3.3, landbridge/1)
evaluate  the tree on facts: the reference, and what windows, reasons and questions are built on
build     many trees → one Python function
rule      a published rule, read from the forms it is published in
decide    rules in force → a decision: yes, no or open, with its receipt
check     the cases that lie beside rules
"""
