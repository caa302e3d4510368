"""Simulated trials, so that every figure can be seen with structure before anyone pays for tokens.

`python -m harness.analysis.simulated results/simulated` writes the study that the repository ships.
Nothing here was measured: every effect is stated below, and every row says `simulated`.
"""

import hashlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.special import expit

from harness.analysis.frame import read_trials, schema, write_file
from harness.analysis.order import FACTORS
from harness.analysis.simulated_tools import ELSEWHERE, MOST_TRIALS, USES, tool_uses
from harness.analysis.simulation import World
from harness.records import Record, ToolRecord, TrialRecord, columns
from harness.store import dump_json

Numbers = NDArray[np.float64]

FAMILY_CLASSES = dict(zip(range(1, 13), "LLLLIIIXXXXD", strict=True))
SIDES = (
    ("monolith", "all"),
    ("modular", "all"),
    ("microservices", "all"),
    ("microservices", "own"),
)
BUDGETS = ("32k", "128k", "full")

# Added to the logit of Resolved, by side and class: the effects that an analysis must find.
EFFECTS = {
    ("monolith", "all"): {"L": 0.0, "I": 0.0, "X": 0.0, "D": 0.0},
    ("modular", "all"): {"L": 0.15, "I": 0.45, "X": -0.10, "D": 0.10},
    ("microservices", "all"): {"L": 0.10, "I": 0.40, "X": -1.00, "D": -0.60},
    ("microservices", "own"): {"L": 0.35, "I": 0.75, "X": -1.30, "D": -0.80},
}
# Added where the budget is small, the more the larger the app; a service needs less of it.
SMALL_BUDGET = {"32k": -1.0, "128k": -0.35, "full": 0.0}
NEED = {"monolith": 1.0, "modular": 0.85, "microservices": 0.45}
# Tokens of a trial, thousands, in the middle of their distribution; and how much more a side needs.
TOKENS = 60.0
MORE_TOKENS = {
    ("monolith", "all"): {"L": 1.0, "I": 1.0, "X": 1.0, "D": 1.0},
    ("modular", "all"): {"L": 0.95, "I": 0.9, "X": 1.05, "D": 1.0},
    ("microservices", "all"): {"L": 1.0, "I": 0.9, "X": 1.6, "D": 1.5},
    ("microservices", "own"): {"L": 0.6, "I": 0.6, "X": 1.2, "D": 1.3},
}
NEW_EDGES = {
    ("monolith", "all"): {"L": 0.0, "I": 0.0, "X": 0.6, "D": 0.0},
    ("modular", "all"): {"L": 0.0, "I": 0.0, "X": 0.4, "D": 0.0},
    ("microservices", "all"): {"L": 0.0, "I": 0.0, "X": 0.3, "D": 0.0},
    ("microservices", "own"): {"L": 0.0, "I": 0.0, "X": 0.3, "D": 0.0},
}
"""the chance that a trial makes a context ask one more, by side and class"""
FAILING = {
    "L": (4, 2, 3, 1, 0.2),
    "I": (3, 3, 2, 1, 0.2),
    "X": (3, 1, 2, 4, 0.2),
    "D": (5, 2, 2, 0.5, 0.2),
}
"""how often each of FACTORS fails first, by class; contracts are broken across services"""
LOST = 0.006


@dataclass(frozen=True)
class Model:
    """A language model that nobody sells."""

    name: str
    ability: float
    """added to the logit"""
    usd: tuple[float, float]
    """per million tokens of input and of output"""


MODELS = (
    Model("simulated-large", 0.9, (5.0, 25.0)),
    Model("simulated-medium", 0.1, (1.0, 5.0)),
    Model("simulated-small", -0.9, (0.15, 0.6)),
)


@dataclass(frozen=True)
class Size:
    """How many of everything; `repeats` of each cell."""

    apps: int = 12
    models: tuple[Model, ...] = MODELS
    repeats: int = 1
    seed: int = 20260101


def simulate(size: Size) -> pd.DataFrame:
    """The trials of a simulated study, controls first, with the columns of `TrialRecord`."""
    rng = np.random.default_rng(size.seed)
    frame = _cells(size)
    truth = _truth(frame, size, rng)
    drawn = _with_identity(_drawn(frame, truth, rng), size.seed)
    controls = _with_identity(_controls(size), size.seed + 1)
    return _typed(pd.concat([controls, drawn], ignore_index=True))


def write(folder: Path, size: Size) -> list[Path]:
    """Write trials.parquet, tools.parquet, the truth and a page that says what this is."""
    trials = simulate(size)
    tools = tool_uses(trials, size.seed)
    truth = {
        "simulated": True,
        "seed": size.seed,
        "spreads_logit": vars(World()),
        "effects_logit": {f"{arm}:{scope}": by for (arm, scope), by in EFFECTS.items()},
        "small_budget_logit": SMALL_BUDGET,
        "need_of_budget": NEED,
        "new_edges": {f"{arm}:{scope}": by for (arm, scope), by in NEW_EDGES.items()},
        "models": [vars(model) for model in size.models],
        "uses_of_tools": {name: vars(use) for name, use in USES.items()},
        "looks_elsewhere": ELSEWHERE,
    }
    return [
        write_file(folder / "trials.parquet", _parquet(trials, TrialRecord)),
        write_file(folder / "tools.parquet", _parquet(tools, ToolRecord)),
        write_file(folder / "truth.json", dump_json(truth)),
        write_file(folder / "README.md", _ABOUT),
    ]


def _parquet(frame: pd.DataFrame, kind: type[Record]) -> bytes:
    table = pa.Table.from_pandas(frame, schema=schema(kind), preserve_index=False)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


_ABOUT = f"""# Simulated results

No language model was asked and no app was run: these trials are drawn from the model in
`truth.json` by `python -m harness.analysis.simulated results/simulated`, so that figures and
tables can be seen with structure. Never quote a number from here.

`tools.parquet` has the uses of tools of the trials of models, the first {MOST_TRIALS:,} of them
where a study is larger. They are drawn apart: only how many there are is the trials'.
"""


def _cells(size: Size) -> pd.DataFrame:
    """The design: every combination, as plain columns."""
    names = ["app_number", "family_number", "side", "budget", "model_number", "repeat"]
    levels = [
        range(size.apps), range(1, 13), range(len(SIDES)), range(len(BUDGETS)),
        range(len(size.models)), range(size.repeats),
    ]  # fmt: skip
    grids = np.meshgrid(*(np.array(level) for level in levels), indexing="ij")
    frame = pd.DataFrame({name: grid.ravel() for name, grid in zip(names, grids, strict=True)})
    return _named(frame, size)


def _named(frame: pd.DataFrame, size: Size) -> pd.DataFrame:
    app = np.array([f"sim{n:02d}" for n in range(size.apps)], object)[frame["app_number"]]
    family = frame["family_number"].to_numpy()
    families = np.array([str(n) for n in range(13)], object)[family]
    classes = np.array(["", *FAMILY_CLASSES.values()], object)[family]
    arms, scopes = (np.array(part, object) for part in zip(*SIDES, strict=True))
    return frame.assign(
        pair=app,
        app=app,
        family=families,
        task_class=classes,
        task=pd.Series(app) + "/task-" + pd.Series(families),
        target_contexts="core",
        arm=arms[frame["side"]],
        scope=scopes[frame["side"]],
        app_code_lines=(
            _lines(size)[frame["app_number"]] * (1 + 0.15 * (frame["side"] > 1))
        ).astype(int),
        context_budget=np.array(BUDGETS, object)[frame["budget"]],
    )


def _lines(size: Size) -> Numbers:
    """Code lines of each app, from 2,000 to 200,000 in equal steps of their logarithm."""
    return np.round(np.geomspace(2000, 200_000, size.apps), -2)


def _truth(frame: pd.DataFrame, size: Size, rng: np.random.Generator) -> Numbers:
    """The chance of Resolved of every trial."""
    world = World()
    shape = (size.apps, 13, len(SIDES))
    by_app = rng.normal(0, world.app, shape[:1])[frame["app_number"]]
    by_task = rng.normal(0, world.task, shape[:2])[frame["app_number"], frame["family_number"]]
    half = 1 / np.sqrt(2)
    app_arm = rng.normal(0, world.app_by_arm * half, (size.apps, len(SIDES)))
    task_arm = rng.normal(0, world.task_by_arm * half, shape)
    arms = app_arm[frame["app_number"], frame["side"]]
    arms = arms + task_arm[frame["app_number"], frame["family_number"], frame["side"]]
    ability = np.array([model.ability for model in size.models])[frame["model_number"]]
    large = np.log10(_lines(size) / 2000)[frame["app_number"]]
    need = frame["arm"].map(NEED).to_numpy(float) * np.where(frame["scope"] == "own", 0.5, 1.0)
    budget = frame["context_budget"].map(SMALL_BUDGET).to_numpy(float) * large * need
    effect = _look_up(EFFECTS, frame)
    chance: Numbers = expit(
        0.55 + ability + effect + budget - 0.15 * large + by_app + by_task + arms
    )
    return chance


def _look_up(table: dict[tuple[str, str], dict[str, float]], frame: pd.DataFrame) -> Numbers:
    grid = np.array([[table[side][c] for c in "LIXD"] for side in SIDES])
    place = pd.Series(range(4), index=list("LIXD")).reindex(frame["task_class"]).to_numpy()
    found: Numbers = grid[frame["side"].to_numpy(), place]
    return found


def _drawn(frame: pd.DataFrame, chance: Numbers, rng: np.random.Generator) -> pd.DataFrame:
    """Outcomes, effort and cost of the trials of models."""
    n = len(frame)
    is_lost = rng.random(n) < LOST
    resolved = (rng.random(n) < chance) & ~is_lost
    capped = ~resolved & (rng.random(n) < 0.12)
    frame = frame.assign(
        agent="tool_loop",
        model=np.array([m.name for m in MODELS], object)[frame["model_number"] % len(MODELS)],
        status=np.where(is_lost, "lost", "scored"),
        failure_cause=pd.Series("provider", index=frame.index).where(is_lost),
        resolved=resolved,
        agent_ending=np.where(capped, "tokens", "submitted"),
        **_factors(frame, resolved, is_lost, rng),
    )
    return frame.assign(**_tokens(frame, rng), **_churn(frame, rng), **_quality(frame, rng))


def _factors(
    frame: pd.DataFrame, resolved: NDArray[np.bool_], is_lost: NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """One factor fails in each unresolved trial; none has evidence in a lost one."""
    weights = np.array([FAILING[c] for c in "LIXD"], float)
    place = pd.Series(range(4), index=list("LIXD")).reindex(frame["task_class"]).to_numpy()
    chosen = weights[place]
    chosen[:, 3] *= np.where(frame["arm"] == "microservices", 1.5, 0.5)
    edges = np.cumsum(chosen / chosen.sum(axis=1, keepdims=True), axis=1)
    failing = (rng.random((len(frame), 1)) > edges[:, :-1]).sum(axis=1)
    found: dict[str, Any] = {}
    for number, factor in enumerate(FACTORS):
        holds = pd.array(resolved | (failing != number), dtype="boolean")
        holds[is_lost] = pd.NA
        found[factor] = holds
    collateral = np.where(resolved, 0.0, rng.beta(1, 6, len(frame)))
    scoped = np.where(frame["arm"] == "microservices", 0.4, 1.0)
    found["collateral_break_share"] = np.where(is_lost, np.nan, collateral * scoped)
    return found


def _tokens(frame: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    total = 1000 * TOKENS * _look_up(MORE_TOKENS, frame) * rng.lognormal(0, 0.5, len(frame))
    total = np.where(frame["context_budget"] == "32k", 0.8, 1.0) * total
    read, written = (total * 0.62).astype(int), (total * 0.1).astype(int)
    fresh = (total * 0.2).astype(int)
    output = (total * 0.08).astype(int)
    prices = np.array([model.usd for model in MODELS])[frame["model_number"] % len(MODELS)]
    cost = (fresh + 0.1 * read + 1.25 * written) * prices[:, 0] + output * prices[:, 1]
    return {
        "input_tokens": fresh + read + written,
        "fresh_input_tokens": fresh,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": output,
        "reasoning_tokens": (output * 0.4).astype(int),
        "cost_usd": cost / 1e6,
        "model_calls": (total / 4000).astype(int) + 1,
        "tool_calls": (total / 4500).astype(int),
        "agent_seconds": total / 150,
    }


def _churn(frame: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    domain = rng.lognormal(3.6, 0.5, len(frame)).astype(int)
    across = (frame["task_class"] == "X").to_numpy(bool)
    services = (frame["arm"] == "microservices").to_numpy(bool)
    glue = (rng.lognormal(2.2, 0.6, len(frame)) * np.where(across & services, 3.0, 1.0)).astype(int)
    contexts = 1 + across * (1 + rng.poisson(0.5 + 0.6 * services))
    return {
        "domain_lines_changed": domain,
        "glue_lines_changed": glue,
        "contexts_changed": contexts,
        "files_changed": contexts + rng.poisson(1.0, len(frame)),
        "lines_added": domain + glue,
        "lines_deleted": domain // 2,
        "code_lines_added": domain,
        "code_lines_deleted": glue,
        "churn_ratio": rng.lognormal(0.1, 0.3, len(frame)),
    }


def _quality(frame: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Changes in quality: new edges where contexts meet, less complexity wherever work was done."""
    across = (frame["task_class"] == "X").to_numpy(bool)
    n = len(frame)
    edges = np.where(across, rng.binomial(1, _look_up(NEW_EDGES, frame)), 0)
    mutual = edges * rng.binomial(1, 0.1, n)
    simpler = -rng.gamma(2.0, 1.0, n)
    return {
        "propagation_cost_change": edges / 36,
        "dependencies_change": edges,
        "mutual_pairs_change": mutual,
        "circular_contexts_change": 2 * mutual,
        "afferent_change": edges * rng.binomial(1, 0.5, n),
        "efferent_change": edges,
        "instability_change": edges / 8,
        "complexity_change": np.round(3 * simpler).astype(int),
        "complexity_mean_change": simpler,
        "complexity_max_change": np.round(2 * simpler).astype(int),
        "cohesion_lack_change": rng.normal(0.0, 0.3, n),
        "repeated_lines_change": rng.poisson(1.0, n) - rng.poisson(1.0, n),
    }


def _controls(size: Size) -> pd.DataFrame:
    """Every control on every task and arm, each as it must be."""
    frame = _cells(Size(size.apps, (size.models[0],), 1, size.seed))
    frame = frame[(frame["budget"] == 2) & (frame["scope"] == "all")]
    frames = []
    for agent in ("oracle", "nop", "sabotage"):
        part = frame.assign(agent=agent, model=None, status="scored", resolved=agent == "oracle")
        turn = (part["family_number"] + part["side"] * 2) % len(FACTORS)
        expected = np.array(FACTORS, object)[turn]
        for factor in FACTORS:
            fails = expected == factor if agent == "sabotage" else factor == "structure"
            part[factor] = ~np.broadcast_to(fails, len(part)) | (agent == "oracle")
        part["expected_factor"] = expected if agent == "sabotage" else None
        frames.append(part)
    return pd.concat(frames, ignore_index=True)


def _with_identity(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Ids that differ for every row, and the marks that say what this is."""
    start = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:5], "big")
    ids = [f"{start:010x}{number:06x}" for number in range(len(frame))]
    return frame.assign(
        trial_id=ids,
        cell_id=ids,
        variant=None,
        seed=seed,
        attempt=1,
        isolation="simulated",
        image_digest="simulated",
        plan_digest="simulated",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Every column of `TrialRecord`, absent ones null or zero, in its dtype."""
    types: dict[str, Any] = {
        "bool": "boolean",
        "int64": "Int64",
        "float64": "Float64",
        "string": "string",
    }
    made = {}
    for column in columns(TrialRecord):
        empty = pd.NA if column.nullable else (0 if column.dtype in {"int64", "float64"} else "")
        values = frame.get(column.name, pd.Series(empty, index=frame.index))
        if column.dtype != "datetime":
            if not column.nullable and column.dtype in {"int64", "float64"}:
                values = values.fillna(0)
            values = values.astype(types[column.dtype])
        made[column.name] = values
    return pd.DataFrame(made)


if __name__ == "__main__":
    for path in write(Path(sys.argv[1]), Size()):
        sys.stdout.write(f"{path}\n")
    read_trials(Path(sys.argv[1]))
