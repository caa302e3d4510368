"""From the command line to a validated RunConfig: the only place that knows Hydra.

`seambench run` accepts what any Hydra program accepts (overrides, --cfg job, --multirun, ...).
Whatever Hydra or OmegaConf refuses becomes BadInput with one line.
"""

import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from harness.config import CONTEXT_BUDGETS, WIRES, ModelConfig, RunConfig
from harness.errors import BadInput
from harness.llm.refusals import refuse
from harness.paths import Checkout
from harness.specfile import check_yaml, choose

Job = Callable[[RunConfig, Path], None]
_WEEK = 7 * 24 * 3600.0
_TOKENS = (0, 10**12)
_USD = (0, 10**9)
BOUNDS: dict[str, dict[str, tuple[float, float]]] = {
    "executor": {"workers": (0, 1024)},
    "verification": {"starts": (1, 100), "sequences": (1, 100_000)},
    "sandbox": {
        "memory_mb": (256, 2**24),
        "cpus": (0.1, 1024),  # an engine takes 0 and less for no limit
        "pids": (64, 2**22),
        "disk_mb": (64, 2**24),
    },
    "budget": {
        "agent_seconds": (1, _WEEK),
        "wall_seconds": (1, _WEEK),
        "attempts": (1, 100),
        "turns": (1, 10**6),
        "tokens": _TOKENS,
        "output_tokens": _TOKENS,
        "max_output_tokens": (16, 10**9),
        "call_seconds": (1, _WEEK),
        "usd": _USD,
        "study_usd": _USD,
        "study_turns": (0, 10**9),
        "study_tokens": _TOKENS,
        "study_output_tokens": _TOKENS,
        "study_agent_seconds": (1, 10**9),
        "study_wall_seconds": (1, 10**9),
    },
}
"""Least and most of each number, by its key: what lies beyond is a slip of the hand."""


def run_hydra(arguments: list[str], checkout: Checkout, job: Job) -> None:
    """Compose each job that `arguments` ask for and call `job(config, results_folder)`.

    Raises BadInput for anything that does not compose or does not fit the schema.
    """
    _Options(parents=[get_args_parser()], add_help=False).parse_args(arguments)
    _register_schema()
    if not os.environ.get("SEAMBENCH_RESULTS"):
        os.environ["SEAMBENCH_RESULTS"] = str(checkout.results)
    composed: list[tuple[DictConfig, Path]] = []

    # Jobs run behind Hydra, not in it: a typo in the last of many is told before the first runs,
    # and Hydra prints lines of its own about a job that raises.
    def task(config: DictConfig) -> None:
        composed.append((config, Path(HydraConfig.get().runtime.output_dir)))

    entry = hydra.main(version_base="1.3", config_path=str(checkout.configs), config_name="config")(
        task
    )
    argv, sys.argv = sys.argv, ["seambench run", *map(_for_hydra, arguments)]
    # With this set Hydra lets exceptions through instead of printing several lines and exiting 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        with _refusals(checkout):
            entry()
        for config, folder in [(_typed(config), folder) for config, folder in composed]:
            job(config, folder)
    finally:
        sys.argv = argv
        for _, folder in composed:
            _remove_unused(folder, Path(os.environ["SEAMBENCH_RESULTS"]).absolute())


class _Options(ArgumentParser):
    """Hydra's options, told to be wrong in one line, before Hydra prints all of them."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message} (see seambench run --help)")


def _for_hydra(argument: str) -> str:
    """`from` is what a person would write, and no name that a Python field can have.

    A name with signs that Hydra's grammar has no place for, as `--multirun` gives, is quoted.
    """
    name, _, path = argument.partition("=")
    if name != "from":
        return argument
    if re.fullmatch(r"[\w./,-]+", path):
        return f"replay_from={path}"
    return f"replay_from={QuotedString(path, Quote.single).with_quotes()}"


def _remove_unused(folder: Path, root: Path) -> None:
    """Take away a folder below `root` that Hydra made and no job wrote into."""
    with suppress(OSError):  # the first that is not empty
        while folder != root:
            if [path.name for path in folder.iterdir()] == ["multirun.yaml"]:  # Hydra's own
                (folder / "multirun.yaml").unlink()
            folder.rmdir()
            folder = folder.parent


def compose(overrides: list[str], checkout: Checkout) -> RunConfig:
    """The RunConfig for one job, without running it; raises BadInput like `run_hydra`."""
    _register_schema()
    GlobalHydra.instance().clear()
    with (
        _refusals(checkout),
        hydra.initialize_config_dir(str(checkout.configs), version_base="1.3"),
    ):
        return _typed(hydra.compose("config", overrides))


@contextmanager
def _refusals(checkout: Checkout) -> Iterator[None]:
    """What composing refuses, or cannot read or make, as BadInput of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise BadInput(one_line(error)) from error
    except (YAMLError, UnicodeDecodeError) as error:  # which name no file, or none of one line
        for path in sorted(checkout.configs.rglob("*.yaml")):
            check_yaml(path)
        raise BadInput(f"config: {' '.join(str(error).split())}") from error
    except ValueError as error:  # a group that is set to null
        raise BadInput(f"config: {' '.join(str(error).split())}") from error
    except OSError as error:
        if error.filename is None:  # not the folder of results, which Hydra makes
            raise
        raise BadInput(f"{str(error.filename)[:200]}: {error.strerror}") from error


def one_line(error: Exception) -> str:
    """Hydra's and OmegaConf's several lines as one, the cause last."""
    texts = [getattr(error, "override", None) or "", str(error)]
    if error.__cause__ is not None:
        texts.append(str(error.__cause__))
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    noise = (
        "object_type=",
        "reference_type=",
        "Set the environment variable",
        "See https",
        "Config search path",
        "provider=",
        "To append to your config",
    )
    kept = [line for line in dict.fromkeys(lines) if not line.startswith(noise)]
    return "config: " + "; ".join(kept)


def _register_schema() -> None:
    ConfigStore.instance().store(name="schema", node=RunConfig)


def _typed(composed: DictConfig) -> RunConfig:
    try:
        # Merged anew: what `+` appends is refused there unless the schema has it.
        whole = OmegaConf.merge(OmegaConf.structured(RunConfig), OmegaConf.to_container(composed))
        config = OmegaConf.to_object(whole)
    except OmegaConfBaseException as error:  # before Hydra sees it, which prints a line of its own
        raise BadInput(one_line(error)) from error
    if not isinstance(config, RunConfig):
        raise BadInput("config: configs/config.yaml must start from `schema`")
    check(config)
    return config


def check(config: RunConfig) -> None:
    """What types alone cannot say. Raises BadInput naming the key."""
    _check_numbers(config)
    for key in ("tasks", "arms"):
        if not all(isinstance(value, str) for value in getattr(config, key)):
            raise BadInput(f"config: {key}={getattr(config, key)}: each is a text")
    for key in ("arms", "doses", "scopes", "context_budgets"):
        values = getattr(config, key)
        if twice := [value for value in values if values.count(value) > 1]:
            raise BadInput(f"config: {key}: {twice[0]} stands there twice")
    for name, agent in config.agents.items():
        for what in ("expected_input_tokens", "expected_output_tokens"):
            low_high = getattr(agent, what)
            if len(low_high) != 2 or not 0 <= low_high[0] <= low_high[1]:
                raise BadInput(f"config: agents.{name}.{what}={low_high}: must be [low, high]")
    _check_models(config)
    if not config.agents:
        raise BadInput("config: agent: choose at least one, for instance agent=oracle")
    if not config.name or "/" in config.name or config.name.startswith("."):
        raise BadInput(f"config: name={config.name!r}: a folder name below results/")


def _check_numbers(config: RunConfig) -> None:
    for key, value, least, most in _bounded(config):
        if value is not None and not value >= least:  # nan is not, either
            raise BadInput(f"config: {key}={value}: must be at least {least:g}")
        if value is not None and value > most:
            raise BadInput(f"config: {key}: must be at most {most:,}")


def _bounded(config: RunConfig) -> Iterator[tuple[str, float | None, float, float]]:
    """Every number with its key, its least and its most; null stands for what its key says."""
    yield "repeats", config.repeats, 1, 10_000
    for part, numbers in BOUNDS.items():
        for name, (least, most) in numbers.items():
            yield f"{part}.{name}", getattr(getattr(config, part), name), least, most
    for name, model in config.models.items():
        yield f"models.{name}.context_tokens", model.context_tokens, 1024, 10**9
        yield f"models.{name}.bytes_per_token", model.bytes_per_token, 1, 100
        yield f"models.{name}.max_concurrency", model.max_concurrency, 1, 10_000
        yield f"models.{name}.temperature", model.temperature, 0, 100
        for number, tier in enumerate(model.price.tiers):
            for key, value in asdict(tier).items():
                yield f"models.{name}.price.tiers[{number}].{key}", value, 0, 10**9


def _check_models(config: RunConfig) -> None:
    asking = [name for name, agent in config.agents.items() if agent.kind.asks_a_model]
    if asking and not config.models:
        raise BadInput(f"config: model: agent {asking[0]!r} needs one, for instance model=local")
    played = {agent.kind for agent in config.agents.values() if agent.kind.plays}
    if len(played) != (config.replay_from is not None):
        raise BadInput(
            "config: agent=replay and from=results/... go together, and so do agent=predictions and"
            " from=FILE"
        )
    for scope in config.scopes:
        choose("scope", scope, ["all", "own"], "config: scopes")
    for dose in config.doses:
        choose("dose", str(dose), ["0", "1", "2"], "config: doses")
    for budget in config.context_budgets:
        choose("budget", budget, list(CONTEXT_BUDGETS), "config: context_budgets")
    for name, model in config.models.items():
        choose("wire", model.wire, list(WIRES), f"config: models.{name}.wire")
        refuse(name, model)
        _check_thinking(config, name, model)
        if model.price.tiers and not (model.price.source and model.price.date):
            raise BadInput(f"config: models.{name}.price: say its source and date")
        if asking:
            _check_limits_in_usd(config, name, model)


def _check_limits_in_usd(config: RunConfig, name: str, model: ModelConfig) -> None:
    """Where nothing has a price, such a limit would hold nothing, and nobody would be told."""
    for key in ("usd", "study_usd"):
        limit = getattr(config.budget, key)
        if limit is not None and not model.price.tiers:
            other = key.replace("usd", "tokens")
            raise BadInput(
                f"config: budget.{key}={limit:g}: cannot stop models.{name}, which has no"
                f" price.tiers; give it some, or use budget.{other}"
            )


def _check_thinking(config: RunConfig, name: str, model: ModelConfig) -> None:
    """A budget of thinking is a part of the answer, whose bound the context budget lowers."""
    for budget in config.context_budgets:
        _, most = config.budget.sizes(budget, model.context_tokens)
        if model.thinking_tokens is not None and model.thinking_tokens >= most:
            raise BadInput(
                f"config: models.{name}.thinking_tokens={model.thinking_tokens}: must be less than"
                f" an answer may have, {most} (budget.max_output_tokens, context_budgets={budget})"
            )
