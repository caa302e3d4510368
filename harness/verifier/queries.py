"""Which queries of storage code leads to, by whatever names."""

import ast
import re
from collections.abc import Collection

from .constants import constants, texts
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
        said = texts(function.node, known)
        if any(query.search(one + other) for one in said for other in said):
            return function
    return None


def used(sources: Sources, start: Function) -> tuple[Function, ...]:
    """What a function calls, hands on to be called or asks of storage, directly or not."""
    stores = storage(sources.modules)
    return sources.onward(start, by=lambda each: _used(each, sources, stores))


def _used(function: Function, sources: Sources, stores: Receivers) -> Collection[str]:
    """The names of what is called, and of attributes that may be called elsewhere.

    Those are what is asked of storage or of a part of the object itself, methods of the same class
    and properties: another attribute may be a field of what is stored.
    """
    attributes = [n for n in ast.walk(function.node) if isinstance(n, ast.Attribute)]
    held = {n.attr for n in attributes if dotted(n.value).startswith("self.")}
    meant = {each.name for each in sources.functions() if _is_meant(each, function)}
    return (
        function.called()
        | asked(function.node, stores)
        | held
        | {n.attr for n in attributes if n.attr in meant}
    )


def _is_meant(found: Function, by: Function) -> bool:
    owners = {each.qualname.rpartition(".")[0] for each in (found, by)}
    decorators = {ast.unparse(each) for each in found.node.decorator_list}
    return len(owners) == 1 or bool(decorators & _PROPERTIES)
