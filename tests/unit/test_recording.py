"""What services show one another: small, free of what changes from run to run, and all of it."""

import json
from pathlib import Path

from harness.gates.recording import interactions
from harness.pairs.weave import read_app
from harness.pairs.weave.wire import path

FIXTURE = Path(__file__).parents[2] / "fixtures/atelier"
IDS = r"\b(?:mem|loan)_(?:[0-9a-f]{32}|[0-9]+)\b"


def noted(**changes: object) -> str:
    call = {
        "provider": "members", "method": "GET", "path": "/internal/members/get",
        "query": {"id": "mem_17"}, "sent": "", "status": 200,
        "answered": '{"id": "mem_17", "name": "Ada"}',
    }  # fmt: skip
    return json.dumps(call | changes) + "\n"


def told(text: str) -> list[dict[str, dict[str, object]]]:
    (content,) = interactions({"loans": text}, IDS).values()
    found: list[dict[str, dict[str, object]]] = json.loads(content)["interactions"]
    return found


def test_of_each_kind_of_call_the_first_is_kept() -> None:
    refused = noted(status=404, answered='{"detail": {"code": "unknown", "message": "no"}}')
    again = noted(query={"id": "mem_18"})
    assert [each["response"]["status"] for each in told(noted() + again + refused)] == [200, 404]
    other = refused.replace("unknown", "gone")
    assert len(told(noted() + refused + other)) == 3


def test_ids_are_counted_by_first_appearance() -> None:
    sent = json.dumps({"loan": "loan_400", "by": "mem_17", "note": "mem_17 again, not mem_x"})
    (only,) = told(noted(method="POST", query={}, sent=sent))
    body = {"loan": "loan_1", "by": "mem_2", "note": "mem_2 again, not mem_x"}
    assert only["request"] == {"method": "POST", "path": "/internal/members/get", "body": body}
    assert only["response"]["body"] == {"id": "mem_2", "name": "Ada"}


def test_an_answer_without_a_body_has_none() -> None:
    (only,) = told(noted(status=204, answered=""))
    assert only["response"] == {"status": 204, "body": None}


def test_calls_to_nobody_known_are_left_out_and_files_are_named_after_both() -> None:
    found = interactions({"loans": noted() + noted(provider=None)}, IDS)
    assert list(found) == ["interactions/loans-members.json"]


def test_every_call_between_contexts_is_among_the_recorded_ones() -> None:
    app = read_app(FIXTURE / "app")
    for context in app.contexts.values():
        for other, names in app.calls(context).items():
            provider = app.contexts[other]
            asked = {path(provider, provider.methods[name]) for name in names}
            file = FIXTURE / f"microservices/interactions/{context.name}-{other}.json"
            recorded = json.loads(file.read_text())["interactions"]
            assert {each["request"]["path"] for each in recorded} == asked


def test_every_route_between_contexts_is_in_the_document_of_its_program() -> None:
    app = read_app(FIXTURE / "app")
    for context in app.contexts.values():
        file = FIXTURE / f"microservices/openapi/{context.name}.json"
        described = json.loads(file.read_text())["paths"]
        assert {path(context, method) for method in app.asked(context)} <= described.keys()
