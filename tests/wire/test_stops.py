"""A run that is broken off asks nobody any more, at once, and knows what it asked until then."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.agents.session import Limits, Session
from harness.errors import EngineGone
from harness.llm import Request
from harness.llm.asking import AskingModel, Reply
from harness.llm.concurrency import Gate
from harness.llm.faults import Fault
from tests.wire.asking import ASK, Open
from tests.wire.moves import Fail, Say, Stall, Trickle
from tests.wire.server import Scripted
from tests.wire.test_limits import PRICE, worked


def shut_when(model: AskingModel, true: Callable[[], bool]) -> None:
    """Shut the model's gate soon, in a thread of its own."""

    def wait_and_shut() -> None:
        while not true():
            time.sleep(0.01)
        time.sleep(0.1)
        model._gate.shut()

    threading.Thread(target=wait_and_shut).start()


def is_asked(server: Scripted, times: int) -> Callable[[], bool]:
    return lambda: len(server.ledger.requests) == times


@pytest.mark.parametrize("move", [Stall(20), Trickle(0.2, count=100), Fail(429, "20"), Fail(429)])
def test_a_stop_ends_requests_and_waits_at_once(play: Open, move: object) -> None:
    model, server, _ = play(Say("one"), move, Say("never"))
    model._sleep = model._gate.rest  # waits for real
    session = Session(model, PRICE, Limits())
    shut_when(model, is_asked(server, 2))
    start = time.monotonic()
    report = worked(session)
    assert time.monotonic() - start < 5
    assert isinstance(report.failure, EngineGone)
    assert [len(call.tries) for call in report.calls] == [1, 1]
    assert report.calls[1].tries[0].usage_reported == isinstance(move, Fail)
    assert len(server.ledger.requests) == 2


def test_a_stop_reaches_who_waits_for_a_place_and_who_asks_later(play: Open) -> None:
    model, server, _ = play(Stall(20), max_concurrency=1)
    failed: list[type[BaseException]] = []

    def ask() -> None:
        try:
            model.answer(ASK, deadline=60)
        except EngineGone as error:
            failed.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for each in threads:
        each.start()
    shut_when(model, is_asked(server, 1))
    for each in threads:
        each.join(5)
    ask()
    assert failed == [EngineGone] * 4
    assert len(server.ledger.requests) == 1


def test_a_connection_that_is_made_as_the_gate_is_shut_is_cut_off() -> None:
    gate = Gate(1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        gate.shut()
        gate.connected(ours)
        assert theirs.recv(1) == b""


@dataclass
class Breaking:
    """A wire on which a connection fails because the run was broken off as it was made."""

    gate: Gate

    def send(self, request: Request, seconds: float) -> Reply:
        self.gate.shut()
        raise Fault("connection", "nothing answers", is_unreached=True)

    def close(self) -> None: ...


def test_an_address_is_not_called_wrong_where_a_stop_cut_the_connection() -> None:
    gate = Gate(1)
    with pytest.raises(EngineGone, match="broken off"):
        AskingModel("m", 1000, Breaking(gate), gate).answer(ASK, deadline=60)
