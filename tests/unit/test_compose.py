"""Configurations: what Hydra users expect, and one clear line for what is wrong."""

import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from harness.compose import BOUNDS, compose, run_hydra
from harness.config import CONTROLS, AgentKind, RunConfig, SandboxKind
from harness.errors import BadInput
from harness.paths import Checkout

ROOT = Path(__file__).parents[2]
CHECKOUT = Checkout(ROOT)
GROUPS = sorted(f"{path.parent.name}={path.stem}" for path in (ROOT / "configs").glob("*/*.yaml"))


# An agent that asks a model says nothing without one, and a replay nothing without a record.
TIER = "{fresh_input: 1, cache_read: 1, cache_write: 1, output: 1}"
UP_TO_5, UP_TO_3 = (f"{TIER[:-1]}, up_to: {number}}}" for number in (5, 3))
PARTNERS = {
    "agent=tool_loop": ["model=local"],
    "agent=one_shot": ["model=local"],
    "agent=replay": ["replay_from=results/x"],
    "agent=predictions": ["replay_from=x.jsonl"],
}


@pytest.mark.parametrize("override", GROUPS)
def test_every_shipped_file_composes(override: str) -> None:
    config = compose([override, *PARTNERS.get(override, [])], CHECKOUT)
    assert isinstance(config, RunConfig)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["agent=tool_loop"], "agent 'tool_loop' needs one, for instance model=local"),
        (["agent=replay"], "go together"),
        (["agent=oracle", "replay_from=x"], "go together"),
        (["scopes=[some]"], "config: scopes"),
        (["context_budgets=[8k]"], "config: context_budgets"),
        (["model=compatible", "models.compatible.wire=telepathy"], "models.compatible.wire"),
        (["budget.turns=0"], "budget.turns=0: must be at least 1"),
        (["budget.agent_seconds=0"], "budget.agent_seconds=0.0: must be at least 1"),
        (
            ["model=compatible", f"models.compatible.price.tiers=[{TIER.replace('1', '-1')}]"],
            "models.compatible.price.tiers[0].fresh_input=-1.0: must be at least 0",
        ),
        (["arms=[monolith,modular,monolith]"], "config: arms: monolith stands there twice"),
        (["doses=[1,1]"], "config: doses: 1 stands there twice"),
        (["budget.study_usd=nan"], "budget.study_usd=nan: must be at least 0"),
        (["+budget.stdy_usd=5"], "stdy_usd"),
        (["+taks=[a]"], "taks"),
        (
            ["model=local", "agent=tool_loop", "agents.tool_loop.expected_input_tokens=[5]"],
            "config: agents.tool_loop.expected_input_tokens=[5]: must be [low, high]",
        ),
        (
            ["model=local", "agent=tool_loop", "agents.tool_loop.expected_output_tokens=[9,5]"],
            "expected_output_tokens=[9, 5]: must be [low, high]",
        ),
        (["agent=null"], "config: Config group override must be a string or a list"),
        (["tasks=[[1]]"], "config: tasks=[[1]]: each is a text"),
        (
            ["model=compatible", "models.compatible.base_url=http://localhost:80a/v1"],
            "config: models.compatible.base_url: no address",
        ),
        (["budget.study_usd=-1"], "budget.study_usd=-1.0: must be at least 0"),
        (["model=claude", "models.claude.context_tokens=0"], "context_tokens=0: must be at least"),
        (["model=claude", "models.claude.max_concurrency=-3"], "max_concurrency=-3: must be at"),
        (
            ["model=compatible", f"models.compatible.price.tiers=[{TIER}]"],
            "say its source and date",
        ),
        (["model=claude", "models.claude.temperature=0"], "models.claude.temperature: "),
        (
            ["model=claude", "models.claude.thinking_tokens=20000"],
            "models.claude.thinking_tokens=20000: must be less than an answer may have, 16384",
        ),
        (
            [
                "model=claude",
                "models.claude.thinking_tokens=9000",
                "context_budgets=[full,32k]",
                "budget.max_output_tokens=16000",
            ],
            "less than an answer may have, 8192 (budget.max_output_tokens, context_budgets=32k)",
        ),
        (
            ["model=claude", "models.claude.price.tiers.0.output=-1"],
            "models.claude.price.tiers[0].output=-1.0: must be at least 0",
        ),
        (
            ["model=gpt", f"models.gpt.price.tiers=[{UP_TO_5},{UP_TO_3},{TIER}]"],
            "models.gpt.price.tiers[1].up_to=3: must be more than 5",
        ),
        (
            ["model=gpt", f"models.gpt.price.tiers=[{UP_TO_5}]"],
            "models.gpt.price.tiers[0].up_to=5: must be null",
        ),
        (
            ["model=gpt", f"models.gpt.price.tiers=[{TIER},{TIER}]"],
            "models.gpt.price.tiers[0].up_to=null: must be null, any length, in the last tier and",
        ),
        (
            ["model=compatible", "models.compatible.base_url='http://u:sesame@host/v1'"],
            "models.compatible.base_url: holds a user or a password",
        ),
        (["model=claude", "models.claude.bytes_per_token=0.5"], "bytes_per_token=0.5: must be"),
        (
            ["agent=tool_loop", "model=compatible", "budget.study_usd=0"],
            "budget.study_usd=0: cannot stop models.compatible, which has no price.tiers; give it",
        ),
        (
            ["agent=tool_loop", "model=[claude,compatible]", "budget.usd=2.5"],
            "models.compatible, which has no price.tiers; give it some, or use budget.tokens",
        ),
    ],
)
def test_what_a_study_with_models_lacks_is_said(overrides: list[str], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        compose(overrides, CHECKOUT)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", BOUNDS)
def test_every_number_has_its_bounds(part: str) -> None:
    values = asdict(getattr(compose(["agent=oracle"], CHECKOUT), part))
    assert values.keys() - {"kind", "seed"} == BOUNDS[part].keys()


def test_a_study_verifies_with_three_fresh_starts_and_500_sequences_unless_told() -> None:
    for overrides in ([], ["verification=full"]):
        rules = compose(["agent=oracle", *overrides], CHECKOUT).verification
        assert (rules.starts, rules.sequences) == (3, 500)


def test_every_shipped_file_is_in_a_group_that_the_root_names() -> None:
    root = yaml.safe_load((ROOT / "configs/config.yaml").read_text())
    named = {key for row in root["defaults"] if isinstance(row, dict) for key in row}
    assert {group.split("=")[0] for group in GROUPS} <= named


def test_the_demo_crosses_the_controls_and_an_embedded_model_with_two_arms() -> None:
    config = compose(["experiment=demo"], CHECKOUT)
    assert [agent.kind for agent in config.agents.values()] == [*CONTROLS, AgentKind.one_shot]
    assert [model.embedded for model in config.models.values()] == [True]
    assert config.arms == ["monolith", "microservices"]
    assert config.sandbox.kind is SandboxKind.docker


def test_an_override_beats_the_experiment() -> None:
    config = compose(["experiment=demo", "agent=oracle", "tasks=[atelier/*]"], CHECKOUT)
    assert list(config.agents) == ["oracle"]
    assert config.tasks == ["atelier/*"]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("repeets=2", "repeets"),
        ("repeats=two", "repeats"),
        ("experiment=dmo", "experiment/dmo"),
        ("agent=orcle", "nop; one_shot; oracle; predictions; replay; sabotage; tool_loop"),
        ("sandbox.kind=podman", "expected one of"),
        ("sandbox.memory=3", "memory"),
        ("repeats=0", "repeats=0: must be at least 1"),
        ("verification.starts=0", "verification.starts=0: must be at least 1"),
        ("sandbox.cpus=0", "sandbox.cpus=0.0: must be at least 0.1"),
        ("sandbox.cpus=-1", "sandbox.cpus=-1.0: must be at least 0.1"),
        ("sandbox.cpus=nan", "sandbox.cpus=nan: must be at least 0.1"),
        ("sandbox.cpus=inf", "sandbox.cpus: must be at most 1,024"),
        ("repeats=99999999999999999999", "repeats: must be at most 10,000"),
        ("executor.workers=5000", "executor.workers: must be at most 1,024"),
        ("name=../elsewhere", "a folder name below results/"),
        ("tasks=[", "tasks=["),
    ],
)
def test_a_wrong_key_or_value_gets_one_line_that_names_it(override: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        compose([override], CHECKOUT)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [("repeets=2", "repeets"), ("models.local.price.tiers=[{fresh_input: 1}]", "cache_read")],
)
def test_a_wrong_key_ends_the_command_with_code_2_and_one_line(override: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "experiment=demo", override],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_cfg_job_prints_the_composed_config_and_runs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "experiment=demo", "--cfg", "job"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert yaml.safe_load(done.stdout)["name"] == "demo"


@pytest.mark.parametrize(
    ("asked", "folders"),
    [
        (
            ["experiment=demo", "agent=oracle,nop", "seed=1,2"],
            {
                f"demo/agent={agent},experiment=demo,seed={seed}"
                for agent in ("oracle", "nop")
                for seed in (1, 2)
            },
        ),
        (
            ["experiment=demo,smoke", "agent=oracle", "name=x"],
            {f"x/agent=oracle,experiment={name}" for name in ("demo", "smoke")},
        ),
        (["agent=oracle", "name=x,y"], {f"{name}/agent=oracle" for name in ("x", "y")}),
    ],
)
def test_the_jobs_of_a_multirun_get_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], folders: set[str]
) -> None:
    monkeypatch.setenv("SEAMBENCH_RESULTS", str(tmp_path))
    seen: list[str] = []
    run_hydra(
        ["--multirun", *asked],
        CHECKOUT,
        lambda _, folder: seen.append(folder.relative_to(tmp_path).as_posix()),
    )
    assert sorted(seen) == sorted(folders)


def test_the_last_of_many_jobs_is_checked_before_the_first_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAMBENCH_RESULTS", str(tmp_path))
    seen: list[Path] = []
    with pytest.raises(BadInput, match="repeats=0"):
        run_hydra(
            ["--multirun", "experiment=demo", "repeats=1,0"],
            CHECKOUT,
            lambda _, folder: seen.append(folder),
        )
    assert not seen
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["results/smoke/model=claude,seed=1", "it's 'here'", "back\\'\\"])
def test_what_is_played_may_lie_in_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("SEAMBENCH_RESULTS", str(tmp_path))
    seen: list[str | None] = []
    run_hydra(
        ["agent=replay", f"from={place}"],
        CHECKOUT,
        lambda config, _: seen.append(config.replay_from),
    )
    assert seen == [place]


def test_an_empty_name_of_the_results_folder_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMBENCH_RESULTS", "")
    seen: list[Path] = []
    run_hydra(["name=never-run"], CHECKOUT, lambda _, folder: seen.append(folder))
    assert seen == [CHECKOUT.results / "never-run"]
    assert not seen[0].exists()


def test_the_help_names_what_hydra_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "--help"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    for words in ("--dry-run", "from=results/x", "from=FILE", "experiment: demo"):
        assert words in done.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("> /dev/full", 1, "seambench: standard output: No space left on device\n"),
        ("| true; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)
def test_what_cannot_be_printed_ends_the_command_in_a_line_at_most(
    shell: str, code: int, said: str, unbuffered: str
) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m harness.cli run --help {shell}"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, said)


def test_signs_that_a_terminal_has_not_are_replaced(tmp_path: Path) -> None:
    shutil.copy(ROOT / "results/simulated/trials.parquet", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "compare", str(tmp_path)],
        capture_output=True, check=False, cwd=ROOT,
        env={"PYTHONIOENCODING": "ascii", "COLUMNS": "40"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?10: equivalent within 10 pp" in done.stdout
    assert b"12, 144" in done.stdout, "no column is cut on a narrow terminal"


def test_a_single_run_lands_in_the_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAMBENCH_RESULTS", str(tmp_path))
    seen: list[Path] = []
    run_hydra(["experiment=demo", "name=mine"], CHECKOUT, lambda _, folder: seen.append(folder))
    assert seen == [tmp_path / "mine"]
