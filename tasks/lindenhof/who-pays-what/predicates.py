"""Does adjudicate only say what happens, and leave each phase to a function of its own?"""

import ast

from verifier.constants import Constants, constants, texts, words
from verifier.tree import Function, Tree

MOST_COMPLEX = 7
"""The instruction says so. The untouched `adjudicate` has more than three times that."""
MOST_IN_ADJUDICATE = 3
PHASES = {
    "puts the insurers in their order": frozenset({"is_injury", "ACCIDENT", "accident"}),
    "sorts the lines": frozenset({"not_covered", "authorisation_missing"}),
    "works out a copayment": frozenset({"least_copay_cents", "most_copay_cents"}),
    "works out what an insurer pays": frozenset({"deductible_left", "cap_left"}),
}
DETAILS = frozenset(
    {"is_injury", "excluded", "copay_bp", "least_copay_cents", "most_copay_cents",
     "deductible_left", "cap_left", "deductible_cents", "yearly_cap_cents", "portion"}
)  # fmt: skip
LOOPS = (ast.For, ast.AsyncFor, ast.While)


def adjudicate_only_says_what_happens(tree: Tree) -> str | None:
    adjudicate = tree.context("claims").domain.function("adjudicate")
    if len(adjudicate.parameters) != 1:
        return f"{adjudicate} should take a case and nothing else"
    if adjudicate.complexity > MOST_IN_ADJUDICATE:
        return f"{adjudicate} still holds conditions (complexity {adjudicate.complexity})"
    if any(isinstance(node, LOOPS) for node in ast.walk(adjudicate.node)):
        return f"{adjudicate} still holds a loop"
    # Nothing is wrong with a list of what each of them is, but with a choice among them.
    if any(isinstance(node, ast.comprehension) and node.ifs for node in ast.walk(adjudicate.node)):
        return f"{adjudicate} still holds a condition in a comprehension"
    if details := DETAILS & adjudicate.names():
        return f"{adjudicate} still looks at a detail: {min(details)}"
    return None


def each_phase_stands_alone(tree: Tree) -> str | None:
    reached = _reached(tree)
    known = words(constants(tree.context("claims").domain.modules))
    for function in reached:
        done = [phase for phase, signs in PHASES.items() if signs & _words(function, known)]
        if len(done) > 1:
            return f"{function} {' and '.join(done)}"
    for phase, signs in PHASES.items():
        if not any(signs & _words(function, known) for function in reached):
            return f"nothing that adjudicate leads to {phase}"
    return None


def no_long_conditional_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    old = tree.base.context("claims").functions()
    known = {(f.name, f.fingerprint) for f in old if f.name != "adjudicate"}
    for function in tree.context("claims").functions():
        new = (function.name, function.fingerprint) not in known
        if new and function.complexity > MOST_COMPLEX:
            return f"{function} is a long conditional (complexity {function.complexity})"
    return None


def _reached(tree: Tree) -> list[Function]:
    """What adjudicate names, directly or through others, and was not there before."""
    assert tree.base is not None
    domain = tree.context("claims").domain
    found = domain.onward(domain.function("adjudicate"))
    old = {f.name for f in tree.base.context("claims").domain.functions()}
    return [function for function in found if function.name not in old]


def _words(function: Function, known: Constants) -> frozenset[str]:
    """What a function names, and the words before the colon in what it spells."""
    spelled = {text.split(":")[0] for text in texts(function.node, known)}
    return function.names() | spelled
