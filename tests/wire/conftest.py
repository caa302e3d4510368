"""A model of each wire over a server that plays a script."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from harness.config import ModelConfig
from harness.llm.settings import open_model
from tests.wire.asking import WIRES, Open
from tests.wire.moves import Move
from tests.wire.server import Scripted


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def play(wire: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a model over a server that plays the moves; its own waits are noted, not waited.

    Those before its gate are: what a server asks for, all of its models wait for.
    """
    with ExitStack() as stack:

        def start(*moves: Move, key: str = "sk-secret", **settings: Any) -> Any:
            monkeypatch.setenv("SCRIPTED_KEY", key)
            server = Scripted(moves)
            stack.callback(server.close)
            config = ModelConfig(
                **{
                    "wire": wire,
                    "model": "m",
                    "context_tokens": 1000,
                    "key_env": "SCRIPTED_KEY",
                    "base_url": server.base_url(wire),
                }
                | settings
            )
            waits: list[float] = []
            model = open_model("scripted", config, sleep=waits.append)
            stack.callback(model.close)
            return model, server, waits

        yield start
