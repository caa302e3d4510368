"""Parsing one file, and what can be read off the nodes of its syntax tree, or of a part of it."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from .job import LARGEST_FILE
from .syntax import FunctionNode


class Unparsable(Exception):
    """A file that is needed is not Python that can be parsed."""


class TooHard(Unparsable):
    """A file that Python might run all the same: it is too large or too deep to be parsed here."""


@dataclass(frozen=True)
class Place:
    """Something found: where, and what."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Import:
    """One imported name: `from module import name`, or `import module` with no name.

    Relative imports are resolved against the file's path.
    """

    module: str
    name: str | None
    path: str
    line: int


def parse(path: str, content: bytes) -> ast.Module:
    """Parse a file's bytes. Raises Unparsable or TooHard, whatever the bytes are."""
    if len(content) > LARGEST_FILE:
        raise TooHard(f"{path} could not be parsed: larger than {LARGEST_FILE} bytes")
    try:
        return ast.parse(content, path)
    except (RecursionError, MemoryError) as error:
        raise TooHard(f"{path} could not be parsed: {type(error).__name__}") from None
    except (SyntaxError, ValueError, LookupError) as error:
        raise Unparsable(f"{path} could not be parsed: {type(error).__name__}") from None


_HOLDS_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
"""What a definition can stand in: no expression holds one, and most nodes are expressions."""


def definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode | ast.ClassDef]]:
    """Functions and classes at any depth, with their qualified names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield f"{prefix}{child.name}", child
            yield from definitions(child, f"{prefix}{child.name}.")
        elif isinstance(child, _HOLDS_STATEMENTS):
            yield from definitions(child, prefix)


def dotted(node: ast.expr) -> str:
    """A name as it is written, with `?` for what is no name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def calls(path: str, nodes: Iterable[ast.AST]) -> Iterator[Place]:
    """Every call, by the dotted text of what is called."""
    for node in nodes:
        if isinstance(node, ast.Call):
            yield Place(path, node.lineno, dotted(node.func))


def names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every identifier, as often as it stands there."""
    for node in nodes:
        for field in ("id", "attr", "arg", "name", "asname", "rest", "module"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                yield from value.split(".")
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names


def docstrings(nodes: Iterable[ast.AST]) -> frozenset[int]:
    """The identities of the nodes that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, owners)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    )


def strings(path: str, nodes: Collection[ast.AST]) -> Iterator[Place]:
    """Every string that is no docstring."""
    left_out = docstrings(nodes)
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in left_out
        ):
            yield Place(path, node.lineno, node.value)


def imports(path: str, nodes: Iterable[ast.AST]) -> Iterator[Import]:
    """Every imported name."""
    package = PurePosixPath(path).parent.parts
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, path, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            for alias in node.names:
                yield Import(module, alias.name, path, node.lineno)


def references(
    path: str, nodes: Collection[ast.AST], name: str, in_strings: bool
) -> Iterator[Place]:
    """Every use of an identifier; see `Sources.references`."""
    for node in nodes:
        used = (
            (isinstance(node, ast.Name) and node.id == name)
            or (isinstance(node, ast.Attribute) and node.attr == name)
            or (isinstance(node, ast.alias) and name in node.name.split("."))
            or (isinstance(node, ast.keyword) and node.arg == name)
        )
        if used:
            yield Place(path, getattr(node, "lineno", 1), name)
    if in_strings:
        word = re.compile(rf"\b{re.escape(name)}\b")
        yield from (place for place in strings(path, nodes) if word.search(place.text))
