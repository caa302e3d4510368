"""What the domain code of an app says: its records, services, ports and who calls whom."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave.spec import AppSpec, ContextSpec
from harness.specfile import place


@dataclass(frozen=True)
class Method:
    """A method or a function with its annotations as text."""

    name: str
    parameters: tuple[tuple[str, str, str | None], ...]
    """name, annotation, default"""
    returns: str
    node: ast.FunctionDef

    @cached_property
    def asks(self) -> tuple[tuple[str | None, str], ...]:
        """`self.a.b(` as (a, b) and `self.b(` as (None, b)."""
        return tuple(_self_calls(self.node))

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """The names of all attributes that it touches, in order of the alphabet."""
        walked = ast.walk(self.node)
        return tuple(sorted({each.attr for each in walked if isinstance(each, ast.Attribute)}))


@dataclass(frozen=True)
class Module:
    """One file of the domain."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise BadInput(f"{self.path}:{error.lineno}: {error.msg}") from None

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The tree and all that is in it, walked once: every variant of an app asks again."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def annotations(self) -> tuple[ast.expr, ...]:
        """The types of fields and parameters, and what functions answer."""
        told = [each.annotation for each in self.nodes if isinstance(each, ast.AnnAssign | ast.arg)]
        told += [each.returns for each in self.nodes if isinstance(each, ast.FunctionDef)]
        return tuple(filter(None, told))

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        return {node.name: node for node in self.tree.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def names(self) -> set[str]:
        """What the module defines at its top."""
        found = set(self.classes)
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                found.add(node.name)
            if isinstance(node, ast.Assign):
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        return found

    def check_dataclass(self, name: str) -> None:
        """Raises BadInput for a class that neither is a dataclass nor takes all from one."""
        node = self.classes[name]
        decorators = map(ast.unparse, node.decorator_list)
        if any(re.match(r"(dataclasses\.)?dataclass\b", each) for each in decorators):
            return
        bases = [base for base in map(ast.unparse, node.bases) if base in self.classes]
        if not bases or any(isinstance(part, ast.AnnAssign) for part in node.body):
            raise BadInput(f"{self.path}:{node.lineno}: {name}: it is no dataclass")
        for base in bases:
            self.check_dataclass(base)

    def fields(self, name: str) -> dict[str, str]:
        """The fields of a class and of its bases in this module, in order, with their types."""
        if name not in self._fields:
            self._fields[name] = self._read_fields(self.classes[name])
        return self._fields[name]

    @cached_property
    def _fields(self) -> dict[str, dict[str, str]]:
        return {}

    def _read_fields(self, node: ast.ClassDef) -> dict[str, str]:
        found: dict[str, str] = {}
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                found |= self.fields(base.id)
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                found[part.target.id] = ast.unparse(part.annotation)
        return found

    def line(self, name: str, field: str) -> int:
        """The line of a field of a class or of its bases in this module; else the class's."""
        node = self.classes[name]
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == field:
                return part.lineno
        for base in node.bases:
            if ast.unparse(base) in self.classes and field in self.fields(ast.unparse(base)):
                return self.line(ast.unparse(base), field)
        return node.lineno

    def methods(self, name: str) -> dict[str, Method]:
        return self._methods[name]

    @cached_property
    def _methods(self) -> dict[str, dict[str, Method]]:
        return {
            name: {each.name: _method(each) for each in node.body
                   if isinstance(each, ast.FunctionDef)}
            for name, node in self.classes.items()
        }  # fmt: skip

    @cached_property
    def asked(self) -> set[tuple[str, str]]:
        """What the methods of the classes ask of their fields: `self.a.b(` as (a, b)."""
        methods = (each for found in self._methods.values() for each in found.values())
        calls = (call for method in methods for call in method.asks)
        return {(owner, called) for owner, called in calls if owner is not None}


@dataclass(frozen=True)
class Context:
    """A bounded context: its name, what app.yaml says of it, and its code."""

    name: str
    spec: ContextSpec
    module: Module
    service: str
    """the class that holds a field `store` or that others ask"""

    @property
    def is_public(self) -> bool:
        """Whether it answers anybody but the other contexts."""
        return bool(self.spec.operations)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words with a capital in what app.yaml says of its fields: types, mostly."""
        spec = self.spec
        fields = [*spec.bodies.values(), *spec.answers.values()]
        fields += [operation.query for operation in spec.operations.values()]
        said = " ".join(each for field in fields for each in field.values())
        return frozenset(re.findall(r"[A-Z]\w*", said)) - {"None"}

    @property
    def parts(self) -> dict[str, str]:
        """What the service is made of: field -> type."""
        return self.module.fields(self.service)

    @property
    def store(self) -> str | None:
        return self.parts.get("store")

    @property
    def methods(self) -> dict[str, Method]:
        return self.module.methods(self.service)


@dataclass(frozen=True)
class App:
    """An app's sources, read and checked."""

    folder: Path
    texts: Mapping[str, str]
    """the files of `folder`, by path below it"""
    spec: AppSpec
    contexts: dict[str, Context]
    stores: Module
    errors: Module

    def wrong(self, told: str, *keys: str | int) -> BadInput:
        """What app.yaml gets wrong at a key, with file and line."""
        where = place(self.folder / "app.yaml", self.texts["app.yaml"], keys)
        return BadInput(f"{where}: {told}")

    def ports(self, context: Context) -> dict[str, "Context"]:
        """The other contexts that a service asks: field -> context."""
        return self._ports[context.name]

    @cached_property
    def _ports(self) -> dict[str, dict[str, "Context"]]:
        services = {each.service: each for each in self.contexts.values()}
        return {
            each.name: {name: services[kind] for name, kind in each.parts.items()
                        if kind in services}
            for each in self.contexts.values()
        }  # fmt: skip

    def calls(self, context: Context) -> dict[str, list[str]]:
        """What a context asks of others: context -> methods, in the order of their definition."""
        return self._calls[context.name]

    @cached_property
    def _calls(self) -> dict[str, dict[str, list[str]]]:
        return {
            context.name: {
                other.name: [name for name in other.methods
                             if (field, name) in context.module.asked]
                for field, other in self.ports(context).items()
            }
            for context in self.contexts.values()
        }  # fmt: skip

    @cached_property
    def shared_vocabulary(self) -> frozenset[str]:
        """The types of app.yaml that more than one context uses."""
        uses = Counter(word for context in self.contexts.values() for word in context.vocabulary)
        return frozenset(name for name in self.spec.types if uses[name] > 1)

    def asked(self, context: Context) -> list[Method]:
        """The methods of a context that others ask for."""
        return self._asked[context.name]

    @cached_property
    def _asked(self) -> dict[str, list[Method]]:
        asked = {(name, method) for calls in self._calls.values()
                 for name, methods in calls.items() for method in methods}  # fmt: skip
        return {
            context.name: [each for name, each in context.methods.items()
                           if (context.name, name) in asked]
            for context in self.contexts.values()
        }  # fmt: skip

    def writes(self, context: Context, name: str) -> bool:
        """Whether a method changes anything, itself or through others."""
        key = context.name, name
        if key not in self._written:
            self._written[key] = self._writes(context, context.service, name, set())
        return self._written[key]

    @cached_property
    def _written(self) -> dict[tuple[str, str], bool]:
        return {}

    def _writes(
        self, context: Context, kind: str, name: str, seen: set[tuple[str, str, str]]
    ) -> bool:
        method = context.module.methods(kind).get(name)
        if method is None or (context.name, kind, name) in seen:
            return False
        seen.add((context.name, kind, name))
        ports = self.ports(context)
        for owner, called in method.asks:
            if owner is None and called == "new_id":
                return True
            if owner is None and self._writes(context, kind, called, seen):
                return True
            if owner == "store" and context.spec.queries.get(called) in WRITES:
                return True
            if owner in ports and self._writes(ports[owner], ports[owner].service, called, seen):
                return True
        # What the service leaves to another class of its file, it does itself.
        others = context.module.classes.keys() - {kind}
        return any(self._writes(context, other, each, seen)
                   for other in sorted(others) for each in method.attributes)  # fmt: skip


WRITES = ("insert", "update", "upsert")


def _method(node: ast.FunctionDef) -> Method:
    arguments = [each for each in node.args.args if each.arg != "self"]
    given = [ast.unparse(each) for each in node.args.defaults]
    defaults = [*[None] * (len(arguments) - len(given)), *given]
    parameters = tuple(
        (each.arg, _annotation(each.annotation), default)
        for each, default in zip(arguments, defaults, strict=True)
    )
    return Method(node.name, parameters, _annotation(node.returns), node)


def _annotation(node: ast.expr | None) -> str:
    """The annotation as text, quotes taken off."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "None" if node is None else ast.unparse(node)


def _self_calls(node: ast.AST) -> Iterator[tuple[str | None, str]]:
    """`self.a.b(` as (a, b) and `self.b(` as (None, b), also where they are only passed on."""
    for each in ast.walk(node):
        if not isinstance(each, ast.Attribute):
            continue
        owner = each.value
        if isinstance(owner, ast.Name) and owner.id == "self":
            yield None, each.attr
        inner = owner.value if isinstance(owner, ast.Attribute) else None
        if isinstance(owner, ast.Attribute) and isinstance(inner, ast.Name) and inner.id == "self":
            yield owner.attr, each.attr
