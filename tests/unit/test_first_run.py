"""What a newcomer meets who has a key in mind and has not exported it yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["model=claude"], {}, "model claude: no key: set the environment variable ANTHROPIC_API_"),
        (["model=gpt"], {"OPENAI_API_KEY": " "}, "model gpt: no key: set the environment variable"),
        (
            ["model=claude"],
            {"ANTHROPIC_API_KEY": "sk-sesame open"},
            "model claude: ANTHROPIC_API_KEY holds more than a key",
        ),
        (
            ["model=gpt-luna", "models.gpt-luna.cache=long"],
            {"OPENAI_API_KEY": "sk-sesame"},
            "model gpt-6-luna: cache=long: price.tiers lack cache_write_long",
        ),
        (["model=claude", "models.claude.cache=1h"], {}, "models.claude.cache"),
    ],
)
def test_one_line_says_what_is_missing_before_anything_is_started(
    tmp_path: Path, words: list[str], environment: dict[str, str], said: str
) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "experiment=smoke", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=bare | environment | {"SEAMBENCH_RESULTS": str(tmp_path)},
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "sesame" not in done.stderr + done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
