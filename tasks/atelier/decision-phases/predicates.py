"""Does a decision only say what happens, and leave each phase to a function of its own?"""

from verifier.tree import Function, Tree

MOST_COMPLEX = 6
"""The instruction says so. The untouched `decide` has 10."""
DEEDS = frozenset({"restore", "quarantine", "withdraw"})
TELLS = frozenset({"_tell", "notify"})


def decide_only_says_what_happens(tree: Tree) -> str | None:
    decide = tree.function("Moderation.decide")
    if decide.parameters != ("self", "case_id", "moderator", "action"):
        return f"{decide} should take a case's id, a moderator and an action"
    if decide.complexity > 1:
        return f"{decide} still holds conditions or loops (complexity {decide.complexity})"
    if deeds := DEEDS & decide.names():
        return f"{decide} still carries the action out: {min(deeds)}"
    return None


def each_phase_stands_alone(tree: Tree) -> str | None:
    reached = [f for f in _reached(tree, "decide") if f.name != "decide"]
    acting = [f for f in reached if DEEDS & f.names()]
    if not acting:
        return "no function that a decision calls carries its action out"
    for function in acting:
        if "decided_at" in function.names() or "appeal_until" in function.names():
            return f"{function} carries out an action and records the decision"
    for function in reached:
        if "appeal_until" in function.names() and TELLS & function.names():
            return f"{function} records the decision and tells people"
    if not any("appeal_until" in function.names() for function in reached):
        return "no function that a decision calls records it"
    return None


def no_long_conditional_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    old = tree.base.context("moderation").functions()
    known = {f.fingerprint for f in old if f.name != "decide"}
    for function in tree.context("moderation").functions():
        if function.fingerprint not in known and function.complexity > MOST_COMPLEX:
            return f"{function} is a long conditional (complexity {function.complexity})"
    return None


def _reached(tree: Tree, name: str) -> tuple[Function, ...]:
    """A function of moderation and those that it names there, directly or through others."""
    domain = tree.context("moderation").domain
    return domain.onward(*(f for f in domain.functions() if f.name == name))
