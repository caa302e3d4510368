"""Services ask one another more than once where answers are lost, and do nothing twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from harness.sandbox import Sandbox, Sandboxes
from harness.verification import TEST_MODE
from tests.samples import ROOT
from tests.sandboxes import shell, tar_of

ARM = ROOT / "fixtures/atelier/microservices"
SERVICES = ("accounts", "catalogue", "jobs", "gallery", "moderation", "notifications")
TRIES = 3
LOSING = """
import asyncio
from collections import Counter

from {service}.main import app as service

asked = Counter()


async def app(scope, receive, send):
    '''The service; its first answers to each call are lost on the way, its work being done.'''
    key = dict(scope.get("headers", ())).get(b"idempotency-key")
    asked[key] += 1

    async def send_or_lose(message):
        if key is None or asked[key] > {lost} or message["type"] != "http.response.body":
            await send(message)
        elif {silent}:
            await asyncio.sleep(3600)

    await service(scope, receive, send_or_lose)
"""
WORK = {"model_id": "gouache-2", "tier": "standard", "width": 1024, "height": 1024, "count": 1}
PAINTER, BUYER, FLAGGER = "acc_1", "acc_2", "acc_3"
STEPS: list[tuple[str, str, dict[str, Any]]] = [
    *[("POST", "/v1/accounts", {"name": name, "plan": "plus"}) for name in ("Ada", "Bo", "Cy")],
    *[
        ("POST", f"/v1/accounts/{account}/top-ups", {"credits": 100, "reference": "first"})
        for account in (PAINTER, BUYER)
    ],
    ("POST", "/v1/jobs", {"account_id": PAINTER, "prompt": "a quiet harbour", **WORK}),
    ("POST", "/v1/queue/claim", {"worker": "w", "kinds": ["image"]}),
    ("POST", "/v1/jobs/job_1/complete", {"worker": "w", "delivered": 1}),
    (
        "PUT",
        "/v1/assets/ast_1/publication",
        {"account_id": PAINTER, "visibility": "public", "offer": "personal"},
    ),
    ("POST", "/v1/assets/ast_1/licences", {"buyer_id": BUYER}),
    ("POST", "/v1/flags", {"asset_id": "ast_1", "reporter_id": FLAGGER, "category": "spam"}),
    *[
        ("GET", path, {})
        for account in (PAINTER, BUYER, FLAGGER)
        for path in (
            f"/v1/accounts/{account}/ledger",
            f"/v1/accounts/{account}/balance",
            f"/v1/notifications?account_id={account}",
        )
    ],
]


@contextmanager
def running(
    processes: Sandboxes,
    lost: int,
    losing: Sequence[str] = SERVICES,
    *,
    silent: bool = False,
) -> Iterator[Sandbox]:
    """The app, in which so many answers to each call of those services are lost.

    The connection is cut within one; or, where services are `silent`, nothing more comes.
    """
    files = {str(p.relative_to(ARM)): p.read_bytes() for p in ARM.rglob("*") if p.is_file()}
    for name in losing:
        files[f"losing_{name}.py"] = LOSING.format(service=name, lost=lost, silent=silent).encode()
        programs = files["app.toml"]
        files["app.toml"] = programs.replace(f'"{name}.main:'.encode(), f'"losing_{name}:'.encode())
    with processes.open("app") as opened:
        opened.put(tar_of(dict(files)), "/work")
        up = shell(opened, "app up", timeout=60, env=TEST_MODE)
        assert up.ok, up.stdout + up.stderr
        yield opened


def ask(
    app: Sandbox, method: str, path: str, body: object, port: int = 8000, **headers: str
) -> Any:
    """Status and JSON of an answer; every program listens on this machine's loopback."""
    address = f"http://127.0.0.1:{port + app.port_offset}{path}"
    headers["X-Clock"] = "2026-03-02T12:00:00Z"
    answer = httpx.request(
        method, address, json=body or None, headers=headers, timeout=30, trust_env=False
    )
    return answer.status_code, answer.json()


def test_answers_lost_between_services_change_nothing(processes: Sandboxes) -> None:
    told = []
    for lost in (0, TRIES - 1):
        with running(processes, lost) as app:
            told.append([ask(app, *step) for step in STEPS])
    assert told[0] == told[1]
    assert {status for status, _ in told[0]} == {200, 201}
    seen = {path: body for (_, path, _), (_, body) in zip(STEPS, told[0], strict=True)}

    def kinds(path: str) -> list[str]:
        return [each["kind"] for each in seen[path]["items"]]

    assert kinds(f"/v1/accounts/{PAINTER}/ledger") == ["topup", "capture"]
    assert kinds(f"/v1/accounts/{BUYER}/ledger") == ["topup", "charge"]
    told_painter = kinds(f"/v1/notifications?account_id={PAINTER}")
    assert told_painter == ["job_queued", "job_done", "licence_sold"]


def test_a_service_whose_every_answer_is_lost_is_unavailable_and_was_asked_three_times(
    processes: Sandboxes,
) -> None:
    with running(processes, TRIES) as app:
        for step in STEPS[:4]:
            assert ask(app, *step)[0] < 300  # nobody asks another service for these
        status, body = ask(app, *STEPS[5])
        log = shell(app, "app logs --program accounts --lines 1000").stdout
    assert (status, body["error"]["code"]) == (503, "unavailable")
    assert log.count("GET /internal/accounts/get") == TRIES


def test_a_service_that_falls_silent_is_asked_again(processes: Sandboxes) -> None:
    with running(processes, 1, ["accounts"], silent=True) as app:
        for step in STEPS[:4]:
            ask(app, *step)
        status, job = ask(app, *STEPS[5])
        _, balance = ask(app, "GET", f"/v1/accounts/{PAINTER}/balance", None)
    assert (status, balance["held_mc"]) == (201, job["hold_mc"])


def test_a_write_that_is_repeated_is_done_once_and_a_new_one_again(processes: Sandboxes) -> None:
    charge = {"account_id": PAINTER, "list_mc": 1000, "reference": "lic_1"}
    with running(processes, 0) as app:
        for step in STEPS[:4]:
            ask(app, *step)

        def charged(key: str) -> Any:
            where = "/internal/accounts/charge"
            return ask(app, "POST", where, charge, port=8101, **{"Idempotency-Key": key})

        answers = [charged(key) for key in ("one", "one", "two")]
        _, ledger = ask(app, "GET", f"/v1/accounts/{PAINTER}/ledger", None)
    assert answers == [(200, 950)] * 3
    assert [entry["kind"] for entry in ledger["items"]].count("charge") == 2
