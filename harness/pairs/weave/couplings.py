"""What must hold of couplings: what each kind says, and that the tangled arm has it by its dose."""

import ast

from harness.pairs.weave.expressions import Keys, is_plain, unknown
from harness.pairs.weave.names import RESERVED_NAMES
from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import CouplingSpec

_ONLY_ONE = ("cache_key", "execution_order")
"""kinds of which the tangled arm is woven with one"""


def check_couplings(app: App) -> None:
    """Raises BadInput that names file, line and key."""
    names: set[str] = set()
    woven: set[str] = set()
    for number, coupling in enumerate(app.spec.couplings):
        keys: Keys = ("couplings", number)
        if coupling.name in names:
            raise app.wrong(f"two are called {coupling.name}", *keys, "name")
        names.add(coupling.name)
        _check_contexts(app, coupling, keys)
        _check_dose(app, coupling, keys)
        if coupling.survives:
            continue
        if coupling.kind in woven:
            raise app.wrong(f"there is one {coupling.kind} that ends, and this is another",
                            *keys, "kind")  # fmt: skip
        woven.add(coupling.kind)
        if coupling.kind == "cache_key":
            _check_cache(app, coupling, keys)
        else:
            _check_references(app, coupling, keys)


def _check_contexts(app: App, coupling: CouplingSpec, keys: Keys) -> None:
    for number, name in enumerate(coupling.contexts):
        if name not in app.contexts:
            told = unknown("context", name, app.contexts)
            raise app.wrong(told, *keys, "contexts", number)
    if coupling.kind != "cache_key" and len(set(coupling.contexts)) < 2:
        raise app.wrong("a coupling is between contexts: two or more", *keys, "contexts")


def _check_dose(app: App, coupling: CouplingSpec, keys: Keys) -> None:
    """What is woven into the tangled arm ends with it; what lies in the domain is always there."""
    kind = coupling.kind
    if kind == "cache_key":
        if coupling.survives:
            raise app.wrong("a cache_key is in the tangled arm alone", *keys, "survives")
        return
    for key in ("query", "key", "readers"):
        if getattr(coupling, key):
            raise app.wrong(f"a cache_key has it, and this is {kind}", *keys, key)
    if not coupling.survives and kind != "execution_order":
        told = f"{kind} lies in the domain, which is the same in every arm"
        raise app.wrong(told, *keys, "survives")
    if coupling.survives and coupling.dose:
        told = "what survives lies in the domain, so it is there at dose 0"
        raise app.wrong(told, *keys, "dose")


def _check_references(app: App, coupling: CouplingSpec, keys: Keys) -> None:
    """The order of rows comes from a reference between the tables of two of its contexts."""
    tables = {table: name for name, each in app.contexts.items() for table in each.spec.tables}
    for name in coupling.contexts:
        for table in app.contexts[name].spec.tables.values():
            owners = {tables[other] for other in table.refers.values()}
            if owners & set(coupling.contexts) - {name}:
                return
    raise app.wrong("no table of these refers to a table of another", *keys, "contexts")


def _check_cache(app: App, coupling: CouplingSpec, keys: Keys) -> None:
    for key in ("query", "key"):
        if not getattr(coupling, key):
            raise app.wrong(f"a cache_key has a {key}", *keys, key)
    holder = next((each for each in app.contexts.values()
                   if coupling.query in each.spec.queries), None)  # fmt: skip
    if holder is None:
        raise app.wrong(f"no context has a query {coupling.query!r}", *keys, "query")
    if why := _not_found(app, holder, str(coupling.query)) or _not_kept(holder, coupling.query):
        raise app.wrong(why, *keys, "query")
    if holder.name not in coupling.contexts:
        raise app.wrong(f"{holder.name} keeps the rows and is missing", *keys, "contexts")
    for name in coupling.readers:
        if why := _not_read(app, coupling, holder, name) or _not_free(app, coupling, name):
            raise app.wrong(why, *keys, "readers", name)


def _not_found(app: App, holder: Context, query: str) -> str | None:
    """Why what a query finds is no one row under one key."""
    method = app.stores.methods(str(holder.store))[query]
    kinds = [kind for _, kind, _ in method.parameters]
    if kinds == ["str"] and method.returns.endswith(" | None"):
        return None
    return f"{holder.store}.{query} finds no one row by one parameter, a str"


def _not_kept(holder: Context, query: str | None) -> str | None:
    """Why the row that a query finds cannot be kept in memory by what its service is asked."""
    asks = f"self.store.{query}"
    asking = [each for each in holder.methods.values() if asks in ast.unparse(each.node)]
    if not asking:
        return f"no method of {holder.service} asks for it, so nothing is kept in memory"
    method = asking[0]
    told = f"{holder.service}.{method.name}, which asks for it, must"
    if len(method.parameters) != 1 or not is_plain(method):
        return f"{told} take one parameter"
    return None if method.returns in holder.module.classes else f"{told} answer one record"


def _not_read(app: App, coupling: CouplingSpec, holder: Context, name: str) -> str | None:
    """Why a context cannot read the rows of the holder for itself."""
    if name not in app.contexts:
        return unknown("context", name, app.contexts)
    if name == holder.name:
        return "it keeps the rows itself; readers are other contexts"
    if name not in coupling.contexts:
        return "it is not among the contexts of this coupling"
    if holder not in app.ports(app.contexts[name]).values():
        return f"it does not ask {holder.name}"
    return None if app.contexts[name].store else "it stores nothing; who reads has a store"


def _not_free(app: App, coupling: CouplingSpec, name: str) -> str | None:
    """Why the class with which a context reads cannot be called so."""
    kind = coupling.readers[name]
    classes = {each for context in app.contexts.values() for each in context.module.names}
    taken = RESERVED_NAMES | app.stores.classes.keys() | classes
    others = [each for reader, each in coupling.readers.items() if reader != name]
    if kind in taken or kind in others:
        return f"the class {kind} has the name of another"
    return None if kind[0].isupper() else f"the class {kind} starts with a capital"
