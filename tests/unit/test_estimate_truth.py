"""What is estimated from trials, held to studies whose truth is known.

The estimates of a mean over apps have their tests at 4,000 studies (test_estimate_clusters.py).
Here are those that need more than a mean: classes at equal weight, differences of differences,
ratios, a logistic model, parts of a sum. Many studies lie in one frame, each under the name of a
model of its own, or with apps of its own.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.estimate import clusters
from harness.analysis.estimate.cost import cost
from harness.analysis.estimate.effects import Question
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.pairing import (
    Contrast,
    Side,
    by_app,
    class_balanced,
    differences,
)
from harness.analysis.estimate.parts import PARTS, decomposition, gaps_between
from harness.analysis.frame import to_frame
from harness.analysis.simulation import Design, World, draw
from harness.records import TrialRecord
from tests import records_factory as factory

SERVICES, MODULES, TANGLED = Side("microservices"), Side("modular"), Side("monolith")
DISTRIBUTED = Contrast(SERVICES, TANGLED)
DEARER = 1.4
"""services over monolith: what a trial costs"""
WORLD = World(base=0.55, effect=-12.0)
DESIGN = Design(apps=6, tasks=6, repeats=2)
STUDIES = 400


def trials(resolved: dict[Side, np.ndarray], repeats: int) -> pd.DataFrame:
    """Trials of many studies; a side's successes have the shape (studies, apps, tasks)."""
    template = to_frame(
        [factory.trial(agent="tool_loop", model="m", input_tokens=1000)], TrialRecord
    )
    sides = []
    for side, successes in resolved.items():
        place = np.indices((*successes.shape, repeats)).reshape(4, -1)
        study, app, task, repeat = place
        name = pd.Series(app).map("app{:02}".format).astype("string")
        frame = template.loc[np.zeros(place.shape[1], int)].reset_index(drop=True)
        sides.append(
            frame.assign(
                model=pd.Series(study).map("study{:04}".format).astype("string"),
                pair=name, app=name, arm=side.arm, scope=side.scope,
                task=name + pd.Series(task).map("/task{:02}".format).astype("string"),
                repeat=repeat,
                resolved=pd.array(repeat < successes[study, app, task], dtype="boolean"),
            )
        )  # fmt: skip
    return pd.concat(sides, ignore_index=True)


def with_costs(found: pd.DataFrame, design: Design, seed: int) -> pd.DataFrame:
    """A cost for each trial: apps, tasks, arms and repeats spread it, services cost DEARER."""
    rng = np.random.default_rng(seed)
    study, app, task = (
        pd.factorize(found[name], sort=True)[0] for name in ("model", "app", "task")
    )
    arm = found["arm"].eq("microservices").to_numpy(int)
    studies, tasks = study.max() + 1, design.apps * design.tasks
    log = (
        rng.normal(0, 0.5, (studies, design.apps))[study, app]
        + rng.normal(0, 0.6, (studies, tasks))[study, task]
        + rng.normal(0, 0.3, (studies, design.apps, 2))[study, app, arm]
        + rng.normal(0, 0.3, (studies, tasks, 2))[study, task, arm]
        + rng.normal(0, 0.4, len(found))
        + np.log(DEARER) * arm
    )
    return found.assign(cost_usd=pd.array(np.exp(log), dtype="Float64"))


def two_sided(design: Design, studies: int, seed: int) -> pd.DataFrame:
    successes = draw(WORLD, design, studies, seed)
    sides = {SERVICES: successes[:, 0], TANGLED: successes[:, 1]}
    return trials(sides, design.repeats)


def cover(rows: pd.DataFrame, low: str, high: str, truth: float) -> float:
    """Share of the intervals that hold the truth, in percent; each study must have one."""
    assert rows[[low, high]].notna().all(axis=None)
    return 100 * float(((rows[low] <= truth) & (truth <= rows[high])).mean())


def costs(apps: int, studies: int) -> pd.DataFrame:
    design = replace(DESIGN, apps=apps)
    found = with_costs(two_sided(design, studies, 7), design, 8)
    rows = cost(found, Question(DISTRIBUTED, n_boot=1000), "cost_usd")
    return rows[rows["level"] != "pooled"]


@pytest.mark.long
@pytest.mark.parametrize("apps", [3, 6, 12])
def test_intervals_of_cost_ratios_hold_the_truth(apps):
    rows = costs(apps, STUDIES)
    assert len(rows) == STUDIES
    assert 91 <= cover(rows, "ratio_low", "ratio_high", DEARER) <= 99
    paid = DEARER * WORLD.base / (WORLD.base + WORLD.effect / 100)
    assert 90 <= cover(rows, "per_resolved_low", "per_resolved_high", paid) <= 99
    for column, truth in (("ratio", DEARER), ("per_resolved_ratio", paid)):
        logs = np.log(rows[column].to_numpy(float))
        error = logs.std(ddof=1) / np.sqrt(STUDIES)
        assert abs(logs.mean() - np.log(truth)) < 4 * error + 0.02


def test_resampled_apps_alone_cover_too_little():
    """Why the interval of a cost per resolved is by t: this check can fail."""
    rows = costs(6, STUDIES)
    paid = DEARER * WORLD.base / (WORLD.base + WORLD.effect / 100)
    assert cover(rows, "per_resolved_bca_low", "per_resolved_bca_high", paid) < 90


def test_swapping_arms_keeps_its_level_where_nothing_differs():
    successes = draw(World(base=0.55), DESIGN, STUDIES, 3)
    sides = {SERVICES: successes[:, 0], TANGLED: successes[:, 1]}
    rows = cost(trials(sides, DESIGN.repeats), Question(DISTRIBUTED, n_boot=100), "input_tokens")
    assert (rows["per_resolved_p"] < 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / STUDIES)


def test_marginal_effects_hold_the_truth():
    """A chance that is no logit of the arms' sum: what is asked for is the mean over apps."""
    found = two_sided(Design(12, tasks=6, repeats=2), 100, 5)
    rows = pd.concat(
        marginal_effects(study.assign(model="m"), DISTRIBUTED)
        for _, study in found.groupby("model")
    )
    assert len(rows) == 100
    assert cover(rows, "low", "high", WORLD.effect) >= 89
    assert abs(rows["effect"].mean() - WORLD.effect) < 4 * rows["effect"].std() / 10


@pytest.mark.long
def test_parts_hold_the_truth_and_sum_to_the_whole():
    """Modules 6 pp above the monolith, services 12 below it: each part has its own truth."""
    truth = {"boundary": 6.0, "distribution": -18.0, "sum": -12.0}
    assert set(truth) <= {*PARTS, "sum"}
    worlds = {SERVICES: WORLD, MODULES: World(base=WORLD.base, effect=6.0)}
    first = {side: draw(world, DESIGN, 50, 9) for side, world in worlds.items()}
    sides = {side: successes[:, 0] for side, successes in first.items()}
    found = trials(sides | {TANGLED: first[SERVICES][:, 1]}, DESIGN.repeats)
    asked = Question(DISTRIBUTED, n_boot=100)
    rows = pd.concat(
        decomposition(study.assign(model="m"), asked) for _, study in found.groupby("model")
    )
    for part, of_part in rows.groupby("level"):
        assert len(of_part) == 50
        assert cover(of_part, "low", "high", truth[part]) >= 86
        error = of_part["difference"].std() / np.sqrt(50)
        assert abs(of_part["difference"].mean() - truth[part]) < 4 * error
    whole = rows.pivot_table(index=np.repeat(range(50), 3), columns="level", values="difference")
    assert np.allclose(whole["boundary"] + whole["distribution"], whole["sum"])


MANY = 2000
CLASSES = np.array(list("LLLIXD"))
"""of an app's six tasks: weighed by task, L would count three times"""


def with_own_apps(resolved: np.ndarray, **level: str) -> pd.DataFrame:
    """Trials of many studies, one a cell; (studies, sides, apps, tasks), services first."""
    study, side, app, task = np.indices(resolved.shape).reshape(4, -1)
    apps, tasks = resolved.shape[2:]
    number = study * apps + app
    same = {"agent": "tool_loop", "model": "m", "context_budget": "full", "dose": "0",
            "family": "1", "scope": "all", "status": "scored"} | level  # fmt: skip
    names = {
        "app": (number, resolved.shape[0] * apps),
        "task": (number * tasks + task, resolved.shape[0] * apps * tasks),
    }
    return pd.DataFrame(
        {
            name: pd.Categorical.from_codes(codes, range(most))
            for name, (codes, most) in names.items()
        }
        | {"task_class": CLASSES[task], "arm": np.array([SERVICES.arm, TANGLED.arm])[side]}
        | {"resolved": pd.array(resolved.ravel() > 0, "boolean")}
    ).assign(**same)


def covered(means: pd.Series, truth: float) -> float:
    """Share of the 95% intervals of MANY studies that hold the truth, in percent."""
    found = clusters.estimate(means.to_numpy(float).reshape(MANY, -1))
    low, high = found.interval()
    assert found.value.mean() == pytest.approx(truth, abs=4 * found.value.std() / np.sqrt(MANY))
    return 100 * float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("apps", [6, 12, 24])
def test_intervals_of_the_one_named_test_hold_the_truth(apps):
    """Each class has an effect of its own; the truth is their mean, whatever tasks there are."""
    effect = {"L": 0.0, "I": 6.0, "X": -18.0, "D": -8.0}
    design = Design(apps, len(CLASSES), repeats=1)
    # The same seed: apps and tasks are the same in each draw, of which a class takes its tasks.
    of_class = {
        name: draw(World(base=0.55, effect=pp), design, MANY, 11) for name, pp in effect.items()
    }
    resolved = np.stack([of_class[name][..., task] for task, name in enumerate(CLASSES)], axis=-1)
    found = differences(with_own_apps(resolved), DISTRIBUTED)
    assert 93 <= covered(class_balanced(found), np.mean(list(effect.values()))) <= 97
    by_task = by_app(found).mean()
    assert by_task > np.mean(list(effect.values())) + 1, "by task, L counts three times"


@pytest.mark.long
@pytest.mark.parametrize("apps", [6, 12, 24])
@pytest.mark.parametrize(
    ("factor", "high", "low"), [("dose", "2", "0"), ("context_budget", "32k", "full")]
)
def test_intervals_of_differences_of_differences_hold_the_truth(factor, high, low, apps):
    """Services are 15 pp behind at the low level, and 6 ahead at the high one: 21 more."""
    design = Design(apps, len(CLASSES), repeats=1)
    levels = {high: World(base=0.55, effect=6.0), low: World(base=0.55, effect=-15.0)}
    trials = pd.concat(
        with_own_apps(draw(world, design, MANY, seed), **{factor: level})
        for seed, (level, world) in enumerate(levels.items())
    )
    found = gaps_between(trials, Question(DISTRIBUTED), factor, high, low)
    assert 93 <= covered(by_app(found), 21.0) <= 97
