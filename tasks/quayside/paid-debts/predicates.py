"""Is a guarantee set free where a debt is settled, and nowhere to make up for it?"""

from verifier.receivers import asked, port
from verifier.tree import Function, Sources, Tree

FREEING = frozenset({"release", "unsecure"})
QUESTIONS = ("secure", "account", "amount", "get", "postings")
SETTLING = ("pay", "reassess")


def nothing_makes_up_for_it(tree: Tree) -> str | None:
    assert tree.base is not None
    settlement = tree.context("settlement").domain
    for name in QUESTIONS:
        function = settlement.function(f"Settlement.{name}")
        for reached in settlement.onward(function, by=Function.called):
            if _frees(reached):
                return f"{function} sets something free in {reached}"
    for name in ("declarations", "traders"):
        before = _freeing(tree.base.context(name).domain)
        if more := _freeing(tree.context(name).domain) - before:
            return f"{name} set something free in {min(more)}"
    return None


def what_is_paid_is_set_free(tree: Tree) -> str | None:
    settlement = tree.context("settlement").domain
    traders = port(settlement.modules, "Traders")
    for name in SETTLING:
        function = settlement.function(f"Settlement.{name}")
        reached = settlement.onward(function, by=Function.called)
        if not any(asked(each.node, traders) for each in reached):
            return f"{function} sets nothing free"
    return None


def _frees(function: Function) -> bool:
    called = (call.rsplit(".", 1) for call in function.calls())
    return any(len(parts) > 1 and parts[-1] in FREEING for parts in called)


def _freeing(domain: Sources) -> set[str]:
    return {function.qualname for function in domain.functions() if _frees(function)}
