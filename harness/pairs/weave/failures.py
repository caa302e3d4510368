"""What must hold of errors: their classes, and the codes with which operations refuse."""

import ast
from collections.abc import Iterator

from harness.errors import BadInput
from harness.pairs.weave.expressions import unknown
from harness.pairs.weave.sources import App, Context

_BASE = """\
class DomainError(Exception):
    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message"""
"""what the arms of one program write, and the services in their own way"""


def check_errors(app: App) -> None:
    """The errors of app.yaml are classes of errors.py, with the same status."""
    for name, status in app.spec.errors.items():
        if name not in app.errors.classes:
            raise app.wrong(f"{app.errors.path} has no class {name}", "errors", name)
        node = app.errors.classes[name]
        for part in node.body:
            said = ast.unparse(part)
            if said.startswith("status = ") and said != f"status = {status}":
                told = f"{status}, and {said} in {app.errors.path}:{part.lineno}"
                raise app.wrong(told, "errors", name)


def check_left_out(app: App) -> None:
    """errors.py says nothing that the arms, which write the errors of app.yaml, would leave out."""
    for part in _told(app.errors.tree):
        if why := _left_out(app, part):
            raise BadInput(f"{app.errors.path}:{part.lineno}: {why}")


def check_refusals(app: App) -> None:
    """An operation refuses with codes that its context raises, or one that it asks."""
    for context in app.contexts.values():
        raised = list(_raised(app, context))
        if any(code is None for code, _ in raised):
            continue  # made of what only a running program knows
        for name, operation in context.spec.operations.items():
            keys = ("contexts", context.name, "operations", name, "refuses")
            for code, status in operation.refuses.items():
                known = {each for said, each in raised if said == code}
                if not known:
                    told = unknown("code", code, {str(said) for said, _ in raised})
                    raise app.wrong(told, *keys, code)
                if status not in known:
                    raise app.wrong(f"{status}, and it is raised as {min(known)}", *keys, code)


def _raised(app: App, context: Context) -> Iterator[tuple[str | None, int]]:
    """The codes and statuses of the errors that a context makes, and those that it asks."""
    statuses = {"DomainError": 400, **app.spec.errors}
    for node in context.module.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in statuses:
            yield _code(node), statuses[ast.unparse(node.func)]
    for other in app.ports(context).values():
        yield from _raised(app, other)


def _code(made: ast.Call) -> str | None:
    """The code of an error, where it is written out."""
    match made.args:
        case [ast.Constant(value=str(code)), *_]:
            return code
    return None


def _left_out(app: App, part: ast.stmt) -> str | None:
    """What of a statement of errors.py no arm would have."""
    if not isinstance(part, ast.ClassDef):
        return f"{ast.unparse(part).splitlines()[0]}: the arms take classes alone from here"
    if part.name == "DomainError":
        same = _bare(part) == _BASE
        return None if same else "DomainError: the arms have it as docs/authoring.md writes it"
    if part.name not in app.spec.errors:
        return f"{part.name}: app.yaml has no such error"
    if _bare(part) != f"class {part.name}(DomainError):\n    status = {app.spec.errors[part.name]}":
        return f"{part.name}: an error is a DomainError with its status and nothing else"
    return None


def _bare(node: ast.ClassDef) -> str:
    """A class without its docstring."""
    return ast.unparse(ast.ClassDef(node.name, node.bases, node.keywords, _told(node),
                                    node.decorator_list))  # fmt: skip


def _told(node: ast.Module | ast.ClassDef) -> list[ast.stmt]:
    """The statements of a module or class but for its docstring."""
    return node.body[1:] if ast.get_docstring(node) is not None else node.body
