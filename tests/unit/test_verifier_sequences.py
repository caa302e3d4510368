"""Sequences: references, comparable answers, minimising."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.verifier.job import NoVerdict
from harness.verifier.replay import first_difference, pack, unpack
from harness.verifier.sequences import (
    Recorded,
    RequestSequence,
    Rules,
    Saved,
    comparable,
    minimise,
    parse,
)

RULES = Rules.make(r"\b(?:job|acc)_[0-9]+\b", [])
STEP: dict[str, object] = {"method": "GET", "path": "/jobs"}


def answer(body: object, status: int = 200) -> Recorded:
    return (status, "application/json", json.dumps(body))


def sequence(*steps: dict[str, object]) -> RequestSequence:
    return {"name": "s", "steps": list(steps)}


def test_references_are_filled_in_path_header_and_body() -> None:
    saved = Saved()
    step: dict[str, object] = {"save": {"job": "jobs.1.id", "n": "count", "no": "a.b", "f": "flag"}}
    saved.keep(step, json.dumps({"jobs": [{}, {"id": 'a/b "c"'}], "count": 3, "flag": True}))
    request = saved.request(
        {
            "method": "POST",
            "path": "/x/{job}?n={n}&no={no}&f={f}",
            "headers": {"X-Key": "{job}"},
            "body": {"job": "{job}", "deep": [{"n": "{n}!"}], "kept": "{not a name}"},
        }
    )
    assert request.path == "/x/a%2Fb%20%22c%22?n=3&no=missing&f=missing"
    assert request.headers == {"X-Key": 'a/b "c"'}
    assert json.loads(request.body or "") == {
        "job": 'a/b "c"',
        "deep": [{"n": "3!"}],
        "kept": "{not a name}",
    }


def test_a_hostile_answer_cannot_add_headers_or_break_resolving() -> None:
    saved = Saved()
    for body in ("not json", "[" * 100_000, '"\\ud800"', "null"):
        saved.keep({"save": {"job": "id"}}, body)
    saved.keep({"save": {"job": "id", "odd": "odd"}}, '{"id": "a\\r\\nX: 1", "odd": "\\ud800"}')
    request = saved.request({"method": "GET", "path": "/{odd}", "headers": {"K": "{job}"}})
    assert request.headers == {"K": "aX: 1"}
    assert request.path == "/%3F"


def test_ids_are_numbered_by_first_appearance_in_requests_and_answers() -> None:
    steps: list[dict[str, object]] = [
        {"method": "POST", "path": "/jobs", "save": {"job": "id"}},
        {"method": "GET", "path": "/jobs/{job}"},
    ]
    first = [answer({"owner": "acc_7", "id": "job_3"}), answer({"id": "job_3", "next": "job_9"})]
    told = [(asked, body) for asked, (_, _, body) in comparable(steps, first, RULES)]
    assert told == [
        ("POST /jobs", '{"id": "<job#1>", "owner": "<acc#1>"}'),
        ("GET /jobs/<job#1>", '{"id": "<job#1>", "next": "<job#2>"}'),
    ]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ({"a": 1}, {"a": 2}, "body.a is 2 where the base has 1"),
        ({"a": 1}, {"a": 1.0}, "body.a is 1.0 where the base has 1"),
        ({"a": 1}, {"a": True}, "body.a is true where the base has 1"),
        ({"a": 1}, {}, "body.a is gone"),
        ({}, {"a": None}, "body.a is new"),
        ({"a": [1]}, {"a": [1, 2]}, "body.a has 2 elements where the base has 1"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "body.a.0.b is 2 where the base has 1"),
        (
            ["job_1", "job_2"],
            ["job_1", "job_1"],
            'body.1 is "<job#1>" where the base has "<job#2>"',
        ),
    ],
)
def test_a_different_body_is_told_by_its_first_difference(
    old: object, new: object, what: str
) -> None:
    found = first_difference(sequence(STEP), [answer(old)], [answer(new)], RULES)
    assert found is not None
    assert found["what"] == what


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"id": "job_1"}, {"id": "job_22"}),
        ({"url": "/jobs/job_1/x"}, {"url": "/jobs/job_5/x"}),
    ],
)
def test_key_order_and_ids_make_no_difference(old: object, new: object) -> None:
    assert first_difference(sequence(STEP), [answer(old)], [answer(new)], RULES) is None


def test_status_and_content_type_are_compared() -> None:
    old = answer({})
    for new, what in (
        ((404, old[1], old[2]), "status 404 where the base answers 200"),
        ((200, "text/plain", old[2]), "content type 'text/plain'"),
        ((0, "", "no answer"), "status 0 (no answer) where"),
    ):
        found = first_difference(sequence(STEP), [old], [new], RULES)
        assert found is not None
        assert str(found["what"]).startswith(what)


def test_a_request_that_changes_by_an_earlier_answer_is_a_difference() -> None:
    steps: list[dict[str, object]] = [
        {"method": "POST", "path": "/jobs", "save": {"n": "n"}},
        {"method": "GET", "path": "/jobs?{n}"},
    ]
    rules = Rules.make("", ["POST /jobs n"])
    old, new = [answer({"n": 1}), answer({})], [answer({"n": 2}), answer({})]
    found = first_difference(sequence(*steps), old, new, rules)
    assert found is not None
    assert (found["step"], found["what"]) == (2, "the request: an earlier id changed")


@pytest.mark.parametrize(
    ("differs", "same"),
    [
        ("GET /jobs/{any} items.cost", True),
        ("GET /jobs/{any} items", True),
        ("GET /jobs/{any} cost", False),
        ("GET /jobs items.cost", False),
        ("PUT /jobs/{any} items.cost", False),
    ],
)
def test_fields_that_the_task_changes_are_left_out(differs: str, *, same: bool) -> None:
    rules = Rules.make("", [differs])
    step: dict[str, object] = {"method": "GET", "path": "/jobs/job_1?x=1"}
    old, new = answer({"items": [{"cost": 1}, {"cost": 2}]}), answer({"items": [{}, {"cost": 3}]})
    assert (first_difference(sequence(step), [old], [new], rules) is None) is same


@pytest.mark.parametrize("entry", ["GET /jobs", "GET", "GET /a b c"])
def test_a_malformed_entry_or_pattern_is_an_error(entry: str) -> None:
    with pytest.raises(NoVerdict, match="is not 'METHOD path field'"):
        Rules.make("", [entry])
    with pytest.raises(NoVerdict, match="id_pattern"):
        Rules.make("(", [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '[{"name": "a", "steps": []}]',
        '[{"name": "a", "steps": [{"path": "/"}]}]',
        '[{"steps": [{"method": "GET", "path": "/"}]}]',
        json.dumps([{"name": "a", "steps": [{**STEP, "save": 3}]}]),
        json.dumps([{"name": "a", "steps": [STEP]}, {"name": "a", "steps": [STEP]}]),
    ],
)
def test_malformed_sequences_are_an_error(text: str) -> None:
    with pytest.raises(NoVerdict, match=r"sequences\.json"):
        parse(text)


@pytest.mark.parametrize("packed", ["", "!!", "aGVsbG8=", pack({"a": [(1, "b", "c")]})[:-8]])
def test_a_damaged_recording_is_an_error(packed: str) -> None:
    with pytest.raises(NoVerdict, match="cannot be read"):
        unpack(packed)


@given(st.dictionaries(st.text(), st.lists(st.tuples(st.integers(), st.text(), st.text()))))
def test_a_recording_survives_packing(answers: dict[str, list[Recorded]]) -> None:
    assert unpack(pack(answers)) == answers


@settings(max_examples=100)
@given(st.integers(1, 30), st.sets(st.integers(0, 29), min_size=1, max_size=4))
def test_minimise_keeps_exactly_the_steps_that_are_needed(length: int, wanted: set[int]) -> None:
    needed = {number for number in wanted if number < length} or {0}
    steps: list[dict[str, object]] = [{"n": number} for number in range(length)]

    def differs(some: RequestSequence) -> bool:
        return needed <= {step["n"] for step in some["steps"]}

    found = minimise({"name": "s", "steps": steps}, differs)
    assert [step["n"] for step in found["steps"]] == sorted(needed)
