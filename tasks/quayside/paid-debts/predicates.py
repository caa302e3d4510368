"""Is a guarantee set free where a debt is settled, and nowhere to make up for it?"""

from collections.abc import Iterator

from verifier.tree import Function, Sources, Tree

FREEING = frozenset({"release", "unsecure"})
QUESTIONS = ("secure", "account", "amount", "get", "postings")
SETTLING = ("pay", "reassess")


def nothing_makes_up_for_it(tree: Tree) -> str | None:
    assert tree.base is not None
    settlement = tree.context("settlement").domain
    for name in QUESTIONS:
        function = settlement.function(f"Settlement.{name}")
        for reached in _path(settlement, function):
            if _frees(reached):
                return f"{function} sets something free in {reached}"
    for name in ("declarations", "traders"):
        before = _freeing(tree.base.context(name).domain)
        if more := _freeing(tree.context(name).domain) - before:
            return f"{name} set something free in {min(more)}"
    return None


def what_is_paid_is_set_free(tree: Tree) -> str | None:
    settlement = tree.context("settlement").domain
    for name in SETTLING:
        function = settlement.function(f"Settlement.{name}")
        calls = [call for reached in _path(settlement, function) for call in reached.calls()]
        if not any(".traders." in call for call in calls):
            return f"{function} sets nothing free"
    return None


def _frees(function: Function) -> bool:
    called = (call.rsplit(".", 1) for call in function.calls())
    return any(len(parts) > 1 and parts[-1] in FREEING for parts in called)


def _freeing(domain: Sources) -> set[str]:
    return {function.qualname for function in domain.functions() if _frees(function)}


def _path(domain: Sources, start: Function) -> Iterator[Function]:
    """A function, and those of its class or file that it calls, directly or through others."""
    every = domain.functions()
    found = [start]
    for function in found:
        yield function
        called = {call for call in function.calls() if call.count(".") < 2}
        names = {call.removeprefix("self.") for call in called}
        found += [f for f in every if f.name in names and f not in found]
