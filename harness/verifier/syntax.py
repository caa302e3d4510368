"""Measures and comparisons on Python syntax trees."""

import ast
from collections.abc import Iterable, Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_NESTING = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Match, ast.IfExp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def cognitive_complexity(function: FunctionNode) -> int:
    """Cognitive complexity after G. Ann Campbell (SonarSource, version 1.7, 2023).

    One for each break of the linear flow, and one more for each level of nesting around it: if,
    conditional expression, loop, except, match. One without nesting: elif, else (also of a loop),
    each run of like boolean operators, and recursion (once). Lambdas and nested functions add a
    level but nothing themselves; a function that only defines and returns one inner function (a
    decorator) does not nest it. Nothing for try, finally, with and comprehensions; conditions
    inside a comprehension count as what they are.
    """
    body = _decorated(function)
    total = sum(_cost(node, 0) for node in body)
    calls = (n for n in ast.walk(function) if isinstance(n, ast.Call))
    recursive = any(
        isinstance(call.func, ast.Name) and call.func.id == function.name for call in calls
    )
    return total + int(recursive)


def _decorated(function: FunctionNode) -> list[ast.stmt]:
    body = without_docstring(function.body)
    if (
        len(body) == 2
        and isinstance(body[0], FunctionNode)
        and isinstance(body[1], ast.Return)
        and isinstance(body[1].value, ast.Name)
    ):
        return body[0].body
    return body


def _cost(node: ast.AST, nesting: int) -> int:
    if isinstance(node, ast.If):
        return _cost_of_if(node, nesting, 1 + nesting)
    if isinstance(node, ast.BoolOp):
        return 1 + _costs(ast.iter_child_nodes(node), nesting)
    if isinstance(node, _SCOPES):
        return _costs(ast.iter_child_nodes(node), nesting + 1)
    if isinstance(node, _NESTING):
        otherwise = node.orelse if isinstance(node, _LOOPS) else []
        head, inner = _split(node)
        own = 1 + nesting + int(bool(otherwise))
        return own + _costs(head, nesting) + _costs(inner, nesting + 1)
    return _costs(ast.iter_child_nodes(node), nesting)


def _cost_of_if(node: ast.If, nesting: int, own: int) -> int:
    total = own + _cost(node.test, nesting) + _costs(node.body, nesting + 1)
    if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return total + _cost_of_if(node.orelse[0], nesting, 1)
    return total + int(bool(node.orelse)) + _costs(node.orelse, nesting + 1)


def _split(node: ast.AST) -> tuple[list[ast.AST], list[ast.AST]]:
    """The parts evaluated at the node's own level, and those one level deeper."""
    heads = ("test", "iter", "target", "subject", "type")
    head = [getattr(node, name) for name in heads if isinstance(getattr(node, name, None), ast.AST)]
    return head, [child for child in ast.iter_child_nodes(node) if child not in head]


def _costs(nodes: Iterable[ast.AST], nesting: int) -> int:
    return sum(_cost(node, nesting) for node in nodes)


def branches_on(function: ast.AST, names: Iterable[str]) -> int:
    """How many branches look at any of the names (variables or attributes).

    Counted are tests of if, elif, conditional expressions, loops and comprehensions, and the
    cases of a match over them.
    """
    wanted = frozenset(names)
    return sum(_branches(node, wanted) for node in ast.walk(function))


def _branches(node: ast.AST, names: frozenset[str]) -> int:
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        return int(_mentions(node.test, names))
    if isinstance(node, ast.comprehension):
        return sum(_mentions(test, names) for test in node.ifs)
    if isinstance(node, ast.Match):
        over = _mentions(node.subject, names)
        return sum(
            (over and not _takes_all(case.pattern))
            or (case.guard is not None and _mentions(case.guard, names))
            for case in node.cases
        )
    return 0


def _takes_all(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _mentions(node: ast.AST, names: frozenset[str]) -> bool:
    return any(
        (isinstance(n, ast.Name) and n.id in names)
        or (isinstance(n, ast.Attribute) and n.attr in names)
        for n in ast.walk(node)
    )


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements after a leading docstring."""
    return body[1:] if body and is_text(body[0]) else body


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is nothing but a string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def definitions_equal(one: ast.AST, other: ast.AST) -> bool:
    """Whether two definitions are the same code: positions, docstrings and annotations aside."""
    return fingerprint(one, rename=False) == fingerprint(other, rename=False)


def fingerprint(node: ast.AST, *, rename: bool = True) -> str:
    """A text that two pieces of code share when they are the same but for layout.

    Docstrings and annotations count as layout; with `rename`, so do the names of variables,
    parameters and the function.
    """
    names: dict[str, str] | None = {} if rename else None
    return _print(node, names)


def _print(value: object, names: dict[str, str] | None) -> str:
    if isinstance(value, list):
        return "[" + ",".join(_print(v, names) for v in value) + "]"
    if not isinstance(value, ast.AST):
        # Python writes no whole number of more than 4,300 digits, but in powers of two.
        return hex(value) if type(value) is int else repr(value)
    if isinstance(value, ast.AnnAssign) and value.value is not None:
        value = ast.Assign(targets=[value.target], value=value.value)
    fields = ",".join(_print(_field(value, name, names), names) for name in _told(value))
    return f"{type(value).__name__}({fields})"


def _told(node: ast.AST) -> Iterator[str]:
    left_out = {"ctx", "returns", "annotation", "type_comment", "kind", "type_ignores"}
    return (name for name in node._fields if name not in left_out)


def _field(node: ast.AST, name: str, names: dict[str, str] | None) -> object:
    value = getattr(node, name, None)
    if (
        name == "body"
        and isinstance(value, list)
        and isinstance(node, (ast.Module, ast.ClassDef, *_SCOPES))
    ):
        return without_docstring(value)
    variable = isinstance(node, (ast.Name, ast.arg)) and name in ("id", "arg")
    if names is not None and (variable or (isinstance(node, FunctionNode) and name == "name")):
        return names.setdefault(str(value), f"v{len(names)}")
    return value


def occurrences(tree: ast.AST, pattern: str) -> list[ast.expr]:
    """The expressions that look like `pattern`, itself a Python expression.

    A name in it that starts with `_` stands for any expression, the same one each time (a bare
    `_`: any). `+`, `*`, `==`, `!=` are tried both ways round. Example: `_price * (100 - _off)
    // 100`.
    """
    wanted = ast.parse(pattern, mode="eval").body
    return [
        node for node in ast.walk(tree) if isinstance(node, ast.expr) and _alike(wanted, node, {})
    ]


def _alike(wanted: object, found: object, bound: dict[str, str]) -> bool:
    if isinstance(wanted, ast.Name) and wanted.id.startswith("_"):
        if not isinstance(found, ast.expr):
            return False
        text = fingerprint(found, rename=False)
        return wanted.id == "_" or bound.setdefault(wanted.id, text) == text
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(
            _alike(w, f, bound) for w, f in zip(wanted, found, strict=True)
        )
    if not isinstance(wanted, ast.AST) or not isinstance(found, ast.AST):
        return type(wanted) is type(found) and wanted == found
    if type(wanted) is not type(found):
        return False
    return any(_same_fields(wanted, turned, bound) for turned in _both_ways(found))


def _same_fields(wanted: ast.AST, found: ast.AST, bound: dict[str, str]) -> bool:
    attempt = dict(bound)
    if all(
        _alike(getattr(wanted, name, None), getattr(found, name, None), attempt)
        for name in _told(wanted)
    ):
        bound.update(attempt)
        return True
    return False


def _both_ways(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
        yield ast.BinOp(left=node.right, op=node.op, right=node.left)
    if (
        isinstance(node, ast.Compare)
        and len(node.ops) == 1
        and isinstance(node.ops[0], (ast.Eq, ast.NotEq))
    ):
        yield ast.Compare(left=node.comparators[0], ops=node.ops, comparators=[node.left])
