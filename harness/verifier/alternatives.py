"""A JSON schema as the list of plain schemas that it stands for."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Node = Mapping[str, object]
_MOST_ALTERNATIVES = 64
_DEEPEST = 40
COUNTS = ("minLength", "minItems", "minProperties", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", *COUNTS[:3])
_UPPER = ("maximum", "exclusiveMaximum", *COUNTS[3:])

_ANNOTATIONS = frozenset(
    {"title", "description", "default", "example", "examples", "deprecated", "readOnly",
     "writeOnly", "externalDocs", "xml", "discriminator", "$comment", "nullable"}
)  # fmt: skip


def as_dict(value: object) -> Node:
    """The value where it is an object, else an empty one: documents are not trusted."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> Sequence[object]:
    """The value where it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def resolve(document: Node, node: object) -> Node:
    """Follow `$ref` within the document; an empty schema for one that leads nowhere or round."""
    seen = set()
    while isinstance(ref := as_dict(node).get("$ref"), str):
        if ref in seen or not ref.startswith("#/"):
            return {}
        seen.add(ref)
        node = document
        for part in ref[2:].split("/"):
            node = as_dict(node).get(part.replace("~1", "/").replace("~0", "~"))
    return as_dict(node)


@dataclass
class Alternatives:
    """The plain schemas that each schema of one document stands for.

    They have no $ref, allOf, anyOf, oneOf or several types at their top, and any of the list
    may be given. A schema that only leads back to itself says nothing.
    """

    document: Node
    _known: dict[str, list[Node]] = field(default_factory=dict)

    def of(self, schema: object) -> list[Node]:
        """`false` gives none; `true` and what is not understood give the empty schema."""
        return [] if schema is False else self._expanded(as_dict(schema), 0)

    def _expanded(self, schema: Node, depth: int) -> list[Node]:
        if depth > _DEEPEST:
            return [{}]
        if "$ref" in schema:
            return self._referred(schema, depth)
        plain = {k: v for k, v in schema.items() if k not in ("allOf", "anyOf", "oneOf")}
        found: list[Node] = list(_by_type(plain))
        for part in as_list(schema.get("allOf")):
            found = _crossed(found, self._expanded(as_dict(part), depth + 1))
        for word in ("anyOf", "oneOf"):
            if choices := as_list(schema.get(word)):
                found = _crossed(found, self._any(choices, depth))
        return _distinct(found)

    def _any(self, choices: Sequence[object], depth: int) -> list[Node]:
        every = (self._expanded(as_dict(choice), depth + 1) for choice in choices)
        return _distinct(itertools.chain.from_iterable(every))

    def _referred(self, schema: Node, depth: int) -> list[Node]:
        beside = {k: v for k, v in schema.items() if k != "$ref" and k not in _ANNOTATIONS}
        target = self._target(str(schema["$ref"]), depth)
        return _crossed(target, self._expanded(beside, depth + 1)) if beside else target

    def _target(self, ref: str, depth: int) -> list[Node]:
        if ref not in self._known:
            self._known[ref] = [{}]  # what it is while it is being looked at
            node = resolve(self.document, {"$ref": ref})
            self._known[ref] = self._expanded(node, depth + 1)
        return self._known[ref]


def _distinct(schemas: Iterable[Node]) -> list[Node]:
    by_text = {text_of(schema): schema for schema in schemas}
    return list(by_text.values())[:_MOST_ALTERNATIVES]


def _by_type(schema: Node) -> Iterator[Node]:
    plain = {k: v for k, v in schema.items() if k not in _ANNOTATIONS}
    kinds = types_of(schema)
    nullable = schema.get("nullable") is True
    if not kinds:
        yield plain
    for kind in kinds:
        yield {**plain, "type": kind}
    if nullable and kinds and "null" not in kinds:
        yield {"type": "null"}


def _crossed(some: Sequence[Node], others: Sequence[Node]) -> list[Node]:
    pairs = itertools.product(some, others)
    merged = (_merged(one, other) for one, other in itertools.islice(pairs, _MOST_ALTERNATIVES * 4))
    return [m for m in merged if m is not None][:_MOST_ALTERNATIVES]


def _merged(one: Node, other: Node) -> Node | None:
    """What both schemas ask for; null where their types exclude each other."""
    result: dict[str, object] = dict(one)
    for key, value in other.items():
        result[key] = _both(key, result[key], value) if key in result else value
    kinds = {str(s["type"]) for s in (one, other) if "type" in s}
    if kinds == {"integer", "number"}:
        result["type"] = "integer"
    elif len(kinds) > 1:
        return None
    return result


def _both(key: str, one: object, other: object) -> object:
    if key == "properties":
        a, b = as_dict(one), as_dict(other)
        shared = {k: {"allOf": [a[k], b[k]]} if a[k] != b[k] else a[k] for k in a.keys() & b.keys()}
        return {**a, **b, **shared}
    if key == "required":
        return [*as_list(one), *(name for name in as_list(other) if name not in as_list(one))]
    if key == "enum":
        kept = {text_of(value) for value in as_list(other)}
        return [value for value in as_list(one) if text_of(value) in kept]
    if key in ("items", "additionalProperties") and one != other:
        return {"allOf": [one, other]} if isinstance(one, dict) and isinstance(other, dict) else one
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return max(one, other) if key in _LOWER else min(one, other) if key in _UPPER else other
    return other


def types_of(schema: Node) -> list[str]:
    """The types that a schema names, or that its keywords imply; none where it says nothing."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return [kind]
    if isinstance(kind, list):
        return [str(k) for k in kind]
    if "properties" in schema:
        return ["object"]
    return ["array"] if "items" in schema else []


def text_of(value: object) -> str:
    """A JSON value as a text that equal values share."""
    return json.dumps(value, sort_keys=True)
