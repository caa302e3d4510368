"""The same code in its plainest form: what has two spellings is read in one."""

import ast

from .literals import folded
from .syntax import FunctionNode


def plain(module: ast.Module) -> ast.Module:
    """`getattr(x, "a")` as `x.a`; a lambda or function that is given a name as a function of it."""
    _Plain().visit(module)
    return ast.fix_missing_locations(module)


class _Plain(ast.NodeTransformer):
    def __init__(self) -> None:
        self._known: list[set[str]] = []
        """The functions of the module and of the classes on the way."""

    def visit_Module(self, node: ast.Module) -> ast.AST:
        return self._scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._scope(node)

    def _scope(self, node: ast.Module | ast.ClassDef) -> ast.AST:
        self._known.append({each.name for each in node.body if isinstance(each, FunctionNode)})
        self.generic_visit(node)
        self._known.pop()
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_getattr = isinstance(node.func, ast.Name) and node.func.id == "getattr"
        name = folded(node.args[1]) if is_getattr and len(node.args) > 1 else None
        if name is None or not name.isidentifier():
            return node
        return ast.copy_location(ast.Attribute(node.args[0], name, ast.Load()), node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return node
        name, value = node.targets[0].id, node.value
        if isinstance(value, ast.Lambda):
            made = ast.FunctionDef(name, value.args, [ast.Return(value.body)], [])
        elif isinstance(value, ast.Name) and any(value.id in known for known in self._known):
            called = ast.Call(value, [ast.Starred(_loaded("a"), ast.Load())], [_passed("k")])
            given = ast.arguments([], [], ast.arg("a"), [], [], ast.arg("k"), [])
            made = ast.FunctionDef(name, given, [ast.Return(called)], [])
        else:
            return node
        return ast.copy_location(made, node)


def _loaded(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _passed(name: str) -> ast.keyword:
    return ast.keyword(None, _loaded(name))
