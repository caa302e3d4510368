"""Does an acceptance only say what happens, and leave each phase to a function of its own?"""

import ast
from collections.abc import Mapping

from verifier.receivers import asked, last_word, port
from verifier.tree import SHARED, Function, Sources, Tree

MOST_COMPLEX = 5
"""The instruction says so. The untouched `accept` has more than three times that."""
DEEDS = {
    ("Tariff", "available"): "looks up what is left of quotas",
    ("Tariff", "assess"): "charges lines",
    ("Settlement", "secure"): "has a guarantee cover the sum",
    ("Tariff", "draw_quota"): "draws quotas",
    ("Inspections", "open_control"): "asks for a control",
    ("Settlement", "assess"): "asks for payment",
}
CHARGES = ("Tariff", "assess")
Deeds = Mapping[Function, tuple[tuple[str, str], ...]]


def accept_only_says_what_happens(tree: Tree) -> str | None:
    accept = tree.context("declarations").domain.function("Declarations.accept")
    if accept.parameters != ("self", "declaration_id"):
        return f"{accept} should take the id of a declaration"
    if accept.complexity > 1:
        return f"{accept} still holds conditions or loops (complexity {accept.complexity})"
    if deeds := _deeds(tree)[accept]:
        return f"{accept} still {DEEDS[deeds[0]]}"
    return None


def each_phase_stands_alone(tree: Tree) -> str | None:
    done = _deeds(tree)
    reached = _reached(tree, "accept")[1:]
    if missing := DEEDS.keys() - {deed for function in reached for deed in done[function]}:
        return f"no function that accept calls {DEEDS[min(missing)]}"
    for function in reached:
        told = [DEEDS[deed] for deed in done[function]]
        told += ["notes the time"] if _notes_the_time(function) else []
        if done[function] and len(told) > 1:
            return f"{function} {told[0]} and {told[1]}"
    return None


def lines_are_charged_in_one_place(tree: Tree) -> str | None:
    domain = tree.context("declarations").domain
    places = [function for function, deeds in _deeds(tree).items() if CHARGES in deeds]
    if len(places) != 1:
        return f"lines should be charged in one place, not in {len(places)}"
    for name in ("accept", "amend"):
        if places[0] not in _reached(tree, name):
            return f"{name} does not charge lines by {places[0]}"
    tariff = port(domain.modules, CHARGES[0])
    nodes = [n for n in ast.walk(places[0].node) if isinstance(n, ast.Attribute)]
    charging = [n for n in nodes if n.attr == CHARGES[1] and last_word(n.value) in tariff]
    return f"{places[0]} charges lines {len(charging)} times" if len(charging) > 1 else None


def no_long_conditional_is_left(tree: Tree) -> str | None:
    assert tree.base is not None
    old = [f for f in _declaring(tree.base).functions() if f.name != "accept"]
    known = {f.fingerprint for f in old}
    before = {f.qualname: f.complexity for f in old}
    for function in _declaring(tree).functions():
        allowed = max(MOST_COMPLEX, before.get(function.qualname, 0))
        if function.fingerprint not in known and function.complexity > allowed:
            return f"{function} is a long conditional (complexity {function.complexity})"
    return None


def _declaring(tree: Tree) -> Sources:
    """Where functions of declarations may stand: a new file need not lie in their folder."""
    return tree.together("declarations", SHARED)


def _deeds(tree: Tree) -> Deeds:
    """What each function of declarations does itself of all that an acceptance takes."""
    domain = tree.context("declarations").domain
    ports = {kind: port(domain.modules, kind) for kind, _ in DEEDS}
    return {
        function: tuple(d for d in DEEDS if d[1] in asked(function.node, ports[d[0]]))
        for function in domain.functions()
    }


def _notes_the_time(function: Function) -> bool:
    return any(
        isinstance(n, ast.Attribute) and n.attr == "accepted_at" and isinstance(n.ctx, ast.Store)
        for n in ast.walk(function.node)
    )


def _reached(tree: Tree, name: str) -> tuple[Function, ...]:
    """A function of declarations and those that it names there, directly or through others."""
    domain = tree.context("declarations").domain
    return domain.onward(*(f for f in domain.functions() if f.qualname == f"Declarations.{name}"))
