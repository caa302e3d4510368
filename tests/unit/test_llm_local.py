"""The embedded model: a server that we did not write, and its end."""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.agents.tools import TOOLS
from harness.config import ModelConfig
from harness.errors import ContextOverflow
from harness.llm import Message, Request, Text, ToolResult
from harness.llm.arguments import read_call
from harness.llm.local import LocalServer
from harness.llm.settings import open_model
from tests.wire.asking import WIRES

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None,
    reason="NOT TESTED: the extra `local` is not installed, so the embedded model is not proven",
)


def ask(text: str) -> Request:
    message = Message(role="user", parts=(Text(text=text),))
    return Request(system="You are brief.", messages=(message,), max_output_tokens=24)


def config(wire: str = "openai-chat") -> ModelConfig:
    """As still as the wire has words for."""
    words: dict[str, dict[str, Any]] = {
        "openai-chat": {"temperature": 0.0, "seed": 7},
        "openai-responses": {"temperature": 0.0},
        "anthropic": {"extra": {"temperature": 0.0}},
    }
    return ModelConfig(wire=wire, model="SmolLM2", context_tokens=1024, **words[wire])


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    made = LocalServer(1024)
    yield made
    made.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_real_model_answers_with_its_tokens(server: LocalServer) -> None:
    model = open_model("local", config(), base_url=server.base_url)
    first, second = (model.answer(ask("Say hello."), deadline=60) for _ in range(2))
    assert first.message.text == second.message.text != ""
    assert first.usage.input_tokens == second.usage.input_tokens > 5
    assert 0 < first.usage.output <= 24
    assert second.usage.cache_read > 0
    model.close()


@pytest.mark.parametrize("wire", WIRES)
def test_every_wire_works_on_a_server_that_we_did_not_write(server: LocalServer, wire: str) -> None:
    address = server.base_url.removesuffix("/v1") if wire == "anthropic" else server.base_url
    with closing(open_model("local", config(wire), base_url=address)) as model:
        first = model.answer(ask("Say hello."), deadline=60)
        more = (*ask("Say hello.").messages, first.message, *ask("And bye.").messages)
        second = model.answer(ask("").model_copy(update={"messages": more}), deadline=60)
        with pytest.raises(ContextOverflow):
            model.answer(ask("word " * 3000), deadline=60)
    assert first.message.text
    assert first.stop in {"end", "max_tokens"}
    assert second.usage.input_tokens > first.usage.input_tokens > 5
    assert all(one.usage_reported for one in (*first.tries, *second.tries))
    assert first.served_by


@pytest.mark.parametrize("wire", WIRES)
def test_tools_and_what_became_of_their_calls_are_taken_on_every_wire(
    server: LocalServer, wire: str
) -> None:
    """What a loop of tools sends at each turn; a template without a place for tools omits them."""
    address = server.base_url.removesuffix("/v1") if wire == "anthropic" else server.base_url
    call, words = read_call("call_1", "bash", '{"command": "ls"}'), "tally rules main names " * 10
    asked = ask("List the files.").model_copy(update={"tools": TOOLS})
    more = (
        *asked.messages,
        Message(role="assistant", parts=(call,)),
        Message(role="user", parts=(ToolResult(call_id=call.id, text=words),)),
    )
    with closing(open_model("local", config(wire), base_url=address)) as model:
        first = model.answer(asked, deadline=60)
        second = model.answer(asked.model_copy(update={"messages": more}), deadline=60)
    assert first.message.text or first.message.tool_calls
    assert second.usage.input_tokens >= first.usage.input_tokens + len(words.split())
    for said in (first, second):
        assert said.stop in {"end", "max_tokens", "tool_calls"}
        assert [(one.status, one.usage_reported) for one in said.tries] == [("answered", True)]


def test_threads_that_wait_leave_the_cores_to_others(server: LocalServer) -> None:
    environment = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    assert {b"OMP_WAIT_POLICY=PASSIVE", b"GOMP_SPINCOUNT=0"} <= set(environment)


def test_a_request_that_is_too_long_is_an_overflow(server: LocalServer) -> None:
    model = open_model("local", config(), base_url=server.base_url)
    with pytest.raises(ContextOverflow):
        model.answer(ask("word " * 3000), deadline=60)
    model.close()


def test_what_a_terminal_sends_to_its_programs_does_not_reach_the_child(
    server: LocalServer,
) -> None:
    """Ctrl-C goes to a whole process group; a server that it ended would be asked in vain."""
    assert os.getpgid(server.pid) != os.getpgid(0)


def test_closing_ends_the_child() -> None:
    made = LocalServer(512)
    assert is_alive(made.pid)
    made.close()
    assert not is_alive(made.pid)


def test_a_killed_parent_leaves_no_child() -> None:
    program = (
        "from harness.llm.local import LocalServer; import time; s = LocalServer(512);"
        "print(s.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while is_alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not is_alive(child)
