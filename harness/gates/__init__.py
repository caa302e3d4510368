"""Gates: what must hold before a result means anything.

pairs    the arms of an app answer alike
weaving  the arms and patches are what the sources give
recording  what programs show one another is what they answer
tasks    every task is solvable, not solved, and cannot be cheated in the known ways
strength mutants of the domain code are told by the hidden suites, the same on every arm
kills    what became of those mutants
parity   what the arms have in common and what differs, in numbers
"""
