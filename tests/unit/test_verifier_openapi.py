"""Breaking changes, case by case, and what must never be one."""

import copy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.verifier.openapi import breaking_changes, operations

Json = dict[str, Any]
S = {"type": "string"}
I = {"type": "integer"}  # noqa: E741  one letter keeps the table readable


def response(schema: Json, **components: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    operation = {"responses": {"200": {"content": content}, "422": {}}}
    return {"paths": {"/jobs/{id}": {"get": operation}}, "components": {"schemas": components}}


def request(schema: Json, *, required: bool = True, **components: Json) -> Json:
    body = {"required": required, "content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"201": {}}}
    return {"paths": {"/jobs": {"post": operation}}, "components": {"schemas": components}}


def query(*parameters: Json) -> Json:
    operation = {"parameters": list(parameters), "responses": {"200": {}}}
    return {"paths": {"/jobs/{id}": {"get": operation}}}


def parameter(name: str, schema: Json, place: str = "query", **more: Any) -> Json:
    return {"name": name, "in": place, "schema": schema, **more}


def record(*required: str, **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


CHAIN = ["A", *(f"A{n}" for n in range(60))]
NODE = record("next", next={"anyOf": [ref("Node"), {"type": "null"}]})
BREAKS: list[tuple[Json, Json, str]] = [
    (response(S), {"paths": {}}, "the operation was removed"),
    (response(S), {"paths": {"/jobs/{id}": {"put": {}}}}, "the operation was removed"),
    (response(S), {"paths": {"/jobs/{id}": {"get": {"responses": {"204": {}}}}}}, "status 200"),
    (response(record("a", a=S)), response(record()), "a: the response field was removed"),
    (response(record(a=S)), response(record()), "a: the response field was removed"),
    (response(record("a", a=S)), response(record(a=S)), "a: the response field was made optional"),
    (response(record("a", a=S)), response(record("a", a=I)), "a: its type is integer now"),
    (response(I), response({"type": "number"}), "its type is number now, and was integer"),
    (response(S), response({}), "its type is anything now"),
    (response(S), response({**S, "nullable": True}), "is nullable now"),
    (response(S), response({"anyOf": [S, {"type": "null"}]}), "is nullable now"),
    (response(S), response({"type": ["string", "null"]}), "is nullable now"),
    (response(S), response({"oneOf": [S, I]}), "its type is integer now"),
    (response({**S, "enum": ["a"]}), response({**S, "enum": ["a", "b"]}), 'may be "b" now'),
    (response({**S, "enum": ["a"]}), response(S), "was only certain values"),
    (response({"const": "a"}), response({"const": "b"}), 'may be "b" now'),
    (response({"type": "array", "items": S}), response({"type": "array", "items": I}), "[]: its"),
    (response({"type": "array", "items": S}), response({"type": "array"}), "[]: its type is any"),
    (response({"type": "array", "items": S}), response(record()), "its type is object now"),
    (
        response({"type": "object", "additionalProperties": I}),
        response({"type": "object", "additionalProperties": S}),
        "*: its type is string now",
    ),
    (
        response(record(m={"type": "object", "additionalProperties": I})),
        response(record(m={"type": "object"})),
        "m.*: its type is anything",
    ),
    (response(ref("A"), A=record("x", x=S)), response(ref("B"), B=record("x", x=I)), "x: its type"),
    (
        response({"allOf": [ref("A"), record("y", y=S)]}, A=record("x", x=S)),
        response(record("x", x=S)),
        "y: the response field was removed",
    ),
    (response(ref("Node"), Node=NODE), response(ref("Node"), Node=record()), "next: the resp"),
    (
        response(record(a=record(b={"type": "array", "items": record("c", c=S)}))),
        response(record(a=record(b={"type": "array", "items": record(c=S)}))),
        "a.b[].c: the response field was made optional",
    ),
    (
        response({**S, "format": "date"}),
        response({**S, "format": "uuid"}),
        "its format is uuid now, and was date",
    ),
    (request(record()), request(record("a", a=S)), "a: the request field is new and required"),
    (request(record(a=S)), request(record("a", a=S)), "a: the request field was made required"),
    (request(record(a=S)), request(record()), "a: the request field was removed"),
    (request({"type": "number"}), request(I), "its type is integer now, and was number"),
    (request(record(a={})), request(record(a=S)), "a: its type is string now"),
    (request({**S, "nullable": True}), request(S), "refuses null now"),
    (request({"anyOf": [S, I]}), request(S), "its type is string now, and was integer"),
    (request({**S, "enum": ["a", "b"]}), request({**S, "enum": ["a"]}), 'refuses "b" now'),
    (request(S), request({**S, "enum": ["a"]}), "takes only certain values"),
    (request({**I, "minimum": 0}), request({**I, "minimum": 1}), "minimum is 1 now, and was wider"),
    (request(I), request({**I, "minimum": 0}), "minimum is 0 now"),
    (request({**I, "maximum": 9}), request({**I, "maximum": 8}), "maximum is 8 now"),
    (request(I), request({**I, "maximum": 10**309}), "maximum is inf now"),
    (request(I), request({**I, "minimum": -(10**309)}), "minimum is -inf now"),
    (request(I), request({**I, "exclusiveMinimum": 3}), "minimum is 4 now"),
    (
        request({"type": "number", "minimum": 3}),
        request({"type": "number", "exclusiveMinimum": 3}),
        "minimum is 3 (itself left out) now",
    ),
    (request(I), request({**I, "minimum": 3, "exclusiveMinimum": True}), "minimum is 4 now"),
    (request(S), request({**S, "minLength": 1}), "minLength is 1 now"),
    (request({**S, "maxLength": 9}), request({**S, "maxLength": 5}), "maxLength is 5 now"),
    (request(S), request({**S, "pattern": "^a"}), 'pattern is "^a" now'),
    (request(S), request({**S, "format": "uuid"}), "its format is uuid now, and was free"),
    (request(I), request({**I, "multipleOf": 5}), "multipleOf is 5 now"),
    (
        request({"type": "array", "items": S}),
        request({"type": "array", "items": S, "maxItems": 3}),
        "maxItems is 3 now",
    ),
    (
        request({"type": "array"}),
        request({"type": "array", "uniqueItems": True}),
        "its elements must be unique now",
    ),
    (
        request(record()),
        request({**record(), "additionalProperties": False}),
        "fields that are not declared are refused now",
    ),
    (request(S, required=False), request(S), "a request body is required now"),
    (request(S), {"paths": {"/jobs": {"post": {"responses": {"201": {}}}}}}, "body was removed"),
    (query(parameter("q", S)), query(), "q: the query parameter was removed"),
    (query(), query(parameter("q", S, required=True)), "q: the query parameter is new and req"),
    (query(parameter("q", S)), query(parameter("q", S, required=True)), "was made required"),
    (query(parameter("q", S)), query(parameter("q", I)), "q: its type is integer now"),
    (query(parameter("X-A", S, "header")), query(), "X-A: the header parameter was removed"),
    (query(parameter("q", S)), query(parameter("q", S, "header")), "query parameter was removed"),
    (
        query(parameter("id", S, "path")),
        query(parameter("id", {**S, "maxLength": 3}, "path")),
        "id: maxLength is 3 now",
    ),
    (query(), {**query(), "security": [{"key": []}]}, "authentication is required now"),
]


@pytest.mark.parametrize(("old", "new", "told"), BREAKS, ids=[told for _, _, told in BREAKS])
def test_a_breaking_change_is_found_once(old: Json, new: Json, told: str) -> None:
    found = [str(change) for change in breaking_changes(old, new)]
    assert len(found) == 1, found
    assert told in found[0]


def media(kind: str) -> Json:
    content = {kind: {"schema": S}}
    body = {"content": content}
    operation = {"requestBody": body, "responses": {"200": body}}
    return {"paths": {"/a": {"post": operation}}}


def test_a_changed_media_type_breaks_request_and_response() -> None:
    found = [c.message for c in breaking_changes(media("application/json"), media("text/plain"))]
    assert found == [
        "the request has no application/json any more",
        "the response has no application/json any more",
    ]


RENAMED = copy.deepcopy(query(parameter("id", S, "path")))
RENAMED["paths"]["/jobs/{job_id}"] = RENAMED["paths"].pop("/jobs/{id}")
RENAMED["paths"]["/jobs/{job_id}"]["get"]["parameters"][0]["name"] = "job_id"
SAFE: list[tuple[Json, Json]] = [
    (response(record(a=S)), response(record("a", "b", a=S, b=I))),
    (response({**S, "nullable": True}), response(S)),
    (response({"type": "number"}), response(I)),
    (response({**S, "enum": ["a", "b"]}), response({**S, "enum": ["a"]})),
    (response({"enum": ["a", "b"]}), response({"anyOf": [{"const": "a"}, {"const": "b"}]})),
    (response({"anyOf": [{"const": "a"}, {"const": "b"}]}), response({"enum": ["a", "b"]})),
    (response({"anyOf": [S, I]}), response(S)),
    (response({}), response(S)),
    (response({**S, "maxLength": 3}), response(S)),
    (response(ref("A"), A=record("x", x=S)), response(record("x", x=S))),
    (response(record(a=S)), response({"allOf": [record(a=S)]})),
    (response({**S, "nullable": True}), response({"anyOf": [S, {"type": "null"}]})),
    (request(record()), request(record(a=S))),
    (request(S), request({"anyOf": [S, I]})),
    (request({**S, "enum": ["a"]}), request(S)),
    (request({**I, "minimum": 1}), request({**I, "minimum": 0})),
    (request({**I, "exclusiveMinimum": 0}), request({**I, "minimum": 1})),
    (request(S), request({**S, "minLength": 0})),
    (request(S), request(S, required=False)),
    (request(record("a", a=S)), request(record(a=S))),
    (query(), query(parameter("q", S))),
    (query(parameter("X-A", S, "header")), query(parameter("x-a", S, "header"))),
    (query(parameter("id", S, "path")), RENAMED),
    ({"paths": {}}, response(S)),
]


@pytest.mark.parametrize(("old", "new"), SAFE)
def test_a_safe_change_is_no_break(old: Json, new: Json) -> None:
    assert breaking_changes(old, new) == []


@pytest.mark.parametrize(
    "intended",
    ["GET /jobs/{id}", "get /jobs/{any}", "GET /jobs/{id} a", "GET /jobs/{id} a.b"],
)
def test_an_intended_change_is_allowed(intended: str) -> None:
    old = response(record(a=record("b", b=S)))
    new = response(record(a=record("b", b=I)))
    assert breaking_changes(old, new)
    assert breaking_changes(old, new, [intended]) == []


@pytest.mark.parametrize("intended", ["PUT /jobs/{id}", "GET /jobs", "GET /jobs/{id} b"])
def test_an_intention_covers_nothing_else(intended: str) -> None:
    old = response(record(a=record("b", b=S)))
    assert breaking_changes(old, response(record(a=record("b", b=I))), [intended])


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": ref("A")},
        {"A": ref("B"), "B": ref("A")},
        {"A": {"allOf": [ref("A")]}},
        {"A": {"anyOf": [ref("A"), ref("A")]}},
        {f"{name}": {"anyOf": [ref(after), ref(after)]} for name, after in pairwise(CHAIN)},
        {"A": {"type": "array", "items": ref("A")}},
        {"A": {"type": "array", "items": {"allOf": [ref("A"), ref("B")]}}, "B": ref("A")},
        {"A": record(a=ref("A"), b=ref("B")), "B": {"allOf": [ref("A"), record(c=ref("B"))]}},
        {"A": {"$ref": "https://elsewhere/x"}},
        {"A": {"$ref": "#/paths/nowhere"}},
        {"A": {"$ref": 3, "type": [1, None], "properties": [], "required": 2, "enum": "x"}},
    ],
)
def test_cyclic_and_odd_schemas_end_and_never_break_themselves(schemas: Json) -> None:
    for document in (response(ref("A"), **schemas), request(ref("A"), **schemas)):
        assert breaking_changes(document, copy.deepcopy(document)) == []


def test_odd_documents_are_empty_ones() -> None:
    documents: list[Any] = [
        None,
        3,
        [],
        {"paths": 3},
        {"paths": {"/a": []}},
        {"paths": {"/a": {"get": 1}}},
    ]
    for odd in documents:
        assert operations(odd) == 0
        assert breaking_changes(odd, odd) == []


def test_two_cyclic_documents_differ_where_they_differ() -> None:
    old, new = copy.deepcopy(NODE), copy.deepcopy(NODE)
    old["properties"]["value"], new["properties"]["value"] = S, I
    found = breaking_changes(response(ref("Node"), Node=old), response(ref("Node"), Node=new))
    assert {change.field for change in found} == {"value", "next.value"}


leaves = st.one_of(
    st.sampled_from([{}, S, I, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]),
    st.lists(st.sampled_from("abc"), min_size=1, unique=True).map(lambda v: {"enum": v}),
    st.sampled_from(["A", "B"]).map(ref),
    st.integers(0, 9).map(lambda n: {**I, "minimum": n}),
    st.booleans().map(lambda n: {**S, "nullable": n}),
)


def deeper(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    fields = st.dictionaries(st.sampled_from("xyz"), inner)
    some = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(fields, st.sets(st.sampled_from("xyz"))).map(
            lambda both: record(*sorted(both[1] & both[0].keys()), **both[0])
        ),
        inner.map(lambda items: {"type": "array", "items": items}),
        inner.map(lambda extra: {"type": "object", "additionalProperties": extra}),
        st.tuples(st.sampled_from(["anyOf", "oneOf", "allOf"]), some).map(lambda b: {b[0]: b[1]}),
    )


schemas = st.recursive(leaves, deeper, max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(schemas, schemas, schemas)
def test_a_document_never_breaks_itself(one: Json, a: Json, b: Json) -> None:
    for make in (request, response):
        document = make(one, A=a, B=b)
        assert breaking_changes(document, copy.deepcopy(document)) == []


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("xyz"), schemas), schemas, schemas)
def test_a_new_optional_field_or_path_never_breaks(
    fields: dict[str, Json], extra: Json, a: Json
) -> None:
    old = request(record(*fields, **fields), A=a, B=S)
    new = request(record(*fields, **fields, new=extra), A=a, B=S)
    new["paths"]["/new"] = {"post": {"responses": {"200": {}}}}
    assert breaking_changes(old, new) == []
