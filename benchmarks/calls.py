"""What our part of a model call costs, beside the bare SDK on the same instant server.

python -m benchmarks.calls
"""

import json
import statistics
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

from harness.agents.conversation import Conversation
from harness.agents.session import Limits, Session
from harness.agents.tools import TOOLS
from harness.config import ModelConfig
from harness.llm import Message, Text
from harness.llm.settings import open_model

ROUNDS = 200
ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "instant",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "yes"},
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
    }
).encode()


class Instant(BaseHTTPRequestHandler):
    """Answers at once, the same thing always."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Read the request, send the answer."""
        self.rfile.read(int(self.headers["content-length"]))
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(ANSWER)}"
        self.wfile.write(head.encode() + b"\r\n\r\n" + ANSWER)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Medians in milliseconds, the bare SDK and ours taking turns, with a 20 kB conversation."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Instant)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    text = "def f(x):\n    return x\n" * 800
    bare = openai.OpenAI(api_key="none", base_url=url, max_retries=0)
    config = ModelConfig(wire="openai-chat", model="instant", context_tokens=10**6, base_url=url)
    model = open_model("instant", config)

    def ask_bare() -> None:
        bare.chat.completions.create(model="instant", messages=[{"role": "user", "content": text}])

    def ask_ours() -> None:
        talk = Conversation("be brief", TOOLS, 10**6, 64)
        talk.say(Message(role="user", parts=(Text(text=text),)))
        Session(model, None, Limits()).ask(talk)

    times: dict[str, list[float]] = {"sdk": [], "ours": []}
    for _ in range(rounds):
        times["sdk"].append(_timed(ask_bare))
        times["ours"].append(_timed(ask_ours))
    model.close()
    bare.close()
    server.shutdown()
    server.server_close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "call_sdk_ms_p50": medians["sdk"],
        "call_ours_ms_p50": medians["ours"],
        "call_overhead_ms_p50": medians["ours"] - medians["sdk"],
    }


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
