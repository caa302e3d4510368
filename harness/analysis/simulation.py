"""Studies whose truth is known: drawn from a stated model with stated effects.

The logit of a trial's chance is a sum of an intercept for its arm and normal deviates of the app,
the task, the app on that arm and the task on that arm (the model behind SCIENCE.md's power table).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from harness.analysis.estimate.clusters import Array

_NODES = 60


@dataclass(frozen=True)
class World:
    """The truth that studies are drawn from; spreads are standard deviations of logits."""

    base: float = 0.60
    """chance of Resolved on the subtrahend, mean over apps and tasks"""
    effect: float = 0.0
    """minuend less subtrahend, in pp: what an estimator must find"""
    app: float = 0.5
    task: float = 1.2
    app_by_arm: float = 0.2
    """of the difference between two arms of an app: half of its variance on each"""
    task_by_arm: float = 0.6
    """of the difference between two arms of a task"""

    @cached_property
    def intercepts(self) -> tuple[float, float]:
        """Of minuend and subtrahend, so that the means over all deviates are as stated."""
        by_arm = (self.app_by_arm**2 + self.task_by_arm**2) / 2
        spread = float(np.sqrt(self.app**2 + self.task**2 + by_arm))
        return intercept(self.base + self.effect / 100, spread), intercept(self.base, spread)


@dataclass(frozen=True)
class Design:
    """How large a study is."""

    apps: int
    tasks: int = 12
    """of each app"""
    repeats: int = 3
    """of each task on each arm"""


def draw(world: World, design: Design, studies: int, seed: int) -> NDArray[np.int64]:
    """Resolved trials, shape (studies, 2, apps, tasks): minuend first, of `repeats` each."""
    rng = np.random.default_rng(seed)
    apps, tasks = (studies, 1, design.apps, 1), (studies, 1, design.apps, design.tasks)
    common = rng.normal(0, world.app, apps) + rng.normal(0, world.task, tasks)
    per_app, per_task = (studies, 2, design.apps, 1), (studies, 2, design.apps, design.tasks)
    arms = rng.normal(0, world.app_by_arm / np.sqrt(2), per_app)
    arms = arms + rng.normal(0, world.task_by_arm / np.sqrt(2), per_task)
    intercepts = np.reshape(world.intercepts, (1, 2, 1, 1))
    chance = expit(intercepts + common + arms)
    resolved: NDArray[np.int64] = rng.binomial(design.repeats, chance)
    return resolved


def app_means(resolved: NDArray[np.int64], repeats: int) -> Array:
    """The clusters' means in pp, shape (studies, apps), as `pairing.by_app` gives for one study."""
    shares = 100 * resolved / repeats
    means: Array = (shares[:, 0] - shares[:, 1]).mean(axis=-1)
    return means


def intercept(share: float, spread: float) -> float:
    """The logit whose mean chance under normal deviates of `spread` is `share`."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    return float(brentq(lambda b: float(weights @ expit(b + spread * nodes)) - share, -20, 20))
