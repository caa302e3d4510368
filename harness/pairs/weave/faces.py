"""The faces of the modular arm: what each context shows the others, and the borders around it."""

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeGuard

from harness.pairs.weave.sources import App, Module

FOLDER = "contracts"
_ELLIPSIS = ast.Constant(...)


def stubs(app: App) -> dict[str, str]:
    """A typed stub of each context: its service's public methods and the records in them."""
    return {
        f"{FOLDER}/{name}.pyi": _stub(app.spec.package, each.spec.title, each.service, each.module)
        for name, each in app.contexts.items()
    }


def borders(app: App) -> str:
    """The text of .importlinter: a context is imported through its face alone."""
    package = app.spec.package
    lines = ["[importlinter]", f"root_package = {package}"]
    for context in app.contexts.values():
        inner = ["service", *(["schemas", "routes"] if context.is_public else [])]
        inner += ["store"] if context.store else []
        lines += [
            "", f"[importlinter:contract:{context.name}]",
            f"name = {context.name} is used through its face", "type = protected",
            "protected_modules =",
            *(f"    {package}.{context.name}.{each}" for each in inner),
            "allowed_importers =", f"    {package}.{context.name}",
            f"    {package}.db", f"    {package}.main", f"    {package}.wiring",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=1024)  # a variant of an app changes one context or two
def _stub(package: str, title: str, answering: str, module: Module) -> str:
    classes = module.classes
    service = _service(classes[answering])
    shown = _named([service], classes)
    records = [_record(node) for name, node in classes.items()
               if name in shown and name != answering]  # fmt: skip
    body = "\n\n".join(ast.unparse(ast.fix_missing_locations(each)) for each in [*records, service])
    head = f'"""{title}: what {package}.{module.path.stem} shows the others."""'
    return "\n".join([head, "", *_imports(package, module, body), "", body, ""])


def _service(node: ast.ClassDef) -> ast.ClassDef:
    """The public methods of a service, without what they do and what they are made of."""
    body = _docstring(node)
    body += [_signature(each) for each in node.body if _is_public_method(each)]
    return _class(node, body, decorators=[])


def _record(node: ast.ClassDef) -> ast.ClassDef:
    """The fields of a record, and the signatures of its public methods."""
    body: list[ast.stmt] = _docstring(node)
    for each in node.body:
        if isinstance(each, ast.AnnAssign):
            default = None if each.value is None else _ELLIPSIS
            body.append(ast.AnnAssign(each.target, each.annotation, default, each.simple))
        elif _is_public_method(each):
            body.append(_signature(each))
    return _class(node, body, decorators=node.decorator_list)


def _is_public_method(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and not node.name.startswith("_")


def _class(node: ast.ClassDef, body: list[ast.stmt], decorators: list[ast.expr]) -> ast.ClassDef:
    return ast.ClassDef(node.name, node.bases, [], body or [ast.Expr(_ELLIPSIS)],
                        decorators)  # fmt: skip


def _signature(node: ast.FunctionDef) -> ast.FunctionDef:
    """Only that there is a default is shown: what it is may be a name of the inside."""
    given = copy.deepcopy(node.args)
    given.defaults = [_ELLIPSIS for _ in given.defaults]
    given.kw_defaults = [each and _ELLIPSIS for each in given.kw_defaults]
    body = _docstring(node) or [ast.Expr(_ELLIPSIS)]
    return ast.FunctionDef(node.name, given, body, node.decorator_list, node.returns)


def _docstring(node: ast.ClassDef | ast.FunctionDef) -> list[ast.stmt]:
    return node.body[:1] if ast.get_docstring(node) is not None else []


def _named(start: Iterable[ast.AST], classes: dict[str, ast.ClassDef]) -> set[str]:
    """The classes of a module that are named in `start`, or in the records named there."""
    found: set[str] = set()
    todo = list(start)
    while todo:
        for name in _names(todo.pop()):
            if name in classes and name not in found:
                found.add(name)
                todo.append(_record(classes[name]))
    return found


def _names(node: ast.AST) -> Iterator[str]:
    """The names in a node, those in annotations that are text too, but no words of docstrings."""
    prose = {id(each.value) for each in ast.walk(node) if isinstance(each, ast.Expr)}
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from [] if id(each) in prose else re.findall(r"[^\W\d]\w*", each.value)


def _imports(package: str, of: Module, body: str) -> Iterator[str]:
    """The imports of the domain's module that the stub names, from where the arm has them."""
    used = set(_names(ast.parse(body)))
    for node in of.tree.body:
        if not isinstance(node, ast.ImportFrom) or node.module == "stores":
            continue
        names = ", ".join(alias.name for alias in node.names if alias.name in used)
        module = f"{package}.{node.module}" if node.level else node.module
        if names:
            yield f"from {module} import {names}"
