"""The lock: everything that can change a result, by name, and what a plan says of it."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness import agents, llm, scoring
from harness.agents.prompting import prompt_digests
from harness.config import (
    AgentKind,
    RunConfig,
    SandboxConfig,
    SandboxKind,
    VerificationConfig,
)
from harness.errors import BadInput
from harness.llm.settings import sdk_versions
from harness.pairs import Pair
from harness.paths import RunPaths
from harness.plan import Plan, Study, expand, read_plan
from harness.scoring import job
from harness.verifier import globs, reach

SCORERS = Path(scoring.__file__).parent
ASKING = {"scaffolds": Path(agents.__file__).parent, "llm": Path(llm.__file__).parent}
"""The code that makes a model's requests and reads its answers, recorded ones too."""
SHOWING = {"globs": globs, "reach": reach}
"""Parts of the verifier by which scaffolds choose the files that a model is shown."""
CHANGE_NO_RESULT = re.compile("attempts|study_.*")
"""Parts of a budget that say how far a study goes; they may be raised to go on."""


def lock(study: Study, image_digest: str, digest_folder: Callable[[Any], str]) -> dict[str, str]:
    """What can change a result, by name. `digest_folder` gives the digest of a folder's content."""
    locks = lock_judging(study, image_digest, digest_folder) | _values(study.config, "budget")
    asking = {
        name: agent.kind
        for name, agent in study.config.agents.items()
        if agent.kind.asks_a_model or agent.kind is AgentKind.replay
    }
    locks |= {f"agent/{name}": kind.value for name, kind in asking.items()}
    models = study.config.models
    locks |= {f"model/{name}": json.dumps(asdict(m), default=str) for name, m in models.items()}
    if asking:
        locks |= {name: digest_folder(folder) for name, folder in ASKING.items()}
        sources = {f"scaffolds/{name}": inspect.getsource(part) for name, part in SHOWING.items()}
        locks |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sources.items()}
        locks |= {f"prompt/{name}": found for name, found in prompt_digests().items()}
    if any(kind.asks_a_model for kind in asking.values()):  # a replay asks nobody
        locks |= {f"sdk/{name}": found for name, found in sdk_versions(models).items()}
    return locks | (_records(study) if AgentKind.replay in asking.values() else {})


def _records(study: Study) -> dict[str, str]:
    """What was said in each trial that is played again: ids do not tell one record from another."""
    source = RunPaths(Path(study.config.replay_from or ""))
    played = [cell.variant or "" for cell in expand(study) if cell.kind is AgentKind.replay]
    said = {trial: source.trial(trial).trajectory.read_bytes() for trial in played}
    return {f"record/{trial}": hashlib.sha256(text).hexdigest() for trial, text in said.items()}


def lock_judging(
    study: Study, image_digest: str, digest_folder: Callable[[Any], str]
) -> dict[str, str]:
    """The part of `lock` that a verdict on a patch depends on, whoever made the patch."""
    locks = {"image": image_digest, "isolation": study.config.sandbox.kind.value}
    locks |= {"verifier": job.verifier_digest(), "scoring": digest_folder(SCORERS)}
    for app in sorted({task.spec.app for task in study.tasks}):
        locks |= _app(study.pairs[app], digest_folder)
    locks |= {f"task/{task.id}": digest_folder(task.folder) for task in study.tasks}
    likes = {task.spec.like: task.words for task in study.tasks if task.spec.like}
    locks |= {f"task/{like}": digest_folder(words) for like, words in likes.items()}
    for dose, woven in study.doses.items():
        for task in woven.tasks:
            locks[f"app/{task.spec.app}@dose{dose}"] = digest_folder(
                woven.pairs[task.spec.app].folder
            )
            locks[f"task/{task.id}@dose{dose}"] = digest_folder(task.folder)
    return locks | _values(study.config, "sandbox", "verification")


def _app(pair: Pair, digest_folder: Callable[[Any], str]) -> dict[str, str]:
    """The folder of an app, and the suites that it has from another's."""
    suites = {"contract": pair.contract, "tests": pair.visible_tests}
    own = pair.folder.resolve()
    lent = {
        f"{suite}/{pair.app}": digest_folder(folder)
        for suite, folder in suites.items()
        if not folder.is_relative_to(own)
    }
    return {f"app/{pair.app}": digest_folder(pair.folder)} | lent


def _values(config: RunConfig, *parts: str) -> dict[str, str]:
    """Parts of a config as locks, without what changes no result."""
    found = {part: asdict(getattr(config, part)) for part in parts}
    return {
        part: json.dumps(
            {name: v for name, v in values.items() if not CHANGE_NO_RESULT.fullmatch(name)},
            default=str,
        )
        for part, values in found.items()
    }


def locked_sandbox(paths: RunPaths, plan: Plan) -> SandboxConfig:
    """The sandboxes that the trials of a plan ran in. Raises BadInput."""
    try:
        found = TypeAdapter(SandboxConfig).validate_json(plan.locks["sandbox"])
    except (KeyError, ValidationError):
        found = SandboxConfig()
    if not isinstance(found.kind, SandboxKind):
        raise BadInput(f"{paths.plan}: locks.sandbox: must hold kind and bounds")
    return found


def locked_verification(paths: RunPaths, plan: Plan) -> VerificationConfig:
    """The evidence that the trials of a plan were judged by. Raises BadInput."""
    try:
        found = TypeAdapter(VerificationConfig).validate_json(plan.locks["verification"])
    except (KeyError, ValidationError):
        found = VerificationConfig(starts=0)
    if min(found.starts, found.sequences) < 1:
        raise BadInput(f"{paths.plan}: locks.verification: must hold starts, sequences and seed")
    return found


def locked_plan(paths: RunPaths) -> Plan:
    """The plan of a results folder. Raises BadInput where there is none."""
    if (plan := read_plan(paths)) is None:
        raise BadInput(f"{paths.plan}: no plan there; is {paths.root} a results folder?")
    return plan
