"""Which queries of storage code leads to, by whatever names."""

import ast
import copy
import re
from collections.abc import Collection, Mapping

from .constants import Constants, constants, texts, words
from .receivers import Receivers, asked, storage
from .tree import Function, Sources
from .walk import dotted

_PROPERTIES = {"property", "cached_property", "functools.cached_property"}


def asks(sources: Sources, start: Function, query: re.Pattern[str]) -> Function | None:
    """The first function on the way from `start` that holds a query like this, or None.

    The name of a table may be put into the query; it and the query may be constants.
    """
    known = constants(sources.modules)
    for function in used(sources, start):
        said = _said(function, known)
        if any(query.search(one + other) for one in said for other in said):
            return function
    return None


def _said(function: Function, known: Constants) -> frozenset[str]:
    """What a function says; of what decorates it, plain constants.

    Else a handler would say all the tables of the program that it is registered with.
    """
    bare = copy.copy(function.node)
    bare.decorator_list = []
    decorators = ast.Tuple(function.node.decorator_list, ast.Load())
    return texts(bare, known) | texts(decorators, words(known))


def used(sources: Sources, start: Function) -> tuple[Function, ...]:
    """What a function calls, hands on to be called or asks of storage, directly or not."""
    stores = storage(sources.modules)
    return sources.onward(start, by=lambda each: _used(each, sources, stores))


def _used(function: Function, sources: Sources, stores: Receivers) -> Collection[str]:
    """The names of what is called, and of attributes that may be called elsewhere.

    Those are what is asked of storage or of a part of the object itself, methods of the same class
    and properties: another attribute may be a field of what is stored. What `self` alone is asked
    for is the method of its own class, not another of the same name.
    """
    attributes = [n for n in ast.walk(function.node) if isinstance(n, ast.Attribute)]
    held = {n.attr for n in attributes if dotted(n.value).startswith("self.")}
    meant = {each.name for each in sources.functions() if _is_meant(each, function)}
    own = _own(function, sources)
    of_self = {n.attr: own[dotted(n)] for n in attributes if dotted(n) in own}
    of_others = {n.attr for n in attributes if dotted(n) not in own}
    of_others |= {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name)}
    named = (
        function.called()
        | asked(function.node, stores)
        | held
        | {n.attr for n in attributes if n.attr in meant}
    )
    return {*(named - (of_self.keys() - of_others)), *of_self.values()}


def _own(function: Function, sources: Sources) -> Mapping[str, str]:
    """What a method says for the methods of its class -> these, but for what heirs may replace."""
    owner = function.qualname.rpartition(".")[0]
    replaced = {name for each in sources.classes() if each.bases for name in each.methods}
    methods = (each for each in sources.functions() if each.name not in replaced)
    return {
        f"self.{each.name}": each.qualname
        for each in methods
        if owner and each.qualname == f"{owner}.{each.name}"
    }


def _is_meant(found: Function, by: Function) -> bool:
    owners = {each.qualname.rpartition(".")[0] for each in (found, by)}
    decorators = {ast.unparse(each) for each in found.node.decorator_list}
    return len(owners) == 1 or bool(decorators & _PROPERTIES)
