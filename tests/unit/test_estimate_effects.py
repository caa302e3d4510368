"""From trials to effects: pairing, rules for lost trials, and sentences in place of numbers."""

import io
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from harness.analysis import comparison, summary
from harness.analysis.estimate import clusters, families, matched, repeats
from harness.analysis.estimate.cost import cost
from harness.analysis.estimate.effects import PRIMARY, Question, effect, effects
from harness.analysis.estimate.hypotheses import _coupling, counts, hypotheses
from harness.analysis.estimate.marginal import marginal_effects
from harness.analysis.estimate.pairing import (
    Contrast,
    Missing,
    Side,
    by_app,
    class_balanced,
    differences,
)
from harness.analysis.estimate.parts import decomposition, difference_in_differences
from harness.analysis.frame import to_frame
from harness.analysis.paper.cells import over_apps
from harness.analysis.simulation import Design, World, draw
from harness.errors import BadInput
from harness.records import TrialRecord
from tests import records_factory as factory

DISTRIBUTED = Contrast(Side("microservices"), Side("monolith"))
ASKED = Question(DISTRIBUTED, n_boot=500)
COUNT = 0


def some(app: str, arm: str, resolved: list[bool], **changes: object) -> list[TrialRecord]:
    """Repeats of one cell: task `t`, model `m` unless told otherwise."""
    task = changes.pop("task", "t")
    rows = []
    for repeat, value in enumerate(resolved):
        name = f"{app}|{task}|{arm}|{sorted(changes.items())}|{repeat}"
        values = {
            "trial_id": name, "pair": app, "app": app, "arm": arm, "task": f"{app}/{task}",
            "agent": "tool_loop", "model": "m", "repeat": repeat, "resolved": value,
            "input_tokens": 1000, "output_tokens": 100, "cost_usd": 0.5,
        }  # fmt: skip
        rows.append(factory.trial(**values | changes))
    return rows


def frame(*cells: list[TrialRecord]) -> pd.DataFrame:
    return to_frame([row for cell in cells for row in cell], TrialRecord)


def study(gaps: dict[str, tuple[int, int]], **changes: object) -> pd.DataFrame:
    """One task an app, ten repeats an arm: (resolved on microservices, on monolith)."""
    cells = []
    for app, (new, old) in gaps.items():
        cells.append(some(app, "microservices", [i < new for i in range(10)], **changes))
        cells.append(some(app, "monolith", [i < old for i in range(10)], **changes))
    return frame(*cells)


def reports_apps(trials: pd.DataFrame) -> set[int]:
    """How many clusters the other analyses say that there are."""
    overview = summary.differences(trials)["apps"]
    return {int(apps) for apps in [*overview, *marginal_effects(trials, DISTRIBUTED)["apps"]]}


APPS = {name: (4 + i % 3, 6 + i % 2) for i, name in enumerate("abcdefg")}


def interval_of_scipy(gaps: list[float], level: float) -> tuple[float, float]:
    """The t interval of the mean of the apps' gaps."""
    found = stats.ttest_1samp(gaps, 0).confidence_interval(level)
    return found.low, found.high


def tost_of_scipy(gaps: list[float], margin: float = 10.0) -> float:
    """The larger p of the two one-sided t tests of the apps' gaps, in pp as the margin is."""
    above = stats.ttest_1samp(gaps, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(gaps, margin, alternative="less").pvalue
    return max(above, below)


class TestPairing:
    def test_a_task_counts_once_whatever_its_repeats(self):
        trials = frame(
            some("a", "microservices", [True] * 9), some("a", "monolith", [False] * 2),
            some("a", "microservices", [False], task="u"), some("a", "monolith", [True], task="u"),
        )  # fmt: skip
        assert by_app(differences(trials, DISTRIBUTED)).to_dict() == {"a": 0.0}

    def test_apps_of_one_behaviour_are_one_cluster(self):
        """Two pairs of one behaviour: their tasks are averaged first, and count as one app."""
        apart = study({"a": (9, 5), "b": (9, 5), "c": (2, 4)})
        together = apart.assign(behaviour_of=apart["app"].replace({"b": "a"}))
        assert by_app(differences(apart, DISTRIBUTED)).to_dict() == {"a": 40, "b": 40, "c": -20}
        found = differences(together, DISTRIBUTED)
        assert by_app(found).to_dict() == {"a": 40, "c": -20}
        row = effect(found, ASKED)
        assert (row.apps, row.tasks, row.difference) == (2, 3, 10)
        assert cost(together, ASKED, "cost_usd").iloc[-1]["apps"] == 2
        assert reports_apps(together) == {2}
        # A null is an app of its own, as in records from before.
        unknown = apart.assign(behaviour_of=pd.NA)
        assert effect(differences(unknown, DISTRIBUTED), ASKED).apps == 3

    def test_pass_at_k_and_figures_average_within_a_behaviour(self):
        trials = study({"a": (10, 0), "b": (10, 0), "c": (0, 0)})
        trials = trials.assign(behaviour_of=trials["app"].replace({"b": "a"}))
        found = repeats.reliability(trials, 1).set_index("arm")
        assert found.loc["microservices", "pass_at_k"] == 0.5
        shown = over_apps(trials, "resolved", ["arm"]).set_index("arm")
        assert shown.loc["microservices", "resolved"] == 0.5

    def test_a_task_with_one_arm_is_no_pair(self):
        trials = frame(some("a", "microservices", [True]), some("b", "monolith", [True]))
        assert differences(trials, DISTRIBUTED).empty

    def test_scopes_are_sides_of_their_own(self):
        trials = frame(
            some("a", "microservices", [True], scope="own"),
            some("a", "microservices", [False]),
            some("a", "monolith", [False]),
        )
        own = Contrast(Side("microservices", "own"), Side("monolith"))
        assert differences(trials, own)["difference"].tolist() == [100.0]
        assert differences(trials, DISTRIBUTED)["difference"].tolist() == [0.0]

    def test_classes_weigh_the_same_where_asked(self):
        trials = frame(
            *(some("a", "microservices", [True], task=t, task_class="L") for t in "pqr"),
            *(some("a", "monolith", [False], task=t, task_class="L") for t in "pqr"),
            some("a", "microservices", [False], task_class="X"),
            some("a", "monolith", [False], task_class="X"),
        )
        found = differences(trials, DISTRIBUTED)
        assert (by_app(found)["a"], class_balanced(found)["a"]) == (75.0, 50.0)

    @pytest.mark.parametrize(
        ("rule", "difference"),
        [("fail", -50.0), ("exclude", 0.0), ("worst_low", -50.0), ("worst_high", 0.0)],
    )
    def test_lost_trials_count_by_the_rule(self, rule, difference):
        kept, gone = some("a", "microservices", [True, True])
        trials = frame([kept, factory.lost(gone)], some("a", "monolith", [True]))
        found = differences(trials, DISTRIBUTED, missing=Missing(rule))
        assert found["difference"].tolist() == [difference]
        counted = (2, 0) if rule == "exclude" else (3, 1)
        assert found[["trials", "lost"]].to_numpy().tolist() == [list(counted)]

    def test_worst_cases_bound_both_sides(self):
        """Of four trials an arm one is lost and two of the others are resolved."""
        cells = [
            some("a", arm, [False, True, True, False]) for arm in ("microservices", "monolith")
        ]
        trials = frame(*([factory.lost(first), *rest] for first, *rest in cells))
        low, high = (
            differences(trials, DISTRIBUTED, missing=rule).iloc[0]
            for rule in (Missing.worst_low, Missing.worst_high)
        )
        assert low[["minuend", "subtrahend", "difference"]].tolist() == [0.5, 0.75, -25.0]
        assert high[["minuend", "subtrahend", "difference"]].tolist() == [0.75, 0.5, 25.0]
        assert (low["lost"], high["lost"]) == (2, 2)

    def test_an_unknown_outcome_is_named(self):
        with pytest.raises(BadInput, match="outcome luck: no such column"):
            differences(study(APPS), DISTRIBUTED, "luck")


class TestEffects:
    def test_the_estimate_is_the_mean_of_the_apps(self):
        row = effect(differences(study(APPS), DISTRIBUTED), ASKED)
        expected = np.mean([10.0 * (new - old) for new, old in APPS.values()])
        assert row.difference == pytest.approx(expected)
        assert (row.apps, row.tasks, row.trials) == (7, 7, 140)
        assert row.low < row.difference < row.high
        assert row.note is None

    def test_every_number_of_a_row_is_that_of_the_apps(self):
        """Six apps whose gaps are known, of which the first has two tasks."""
        rest = {"b": (6, 4), "c": (5, 4), "d": (8, 2), "e": (2, 5), "f": (6, 1)}
        trials = pd.concat([study({"a": (9, 4)} | rest), study({"a": (5, 2)}, task="u")])
        row = effect(differences(trials, DISTRIBUTED), ASKED)
        gaps = [40.0, 20.0, 10.0, 60.0, -30.0, 50.0]
        assert (row.apps, row.tasks) == (6, 7)
        assert row.minuend == pytest.approx(100 * (7 + 6 + 5 + 8 + 2 + 6) / 60)
        assert row.subtrahend == pytest.approx(100 * (3 + 4 + 4 + 2 + 5 + 1) / 60)
        assert row.difference == pytest.approx(25.0)
        assert row.se == pytest.approx(stats.sem(gaps))
        assert (row.low, row.high) == pytest.approx(interval_of_scipy(gaps, 0.95))
        assert (row.low90, row.high90) == pytest.approx(interval_of_scipy(gaps, 0.90))
        assert row.p_t == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)
        assert row.p_equivalence == pytest.approx(tost_of_scipy(gaps))
        # All of one sign sum to 210 and these to 150: so do those that lack at most 30, which
        # are none, 10, 20, 30 and 10 with 20, and the same with the signs exchanged.
        assert row.p_sign_flip == 2 * 5 / 2**6

    def test_the_order_of_rows_changes_nothing(self):
        trials = study(APPS)
        shuffled = trials.sample(frac=1, random_state=1)
        one, other = effects(trials, ASKED, "model"), effects(shuffled, ASKED, "model")
        pd.testing.assert_frame_equal(one, other)

    def test_models_weigh_the_same_when_pooled(self):
        trials = pd.concat([
            study({"a": (10, 0), "b": (10, 0)}), study({"a": (0, 0), "b": (4, 0)}, model="n"),
        ])  # fmt: skip
        found = effects(trials, ASKED, "model").set_index("level")["difference"]
        assert found.to_dict() == {"m": 100.0, "n": 20.0, "pooled": 60.0}

    def test_a_gap_between_models_is_told(self):
        trials = pd.concat([study(APPS), study({"a": (0, 1)}, model="n")])
        assert "6 of 7 tasks lack a model" in effects(trials, ASKED, "model")["note"].iloc[-1]

    @pytest.mark.parametrize(
        ("gaps", "sentence"),
        [
            ({"a": (1, 2)}, "1 app: no interval across apps"),
            ({"a": (1, 2), "b": (3, 2), "c": (5, 2)}, "smallest possible two-sided p is 0.25"),
            ({"a": (10, 10), "b": (10, 10)}, "all resolved on both sides: a ceiling"),
            ({"a": (0, 0), "b": (0, 0)}, "none resolved on either side: a floor"),
            ({"a": (3, 2), "b": (4, 3)}, "all 2 apps differ by the same: no variance"),
            ({}, "no task has trials on both sides"),
        ],
    )
    def test_a_number_that_would_mislead_becomes_a_sentence(self, gaps, sentence):
        trials = study(gaps) if gaps else frame(some("a", "monolith", [True]))
        row = effect(differences(trials, DISTRIBUTED), ASKED)
        assert sentence in row.note
        assert (row.low is None) == ("smallest" not in sentence)


class TestParts:
    def test_sum_to_the_whole(self):
        sides = (("monolith", "all"), ("modular", "all"), ("microservices", "all"),
                 ("microservices", "own"))  # fmt: skip
        rng = np.random.default_rng(1)
        trials = frame(*(
            some(app, arm, list(rng.random(5) < 0.5), scope=scope)
            for app in "abcdef" for arm, scope in sides
        ), some("z", "monolith", [True]), some("z", "modular", [False]))  # fmt: skip
        found = decomposition(trials, ASKED).set_index("level")["difference"].astype(float)
        assert list(found.index) == ["boundary", "distribution", "scope", "sum"]
        assert found[:3].sum() == pytest.approx(found["sum"])

    def test_leave_scope_out_where_nobody_had_it(self):
        arms = ("monolith", "modular", "microservices")
        trials = frame(*(some(a, arm, [True, a == "a"]) for a in "ab" for arm in arms))
        assert decomposition(trials, ASKED)["level"].tolist() == ["boundary", "distribution", "sum"]

    def test_a_slope_is_a_difference_of_differences(self):
        cells = [
            study({"a": (8, 2), "b": (7, 2)}, context_budget="32k"),
            study({"a": (5, 5), "b": (5, 6)}),
        ]
        row = difference_in_differences(pd.concat(cells), ASKED, "context_budget", "32k", "full")
        assert row.difference == pytest.approx(60.0)
        assert (row.level, row.trials) == ("32k - full", 80)

    @pytest.mark.parametrize(
        ("rule", "difference", "lost"),
        [
            ("fail", 30.0, 4),
            ("exclude", 300 / 9, 0),
            ("worst_low", 10.0, 4),
            ("worst_high", 50.0, 4),
        ],
    )
    def test_a_slope_is_bounded_by_opposite_ends_of_its_terms(self, rule, difference, lost):
        """Services lead by 20 at 32k and trail by 10 at full; in each cell one trial is lost.

        So each of the two contrasts may be 10 points lower or higher.
        """
        cells = [study({"a": (8, 6)}, context_budget="32k"), study({"a": (5, 6)})]
        trials = pd.concat(cells, ignore_index=True)
        trials.loc[trials["repeat"] == 9, "status"] = "lost"
        asked = replace(ASKED, missing=Missing(rule))
        row = difference_in_differences(trials, asked, "context_budget", "32k", "full")
        assert (row.difference, row.lost) == (pytest.approx(difference), lost)
        table = comparison.compare(trials, "budget").sensitivity.set_index(["level", "missing"])
        told = table.loc[("32k - full", rule)]
        assert (told["difference"], told["lost"]) == (pytest.approx(difference), lost)

    def test_a_slope_without_its_cells_says_so(self):
        row = difference_in_differences(study(APPS), ASKED, "context_budget", "32k", "full")
        assert row.note == "no task has all four cells of context_budget 32k and full"


def swap_p_of_draws(sums: np.ndarray, seed: int) -> float:
    """The same p from 20,000 random swaps, worked out in the plainest way."""
    swaps = np.random.default_rng(seed).choice([False, True], size=(20_000, len(sums), 1))
    swapped = np.where(swaps, sums[:, [2, 3, 0, 1]], sums).sum(axis=1)
    logs, observed = (np.log(each) @ [1, -1, -1, 1] for each in (swapped, sums.sum(axis=0)))
    return float(np.mean(np.abs(logs) >= abs(observed) - 1e-9))


class TestCost:
    def test_ratios_are_of_geometric_means_within_tasks(self):
        trials = pd.concat([
            frame(some(app, "microservices", [True], input_tokens=4000 * (i + 1)),
                  some(app, "monolith", [True], input_tokens=1000 * (i + 1)))
            for i, app in enumerate("abcd")
        ])  # fmt: skip
        row = cost(trials, ASKED, "input_tokens").iloc[0]
        assert row["ratio"] == pytest.approx(4.0)
        assert row["per_resolved_ratio"] == pytest.approx(4.0)

    def test_tokens_that_nobody_counted_have_no_part(self):
        """A patch made elsewhere has no ending of a model's work; what was never asked has one."""
        trials = study(APPS)
        uncounted = {"input_tokens": 0, "output_tokens": 0, "cost_usd": None}
        elsewhere, never_asked = (
            study(APPS, **uncounted, task="u", agent_ending=ending) for ending in (None, "context")
        )
        alone = cost(trials, ASKED, "output_tokens").iloc[-1]
        assert cost(pd.concat([trials, elsewhere]), ASKED, "output_tokens").iloc[-1].equals(alone)
        told = cost(pd.concat([trials, never_asked]), ASKED, "output_tokens").iloc[-1]
        assert told["tasks"] == 2 * alone["tasks"]

    def test_models_weigh_the_same_in_a_ratio_whatever_their_budgets(self):
        """Twice as dear in three budgets of one model, eight times in the one of the other."""
        trials = pd.concat([
            frame(some(app, "microservices", [True], model=model, context_budget=budget,
                       cost_usd=times * 0.5),
                  some(app, "monolith", [True], model=model, context_budget=budget))
            for app in "abc"
            for model, budget, times in (("m", "32k", 2), ("m", "128k", 2), ("m", "full", 2),
                                         ("n", "full", 8))
        ])  # fmt: skip
        rows = cost(trials, ASKED, "cost_usd").set_index("level")["ratio"]
        assert rows.to_dict() == pytest.approx({"m": 2.0, "n": 8.0, "pooled": 4.0})

    def test_what_cost_nothing_is_told_and_has_no_part_in_a_ratio(self):
        """The monolith's trials of one app all cost nothing, and one of another app's."""
        trials = study(APPS).assign(trial_id=[f"t{n}" for n in range(140)])
        monolith = trials["arm"] == "monolith"
        trials.loc[monolith, "cost_usd"] = 0.25
        first = (trials["app"] == "b") & (trials["repeat"] == 0)
        trials.loc[monolith & ((trials["app"] == "a") | first), "cost_usd"] = 0.0
        row = cost(trials, ASKED, "cost_usd").iloc[0]
        assert row["ratio"] == pytest.approx(2.0)
        assert pd.isna(row["note"])
        assert row["ratio_note"] == (
            "trials of 0, which the ratio leaves out: 11; with them 1 of 7 pairs of cells"
        )

    def test_failures_are_paid_for_by_what_was_resolved(self):
        row = cost(study(dict.fromkeys("abcdef", (5, 10))), ASKED, "cost_usd").iloc[0]
        assert (row["per_resolved_minuend"], row["per_resolved_subtrahend"]) == (1.0, 0.5)

    def test_the_ratio_of_costs_per_resolved_has_an_interval_over_apps(self):
        row = cost(study(APPS), ASKED, "cost_usd").iloc[0]
        resolved = np.array(list(APPS.values())).sum(axis=0)
        assert row["per_resolved_ratio"] == pytest.approx(resolved[1] / resolved[0])
        assert row["per_resolved_low"] < row["per_resolved_ratio"] < row["per_resolved_high"]

    def test_an_unknown_cost_is_no_cost(self):
        row = cost(study(APPS, cost_usd=None), ASKED, "cost_usd").iloc[0]
        assert row["note"] == "no task has a known quantity on both sides"

    def test_trials_at_a_cap_are_counted(self):
        row = cost(study(APPS, agent_ending="tokens"), ASKED, "cost_usd").iloc[0]
        assert (row["capped_minuend"], row["capped_subtrahend"]) == (100.0, 100.0)

    def test_only_endings_at_a_cap_are_counted_each_on_its_side(self):
        trials = study({"a": (5, 5)}, agent_ending="submitted")
        services = trials["arm"] == "microservices"
        trials.loc[services & (trials["repeat"] < 3), "agent_ending"] = "tokens"
        trials.loc[~services & (trials["repeat"] < 1), "agent_ending"] = "usd"
        row = cost(trials, ASKED, "cost_usd").iloc[0]
        assert (row["capped_minuend"], row["capped_subtrahend"]) == (30.0, 10.0)

    def test_what_lost_trials_spent_changes_no_number(self):
        """Were it counted, each number but those of tasks and apps would change."""
        kept = study(APPS, agent_ending="submitted")
        spent = study(dict.fromkeys(APPS, (10, 10)), agent_ending="tokens", cost_usd=1e6)
        gone = spent[(spent["repeat"] < 2) & (spent["arm"] == "microservices")]
        both = pd.concat([kept, gone.assign(status="lost")], ignore_index=True)
        found, wanted = (cost(trials, ASKED, "cost_usd") for trials in (both, kept))
        pd.testing.assert_frame_equal(found, wanted)

    def test_nothing_resolved_has_no_cost_of_a_resolved_task(self):
        row = cost(study({"a": (0, 3), "b": (0, 4)}), ASKED, "cost_usd").iloc[0]
        assert pd.isna(row["per_resolved_minuend"])
        assert "a side resolved nothing" in row["note"]

    def test_a_ratio_is_tested_by_swapping_its_sides_within_apps(self):
        """Of the 2^7 ways to name the sides, those whose ratio is at least as far from 1."""
        trials = study(APPS)
        row = cost(trials, ASKED, "cost_usd").iloc[0]
        resolved = np.array(list(APPS.values()), float)
        far = []
        for swaps in itertools.product([False, True], repeat=len(resolved)):
            new, old = np.where(np.array(swaps)[:, None], resolved[:, ::-1], resolved).sum(axis=0)
            far.append(abs(np.log(old / new)))
        assert row["per_resolved_p"] == np.mean(np.array(far) >= far[0] - 1e-12)
        assert row["per_resolved_p_adjusted"] == row["per_resolved_p"]

    def test_many_apps_are_swapped_at_random(self):
        gaps = {f"a{n:02}": (3 + n % 3, 5 + n % 2) for n in range(24)}
        sums = np.array([[10, new, 10, old] for new, old in gaps.values()], float)
        exact = clusters.swap_p(sums[:20])
        drawn = [swap_p_of_draws(sums[:20], seed) for seed in range(3)]
        assert exact == pytest.approx(np.mean(drawn), abs=0.005)
        assert clusters.swap_p(sums) <= 2 / 100_000

    def test_the_linearised_error_is_that_of_a_jackknife(self):
        """Both are consistent; with many apps they agree (Efron and Stein 1981)."""
        rng = np.random.default_rng(1)
        sums = rng.uniform(1, 2, (200, 4))
        logs = [np.log(np.delete(sums, n, axis=0).sum(axis=0)) @ [1, -1, -1, 1] for n in range(200)]
        jackknife = np.sqrt(199 * np.var(logs))
        assert clusters.log_ratio(sums).se == pytest.approx(jackknife, rel=0.02)


class TestDescriptions:
    def test_discordant_tasks_are_counted(self):
        trials = study({"a": (9, 1), "b": (9, 2), "c": (1, 8), "d": (9, 9), "e": (5, 1)})
        row = matched.matched(differences(trials, DISTRIBUTED), "model").iloc[0]
        assert row[["both", "only_minuend", "only_subtrahend", "neither", "tied"]].tolist() == [
            1, 2, 1, 0, 1,
        ]  # fmt: skip
        assert row["odds_ratio"] == 2.0

    @pytest.mark.parametrize(("b", "c"), [(10, 3), (3, 10), (5, 5), (1, 0)])
    def test_the_exact_p_is_statsmodels_mcnemar(self, b, c):
        from statsmodels.stats.contingency_tables import mcnemar

        theirs = mcnemar([[4, b], [c, 4]], exact=True).pvalue
        assert matched.exact_p(b, c) == pytest.approx(theirs)

    def test_pass_at_k_and_pass_hat_k_count_subsets(self):
        from itertools import combinations

        n, c, k = 6, 2, 3
        subsets = list(combinations([True] * c + [False] * (n - c), k))
        found = [
            f(pd.Series([n]), pd.Series([c]), k)[0] for f in (repeats.pass_at_k, repeats.pass_hat_k)
        ]
        assert found == pytest.approx(
            [np.mean([any(s) for s in subsets]), np.mean([all(s) for s in subsets])]
        )

    def test_reliability_leaves_out_cells_with_too_few_repeats(self):
        trials = frame(some("a", "monolith", [True, False]), some("b", "monolith", [True]))
        row = repeats.reliability(trials, 2).iloc[0]
        assert (row["cells"], row["pass_at_k"], row["pass_hat_k"]) == (1, 1.0, 0.0)

    @pytest.mark.parametrize(
        ("ours", "theirs"), [("holm", "holm"), ("benjamini_hochberg", "fdr_bh")]
    )
    def test_adjusted_p_are_statsmodels(self, ours, theirs):
        from statsmodels.stats.multitest import multipletests

        p = pd.Series([0.041, 0.001, None, 0.04, 0.2, 0.039], dtype="Float64")
        expected = multipletests(p.dropna().astype(float), method=theirs)[1]
        found = getattr(families, ours)(p)
        assert found.dropna().tolist() == pytest.approx(list(expected))
        assert found.isna().tolist() == p.isna().tolist()


class TestTheSecondaryModel:
    def test_gives_the_raw_difference_of_a_balanced_study(self):
        trials = pd.concat([study(APPS), study(APPS, task="x", task_class="X")])
        row = marginal_effects(trials, DISTRIBUTED).iloc[0]
        raw = effect(differences(trials, DISTRIBUTED), ASKED)
        assert row["effect"] == pytest.approx(raw.difference, abs=1e-6)
        assert row["se"] == pytest.approx(raw.se, rel=0.1)

    def test_takes_what_both_sides_share_out_of_the_error(self):
        """Hard and easy apps move both arms alike: the gap varies less than either side."""
        shared = {app: (2 + i, 3 + i - i % 2) for i, app in enumerate("abcdef")}
        row = marginal_effects(study(shared), DISTRIBUTED).iloc[0]
        raw = effect(differences(study(shared), DISTRIBUTED), ASKED)
        assert row["se"] == pytest.approx(raw.se, rel=0.15)

    @pytest.mark.parametrize(
        ("contrast", "mean"),
        [(DISTRIBUTED, 40 / 6), (Contrast(Side("monolith"), Side("microservices")), -40 / 6)],
    )
    def test_its_interval_p_and_margin_are_those_of_the_t_distribution(self, contrast, mean):
        """With one cell an arm in each app every app has the leverage 1/6 in either arm.

        Mancl and DeRouen divide what each app leaves by 1 - 1/6, so that the error of the mean gap
        is the plain one times the root of 6/5.
        """
        cells = {"a": (5, 4), "b": (6, 5), "c": (4, 4), "d": (7, 4), "e": (3, 4), "f": (5, 5)}
        gaps = [10.0, 10.0, 0.0, 30.0, -10.0, 0.0]
        row = marginal_effects(study(cells), contrast).iloc[0]
        se = stats.sem(gaps) * np.sqrt(6 / 5)
        assert (row["apps"], row["cells"]) == (6, 12)
        assert (row["effect"], row["se"]) == pytest.approx((mean, se))
        assert (row["low"], row["high"]) == pytest.approx(stats.t.interval(0.95, 5, mean, se))
        assert row["p"] == pytest.approx(2 * stats.t.sf(abs(mean) / se, 5))
        inside = stats.t.cdf((10 - mean) / se, 5) - stats.t.cdf((-10 - mean) / se, 5)
        assert row["within_margin"] == pytest.approx(inside)

    def test_gives_an_effect_a_class(self):
        lower = {app: (new - 3, old) for app, (new, old) in APPS.items()}
        trials = pd.concat([study(APPS), study(lower, task="x", task_class="X")])
        found = marginal_effects(trials, DISTRIBUTED).set_index("stratum")["effect"]
        assert found["task_class X"] == pytest.approx(found["task_class L"] - 30.0, abs=1e-6)

    def test_a_class_of_too_few_apps_moves_nothing_and_has_a_sentence(self):
        """Of one app the bias-reduced covariance is the rounding of a division by 0."""
        alone = study({"a": (2, 9)}, task="x", task_class="X")
        rows = marginal_effects(pd.concat([study(APPS), alone]), DISTRIBUTED).set_index("stratum")
        without = marginal_effects(study(APPS), DISTRIBUTED).iloc[0]
        assert list(rows.index) == ["pooled", "task_class X"]
        assert rows.loc["pooled", "se"] == pytest.approx(without["se"])
        assert rows.loc["pooled", "cells"] == without["cells"]
        assert rows.loc["pooled", "note"] == "without task_class X"
        assert rows.loc["task_class X", ["apps", "cells"]].tolist() == [1, 2]
        assert pd.isna(rows.loc["task_class X", "effect"])
        assert "1 app: a covariance" in rows.loc["task_class X", "note"]

    def test_what_only_a_rare_level_had_enough_apps_with_is_rare_too(self):
        """Class X is in four apps, in one of them with a model that no other app has."""
        some_apps = {app: APPS[app] for app in "abc"}
        trials = pd.concat([
            study(APPS), study(some_apps, task="x", task_class="X"),
            study({"d": (2, 9)}, task="x", task_class="X", model="n"),
        ])  # fmt: skip
        rows = marginal_effects(trials, DISTRIBUTED).set_index("stratum")
        assert rows["effect"].notna().to_dict() == {
            "pooled": True, "model n": False, "task_class X": False,
        }  # fmt: skip

    def test_nothing_is_fitted_where_every_level_is_rare(self):
        trials = pd.concat([
            study({app: APPS[app] for app in "abc"}),
            study({app: APPS[app] for app in "def"}, task="x", task_class="X"),
        ])  # fmt: skip
        (row,) = marginal_effects(trials, DISTRIBUTED).to_dict("records")
        assert "not fitted" in row["note"]

    def test_the_degrees_of_freedom_of_a_class_are_those_of_its_apps(self):
        held = {app: (APPS[app][0] - 2 - i % 2, APPS[app][1]) for i, app in enumerate("abcd")}
        trials = pd.concat([study(APPS), study(held, task="x", task_class="X")])
        row = marginal_effects(trials, DISTRIBUTED).set_index("stratum").loc["task_class X"]
        assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["effect"]) / row["se"], 3))
        ends = stats.t.interval(0.95, 3, row["effect"], row["se"])
        assert (row["low"], row["high"]) == pytest.approx(ends)

    @pytest.mark.parametrize(
        ("gaps", "sentence"),
        [({"a": (1, 2)}, "1 app: a covariance"), (dict.fromkeys("abcd", (0, 0)), "no variance")],
    )
    def test_says_why_it_gives_nothing(self, gaps, sentence):
        assert sentence in marginal_effects(study(gaps), DISTRIBUTED)["note"].iloc[0]


NAMES = ["H1", "H2", "H3", "H4", "H4 size", "H5", "H6", "H7", "H7 own"]


class TestHypotheses:
    def test_stand_in_order_and_say_what_is_missing(self):
        found = hypotheses(study(APPS, task_class="X"), ASKED)
        assert found["hypothesis"].tolist() == NAMES
        assert found.loc[found["estimate"].notna(), "hypothesis"].tolist() == ["H3", "H7"]
        assert found.loc[found["estimate"].isna(), "note"].notna().all()

    def test_are_one_family(self):
        trials = pd.concat([study(APPS, task_class="X"), study(APPS, task="d", task_class="D")])
        found = hypotheses(trials, ASKED).set_index("hypothesis")
        assert found["p"]["H3"] == found["p"]["H6"]
        tested = found["p"].notna()
        assert tested[tested].index.tolist() == ["H3", "H6", "H7"]
        assert found["p_adjusted"]["H3"] == pytest.approx(min(1, 3 * found["p"]["H3"]))

    def test_tokens_are_counted_for_each_resolved_task(self):
        """Services spend as much and resolve half as often: a resolved task takes twice as many."""
        gaps = {app: (3, 5 + 2 * (n % 2)) for n, app in enumerate("abcdef")}
        across = study(gaps, task_class="X")
        inside = pd.concat([
            frame(some(app, "microservices", [True, True], scope="own", input_tokens=400),
                  some(app, "monolith", [True, n % 2 == 0], input_tokens=900))
            for n, app in enumerate("abcdef")
        ])  # fmt: skip
        found = hypotheses(pd.concat([across, inside]), ASKED).set_index("hypothesis")
        assert found["estimate"]["H7"] == pytest.approx(2.0)
        assert found["low"]["H7"] < 2.0 < found["high"]["H7"]
        # 500 tokens a trial, all resolved, against 1,000 of which three of four are.
        assert found["estimate"]["H7 own"] == pytest.approx(0.5 * 0.75)
        assert found["p"]["H7 own"] == 2 / 2**6

    def test_a_patch_made_elsewhere_took_nobody_knows_how_many_tokens(self):
        """A model that was never asked, since nothing fitted, has an ending and took none."""
        gaps = {app: (3, 5 + 2 * (n % 2)) for n, app in enumerate("abcdef")}
        across = study(gaps, task_class="X")
        uncounted = {"input_tokens": 0, "output_tokens": 0, "task_class": "X", "task": "u"}
        elsewhere = study(gaps, **uncounted, model="p", cost_usd=None)
        never_asked = study(gaps, **uncounted, agent_ending="context")
        alone, both = (
            hypotheses(pd.concat(trials), ASKED).set_index("hypothesis").loc["H7"]
            for trials in ([across], [across, elsewhere])
        )
        assert both[["estimate", "p", "note"]].equals(alone[["estimate", "p", "note"]])
        assert counts(pd.concat([across, elsewhere, never_asked]), "H7").sum() == 240

    def test_breaks_outside_the_context_are_compared_in_own_scope(self):
        """Hypothesis 1: of class I and the share of broken tests, whatever else differs."""
        own, mono = [0.1, 0.0, 0.2, 0.1, 0.3], [0.4, 0.2, 0.3, 0.5, 0.2]
        cells = []
        for app, less, more in zip("abcde", own, mono, strict=True):
            for arm, scope, task_class, share in (
                ("microservices", "own", "I", less), ("monolith", "all", "I", more),
                ("microservices", "all", "I", 0.9), ("modular", "all", "I", 0.9),
                ("microservices", "own", "L", 0.9), ("monolith", "all", "L", 0.0),
            ):  # fmt: skip
                resolved = [True, scope == "own"]
                cells.append(some(app, arm, resolved, task=f"t{task_class}", scope=scope,
                                  task_class=task_class, collateral_break_share=share))  # fmt: skip
        found = hypotheses(frame(*cells), ASKED).set_index("hypothesis").loc["H1"]
        gaps = [-30.0, -20.0, -10.0, -40.0, 10.0]
        assert (found["apps"], found["estimate"]) == (5, pytest.approx(-18.0))
        assert (found["low"], found["high"]) == pytest.approx(interval_of_scipy(gaps, 0.95))
        # All of one sign sum to 110 and these to 90: so do those that lack at most 10, which are
        # none and either 10, and the same with the signs exchanged.
        assert found["p"] == 2 * 3 / 2**5

    def test_an_app_that_does_not_start_has_broken_all_of_it(self):
        """Two trials an arm broke 0.2 each; of the services, none to five more never started."""
        dead = {"status": "failed", "failure_cause": "app_did_not_start"}
        cells = []
        for n, app in enumerate("abcdef"):
            for arm, scope in (("microservices", "own"), ("monolith", "all")):
                told = {"scope": scope, "task_class": "I", "task": "tI"}
                cells.append(some(app, arm, [False, False], collateral_break_share=0.2, **told))
                if arm == "microservices":
                    cells.append(some(app, arm, [False] * n, repeat=9, collateral_break_share=None,
                                      **told | dead))  # fmt: skip
        trials = frame(*cells)
        found = hypotheses(trials, ASKED).set_index("hypothesis").loc["H1"]
        gaps = [100 * ((0.4 + n) / (2 + n) - 0.2) for n in range(6)]
        assert found["estimate"] == pytest.approx(np.mean(gaps))
        assert (found["low"], found["high"]) == pytest.approx(interval_of_scipy(gaps, 0.95))
        assert found["note"] == (
            "all broke where the app did not start: microservices (own) 15, monolith 0"
        )

    def test_trials_that_say_nothing_of_breaks_are_counted_by_arm(self):
        unknown = {"task_class": "I", "task": "tI"}
        cells = [
            cell
            for n, app in enumerate("abcdef")
            for arm, scope, share in (("microservices", "own", n / 10), ("monolith", "all", 0.5))
            for cell in (
                some(app, arm, [True], scope=scope, collateral_break_share=share, **unknown),
                some(app, arm, [False], scope=scope, status="failed", repeat=1,
                     failure_cause="patch_refused", **unknown),
            )
        ]  # fmt: skip
        gone = some("a", "monolith", [False], repeat=2, status="lost", collateral_break_share=0.5,
                    **unknown)  # fmt: skip
        elsewhere = some("a", "monolith", [False], repeat=3, collateral_break_share=None)
        found = hypotheses(frame(*cells, gone, elsewhere), ASKED).set_index("hypothesis").loc["H1"]
        assert found["estimate"] == pytest.approx(-25.0)
        assert found["note"] == (
            "left out, since lost or not counted: microservices (own) 6, monolith 7"
        )

    def test_a_small_budget_is_compared_with_a_full_one(self):
        """Hypothesis 4: services gain 60 points at 32k over full; 128k is no part of it."""
        trials = pd.concat([
            study({"a": (8, 2), "b": (7, 2), "c": (9, 2), "d": (6, 1)}, context_budget="32k"),
            study({"a": (5, 5), "b": (5, 5), "c": (5, 5), "d": (4, 5)}, context_budget="full"),
            study(dict.fromkeys("abcd", (0, 9)), context_budget="128k"),
        ])  # fmt: skip
        found = hypotheses(trials, ASKED).set_index("hypothesis").loc["H4"]
        assert (found["apps"], found["estimate"]) == (4, pytest.approx(60.0))
        ends = interval_of_scipy([60.0, 50.0, 70.0, 60.0], 0.95)
        assert (found["low"], found["high"]) == pytest.approx(ends)
        assert found["p"] == 2 / 2**4

    def test_modules_are_tested_for_equivalence_inside_a_context(self):
        """Hypothesis 5: of classes L and I, whose gaps are averaged within an app."""
        won = {  # by services and modules, of ten: on L, on I and on X
            "a": ((6, 5), (5, 5), (0, 9)), "b": ((4, 5), (6, 6), (0, 9)),
            "c": ((7, 7), (8, 6), (0, 9)), "d": ((5, 5), (3, 3), (0, 9)),
            "e": ((6, 4), (4, 5), (0, 9)), "f": ((8, 8), (7, 8), (0, 9)),
        }  # fmt: skip
        sides = ("microservices", "modular")
        cells = [
            some(app, arm, [i < number for i in range(10)], task=f"t{name}", task_class=name)
            for app, classes in won.items()
            for name, numbers in zip("LIX", classes, strict=True)
            for arm, number in zip((*sides, "monolith"), (*numbers, 1), strict=True)
        ]
        found = hypotheses(frame(*cells), ASKED).set_index("hypothesis").loc["H5"]
        gaps = [5.0, -5.0, 10.0, 0.0, 5.0, -5.0]
        assert (found["apps"], found["estimate"]) == (6, pytest.approx(10 / 6))
        assert (found["low"], found["high"]) == pytest.approx(interval_of_scipy(gaps, 0.90))
        assert found["p"] == pytest.approx(tost_of_scipy(gaps))

    def test_a_p_by_t_is_not_said_to_have_a_smallest_one(self):
        """Of few apps that p may be any; the p of sign flips may not."""
        won = {"a": 10, "b": 9, "c": 10, "d": 9}
        cells = [
            some(app, arm, [i < number for i in range(10)])
            for app, services in won.items()
            for arm, number in (("microservices", services), ("modular", 9), ("monolith", 3))
        ]
        trials = frame(*cells, some("a", "modular", [True], model="n"),
                       some("a", "microservices", [True], model="n"))  # fmt: skip
        fifth = hypotheses(trials, ASKED).set_index("hypothesis").loc["H5"]
        assert fifth["p"] < 0.125
        assert fifth["note"] == "3 of 4 tasks lack a model"
        row = marginal_effects(trials, DISTRIBUTED).iloc[0]
        assert row["p"] < 0.125
        assert pd.isna(row["note"])

    def test_a_slope_in_size_is_found_within_apps(self):
        """Each doubling adds 10 points; that larger apps are harder as a whole does not count."""
        trials = pd.concat([
            study({name: (3 + n % 2 + double, 3 + n % 2)}, behaviour_of=app, task=f"t{app}",
                  app_code_lines=1000 * 2**double)
            for n, app in enumerate("abcdef")
            for double, name in enumerate((app, f"{app}-large", f"{app}-huge"))
        ])  # fmt: skip
        found = hypotheses(trials, ASKED).set_index("hypothesis").loc["H4 size"]
        assert (found["apps"], found["estimate"]) == (6, pytest.approx(10.0))
        steep = study({"g": (2, 2)}, behaviour_of="g", task="tg", app_code_lines=1000)
        larger = study({"g-large": (6, 2)}, behaviour_of="g", task="tg", app_code_lines=4000)
        found = hypotheses(pd.concat([trials, steep, larger]), ASKED).set_index("hypothesis")
        assert found.loc["H4 size", "estimate"] == pytest.approx((6 * 10 + 20) / 7)
        assert found.loc["H4 size", ["low", "high"]].notna().all()

    def test_one_size_alone_is_said(self):
        row = hypotheses(study(APPS), ASKED).set_index("hypothesis").loc["H4 size"]
        assert row["note"] == "no task was set at two sizes of one app: not tested"


def dosed(worlds: dict[int, World], design: Design, seed: int) -> pd.DataFrame:
    """A study of services and monolith at each dose, drawn from the world of that dose."""
    parts = []
    for dose, world in worlds.items():
        (resolved,) = draw(world, design, 1, seed + dose)
        side, app, task = np.indices(resolved.shape)
        repeat = np.arange(design.repeats)
        rows = {
            "arm": np.array(["microservices", "monolith"])[side],
            "app": np.char.add("a", app.astype(str)),
            "task": np.char.add(np.char.add(np.char.add("a", app.astype(str)), "/t"),
                                task.astype(str)),
        }  # fmt: skip
        cells = pd.DataFrame({name: np.repeat(value.ravel(), len(repeat))
                              for name, value in rows.items()})  # fmt: skip
        parts.append(cells.assign(
            dose=dose, resolved=(repeat < resolved[..., None]).ravel(), agent="tool_loop",
            model="m", status="scored", scope="all", context_budget="full", task_class="L",
            family="1",
        ))  # fmt: skip
    return pd.concat(parts).astype({"resolved": "boolean", "dose": "Int64"})


class TestDose:
    DESIGN = Design(apps=8, tasks=6, repeats=2)

    def test_hypothesis_2_finds_what_was_put_in(self):
        """Services lead by 5 pp at dose 0, 13 at 1 and 21 at 2: 16 pp more, 8 a dose."""
        worlds = {dose: World(base=0.55, effect=5 + 8 * dose) for dose in (0, 1, 2)}
        studies = [dosed(worlds, self.DESIGN, 10 * n) for n in range(60)]
        rows = [_coupling(trials, ASKED) for trials in studies]
        found = np.array([row.estimate for row in rows], float)
        error = found.std(ddof=1) / np.sqrt(len(found))
        assert abs(found.mean() - 16) < 3 * error < 5
        covered = np.mean([row.low <= 16 <= row.high for row in rows])
        assert covered > 0.85

    def test_without_a_slope_it_finds_none(self):
        worlds = {dose: World(effect=12) for dose in (0, 2)}
        found = [_coupling(dosed(worlds, self.DESIGN, 10 * n), ASKED) for n in range(60)]
        assert np.mean([row.p < 0.05 for row in found]) < 0.15

    def test_doses_are_never_mixed_within_a_pair(self):
        trials = pd.concat([
            study(dict.fromkeys("abcdef", (9, 9)), dose=0),
            study({app: (9, 5 + n % 2) for n, app in enumerate("abcdef")}, dose=2),
        ])  # fmt: skip
        assert set(differences(trials, DISTRIBUTED)["difference"].round(6)) == {0.0, 30.0, 40.0}
        row = hypotheses(trials, ASKED).set_index("hypothesis").loc["H2"]
        assert row["estimate"] == pytest.approx(35.0)
        assert row["apps"] == 6

    def test_one_dose_alone_is_said(self):
        row = hypotheses(study(APPS, dose=2), ASKED).set_index("hypothesis").loc["H2"]
        assert row["note"] == "no trials at both doses of coupling, 0 and 2: not tested"


class TestWhatWouldMislead:
    def test_a_floor_of_one_level_is_no_floor_of_a_difference_of_differences(self):
        small = study(dict.fromkeys(APPS, (0, 0)), context_budget="32k")
        row = difference_in_differences(
            pd.concat([small, study(APPS)]), ASKED, "context_budget", "32k", "full"
        )
        assert row.note is None
        assert row.se > 0
        assert row.p_sign_flip is not None
        floors = pd.concat([small, study(dict.fromkeys(APPS, (0, 0)))])
        row = difference_in_differences(floors, ASKED, "context_budget", "32k", "full")
        assert (row.difference, row.se) == (0, None)
        assert row.note.startswith("none resolved")

    def test_an_outcome_that_is_no_resolved_has_no_floor_of_resolved(self):
        trials = study(APPS).assign(
            collateral_break_share=pd.array([0.0] * (20 * len(APPS)), "Float64")
        )
        asked = replace(ASKED, outcome="collateral_break_share")
        row = effect(differences(trials, DISTRIBUTED, "collateral_break_share"), asked)
        assert row.note == f"all {len(APPS)} apps differ by the same: no variance"

    def test_sides_that_resolve_all_or_none_have_no_logistic_estimate(self):
        trials = pd.concat([
            study(APPS, task="t", task_class="L"), study(dict.fromkeys(APPS, (0, 0)), task="u",
                                                         task_class="D"),
        ])  # fmt: skip
        rows = marginal_effects(trials, DISTRIBUTED).set_index("stratum")
        assert pd.isna(rows.loc["task_class D", "effect"])
        assert "no finite estimate" in rows.loc["task_class D", "note"]
        assert not pd.isna(rows.loc["task_class L", "effect"])
        (note,) = marginal_effects(study(dict.fromkeys(APPS, (10, 0))), DISTRIBUTED)["note"]
        assert note == "no variance: the cells of a side ended alike"

    def test_a_model_on_one_arm_alone_is_no_part_of_a_logistic_estimate(self):
        other = study(APPS, model="n")
        trials = pd.concat([study(APPS), other[other["arm"] == "monolith"]])
        rows = marginal_effects(trials, DISTRIBUTED).set_index("stratum")
        assert list(rows.index) == ["pooled"]
        assert rows.loc["pooled", "cells"] == 2 * len(APPS)

    def test_apps_that_differ_by_the_same_have_no_logistic_interval(self):
        trials = pd.concat([
            study(dict.fromkeys(APPS, (8, 6)), task="t"),
            study(dict.fromkeys(APPS, (4, 3)), task="u"),
        ])  # fmt: skip
        rows = marginal_effects(trials, DISTRIBUTED)
        assert rows["effect"].tolist() == pytest.approx([15.0])
        assert rows["p"].isna().all()
        assert rows["note"].str.contains("no variance").all()

    def test_ratios_that_are_the_same_but_for_rounding_have_no_interval(self):
        trials = study(APPS)
        dear = trials["arm"] == "microservices"
        trials["cost_usd"] = trials["cost_usd"].mask(dear, 3 * trials["cost_usd"])
        trials["cost_usd"] = trials["cost_usd"] * trials["app"].map(ord) / 7
        (row,) = cost(trials, ASKED, "cost_usd").to_dict("records")
        assert row["ratio"] == pytest.approx(3)
        assert pd.isna(row["ratio_low"])
        assert pd.isna(row["p_sign_flip"])

    def test_the_overview_pairs_budgets_before_it_pools_them(self):
        """The monolith resolves at full and not at 32k, where services never worked."""
        trials = pd.concat([
            study(dict.fromkeys(APPS, (10, 10))),
            study(dict.fromkeys(APPS, (0, 0)), context_budget="32k").query("arm == 'monolith'"),
        ])  # fmt: skip
        (row,) = summary.differences(trials).to_dict("records")
        assert row["difference"] == 0
        assert row["note"].startswith("all resolved on both sides: a ceiling")

    def test_scope_without_distribution_stands_beside_the_sum(self):
        cells = [
            some(app, arm, [i < 4 + (ord(app) + n) % 3 for i in range(10)], scope=scope)
            for app in APPS
            for n, (arm, scope) in enumerate([
                ("monolith", "all"), ("modular", "all"), ("modular", "own"),
                ("microservices", "all"), ("microservices", "own"),
            ])
        ]  # fmt: skip
        rows = decomposition(frame(*cells), ASKED).set_index("level")
        parts = rows.loc[["boundary", "distribution", "scope"], "difference"]
        assert parts.sum() == pytest.approx(rows.loc["sum", "difference"])
        assert rows.loc["modules scope", "contrast"] == "modular (own) - modular"

    def test_reliability_is_told_at_every_usual_k(self):
        found = repeats.reliability(study(APPS))
        assert sorted(set(found["k"])) == [1, 2, 4, 8, 10]
        one = found[found["k"] == 1]
        assert np.allclose(one["pass_at_k"].to_numpy(float), one["pass_hat_k"].to_numpy(float))
        four = found[found["k"] == 4]
        assert (four["pass_at_k"] > four["pass_hat_k"]).all()


def study_of_two_models() -> pd.DataFrame:
    """Model m resolves as often on both arms, n far less on services; two trials of n are lost."""
    even = {"a": (6, 5), "b": (5, 5), "c": (7, 7), "d": (6, 5), "e": (8, 8), "f": (4, 5)}
    worse = {"a": (3, 8), "b": (3, 7), "c": (1, 8), "d": (4, 6), "e": (5, 7), "f": (2, 9)}
    trials = pd.concat([study(even), study(worse, model="n")], ignore_index=True)
    last = (trials["model"] == "n") & (trials["repeat"] == 9)
    for app, arm in (("a", "microservices"), ("b", "monolith")):
        lost = last & (trials["app"] == app) & (trials["arm"] == arm)
        assert trials.loc[lost, "resolved"].tolist() == [False]
        trials.loc[lost, "status"] = "lost"
    return trials


def printed(found: comparison.Comparison) -> list[str]:
    """The lines of the table on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    console.print(comparison.table(found))
    return [line.strip() for line in console.file.getvalue().splitlines()]


@pytest.fixture(scope="module")
def by_model() -> comparison.Comparison:
    return comparison.compare(study_of_two_models(), "model")


class TestTheTables:
    """Worked out with scipy: `ttest_1samp` (both ways, and against -10 and 10), its interval,
    `permutation_test` over all flips of signs, `false_discovery_control`. A lost trial of one model
    moves one app by 10 pp, and so the mean of 2 models and 6 apps by 10 / 12.
    """

    def test_of_a_terminal_show_each_number_in_its_column(self, by_model):
        assert [line for line in printed(by_model) if "6, 6" in line] == [
            "m               6, 6    60    58     +1.7 [-6.2, +9.6]  1.000  1.000   yes",
            "n               6, 6    30    75  -45.0 [-68.7, -21.3]  0.031  0.047  open",
            "pooled          6, 6    45    67   -21.7 [-36.0, -7.3]  0.031  0.047  open",
            "primary         6, 6    45    67   -21.7 [-36.0, -7.3]  0.031      -  open",
        ]

    def test_of_latex_show_each_number_in_its_column(self, by_model):
        lines = comparison.latex(by_model).splitlines()
        head = (
            r"model & Apps, tasks & min.\ \% & sub.\ \% & pp & 95\% interval & $p$ & $p$ adj."
            r" & $\pm10$ \\"
        )
        assert lines[lines.index(r"\toprule") + 1 :] == [
            head,
            r"\midrule",
            r"m & 6, 6 & 60 & 58 & +1.7 & [$-$6.2, +9.6] & 1.000 & 1.000 & yes \\",
            r"n & 6, 6 & 30 & 75 & $-$45.0 & [$-$68.7, $-$21.3] & 0.031 & 0.047 & open \\",
            r"pooled & 6, 6 & 45 & 67 & $-$21.7 & [$-$36.0, $-$7.3] & 0.031 & 0.047 & open \\",
            r"primary & 6, 6 & 45 & 67 & $-$21.7 & [$-$36.0, $-$7.3] & 0.031 & -- & open \\",
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]

    def test_show_no_p_as_zero(self):
        """Of twelve apps that all point one way: 2 of 2^12 flips are as far."""
        trials = study({f"a{n:02}": (1 + n % 3, 8) for n in range(12)})
        found = comparison.compare(trials, "model")
        lines = [line for line in printed(found) if "12, 12" in line]
        assert lines == [
            "m              12, 12    20    80  -60.0 [-65.4, -54.6]  <0.001  <0.001  open",
            "primary        12, 12    20    80  -60.0 [-65.4, -54.6]  <0.001       -  open",
        ]
        assert "& $<$0.001 & -- & open" in comparison.latex(found)

    def test_say_below_what_the_columns_are_and_what_lost_trials_could_change(self, by_model):
        remarks = [
            "min. microservices, sub. monolith; apps are the clusters;",
            "primary: the one named test, each class of tasks at equal weight;",
            "p: sign flips over apps; p adj.: Benjamini-Hochberg, exploratory;",
            "±10: equivalent within 10 pp, unadjusted (yes, or open: not shown).",
            "lost trials count as unresolved; primary between -22.5 and -20.8 pp",
            "whatever they would have been.",
        ]
        assert printed(by_model)[-6:] == remarks
        assert f". M{' '.join(remarks)[1:]}}}" in comparison.latex(by_model)

    def test_bound_the_last_row_where_no_test_is_named(self):
        assert (
            "lost trials count as unresolved; microservices - monolith between -22.5 and -20.8 pp"
        ) in comparison.latex(comparison.compare(study_of_two_models(), "arm"))

    def test_bound_the_last_row_that_lost_trials_are_in(self):
        """The services alone were worked on in the scope `own`."""
        own = [some(app, "microservices", [True, False], scope="own") for app in "abcdef"]
        trials = pd.concat([study_of_two_models(), frame(*own)], ignore_index=True)
        found = comparison.compare(trials, "scope")
        assert "lost trials count as unresolved; all between -22.5 and -20.8 pp" in printed(found)
        assert r"own & 0, 0 & -- & -- & -- & -- & -- & -- & -- \\" in comparison.latex(found)

    def test_say_nothing_of_lost_trials_where_none_was_lost(self):
        assert not any("lost" in line for line in printed(comparison.compare(study(APPS), "model")))


class TestCompare:
    @pytest.mark.parametrize("by", list(comparison.BY))
    def test_writes_every_table(self, by, tmp_path):
        found = comparison.compare(study(APPS), by)
        paths = comparison.save(found, tmp_path)
        assert [p.suffix for p in paths] == [".csv", ".tex", ".csv", ".csv"]
        assert all(p.read_text() for p in paths)

    def test_leaves_controls_out_where_a_model_worked(self):
        trials = pd.concat([study(APPS), study(APPS, agent="oracle", model=None)])
        assert set(comparison.compare(trials, "agent").effects["level"]) == {"tool_loop", PRIMARY}

    def test_budgets_bring_their_slope(self):
        some_apps = {app: APPS[app] for app in "abc"}
        trials = pd.concat([study(APPS), study(some_apps, context_budget="32k")])
        rows = comparison.compare(trials, "budget").effects.set_index("level")
        assert rows.index.tolist() == ["32k", "full", "pooled", "primary", "32k - full"]
        assert rows.loc["pooled", "note"] == "4 of 7 tasks lack a context_budget"

    def test_the_one_named_test_has_classes_at_equal_weight(self):
        """Three tasks of class L that gain and one of class X that loses."""
        cells = []
        for app in "abcdef":
            for name, cls, new, old in (
                ("t", "L", 9, 1), ("u", "L", 9, 1), ("v", "L", 9, 1), ("w", "X", ord(app) % 3, 8),
            ):  # fmt: skip
                for arm, won in (("microservices", new), ("monolith", old)):
                    resolved = [i < won for i in range(10)]
                    cells.append(some(app, arm, resolved, task=name, task_class=cls))
        found = comparison.compare(frame(*cells), "class")
        rows = found.effects.set_index("level")
        local, across = rows.loc["L", "difference"], rows.loc["X", "difference"]
        assert rows.loc["pooled", "difference"] == pytest.approx((3 * local + across) / 4)
        assert rows.loc["primary", "difference"] == pytest.approx((local + across) / 2)
        assert pd.isna(rows.loc["primary", "p_adjusted"])
        assert not pd.isna(rows.loc["primary", "p_sign_flip"])
        assert "primary: the one named test" in comparison.latex(found)

    def test_no_task_lacks_the_classes_that_it_is_not_of(self):
        trials = pd.concat([study(APPS), study(APPS, task="u", task_class="X")])
        found = comparison.compare(trials, "class")
        assert found.effects["level"].tolist() == ["L", "X", "pooled", PRIMARY]
        assert found.effects["note"].isna().all()
        assert "lack" not in comparison.latex(found)

    def test_apps_without_a_class_are_told_beside_the_named_test(self):
        trials = pd.concat([
            study(APPS, task_class="L"),
            study({"a": (3, 5), "b": (4, 4)}, task="u", task_class="X"),
        ])  # fmt: skip
        rows = comparison.compare(trials, "model").effects.set_index("level")
        assert rows.loc["primary", "note"] == "5 of 7 apps lack a class of tasks"

    def test_each_model_has_equal_weight_whatever_its_budgets(self):
        trials = pd.concat([
            *(study(dict.fromkeys("abcdefg", (9, 1)), context_budget=budget)
              for budget in ("32k", "128k", "full")),
            study(APPS, model="n"),
        ])  # fmt: skip
        rows = comparison.compare(trials, "model").effects.set_index("level")["difference"]
        assert rows["pooled"] == pytest.approx((rows["m"] + rows["n"]) / 2)

    def test_tasks_without_a_model_are_told_wherever_models_are_pooled(self):
        trials = pd.concat([study(APPS), study({"h": (3, 5)}, model="n")])
        for by in ("model", "agent", "budget"):
            notes = comparison.compare(trials, by).effects.set_index("level")["note"]
            assert notes["primary"] == "8 of 8 tasks lack a model"

    def test_every_level_is_given_under_every_rule_for_lost_trials(self):
        trials = pd.concat([study(APPS), study(APPS, model="n")]).reset_index(drop=True)
        trials.loc[trials.index[:3], "status"] = "lost"
        found = comparison.compare(trials, "model").sensitivity
        levels = {"m", "n", "pooled", "primary"}
        told = {rule: set(rows["level"]) for rule, rows in found.groupby("missing")}
        assert told == dict.fromkeys(("fail", "exclude", "worst_low", "worst_high"), levels)
        for _, rows in found.groupby("missing"):
            explored = rows[rows["level"] != PRIMARY]
            p, equivalent = (rows[name].astype(float) for name in ("p_sign_flip", "p_equivalence"))
            adjusted = stats.false_discovery_control(p[explored.index])
            assert explored["p_adjusted"].tolist() == pytest.approx(list(adjusted))
            adjusted = stats.false_discovery_control(equivalent)
            assert rows["p_equivalence_adjusted"].tolist() == pytest.approx(list(adjusted))

    def test_a_study_of_services_in_own_scope_alone_is_compared(self):
        trials = study(APPS)
        trials["scope"] = trials["scope"].mask(trials["arm"] == "microservices", "own")
        for by in ("model", "arm"):
            found = comparison.compare(trials, by)
            assert str(found.contrast) == "microservices (own) - monolith"
            assert (found.effects["tasks"] == len(APPS)).all()

    def test_a_task_counts_once_in_the_matched_table(self):
        budgets = ("32k", "128k", "full")
        trials = pd.concat([study(APPS, context_budget=budget) for budget in budgets])
        found = comparison.compare(trials, "model").matched
        counts = found[["both", "only_minuend", "only_subtrahend", "neither", "tied"]]
        assert counts.to_numpy().sum() == len(APPS)
        for by in ("arm", "scope"):
            assert comparison.compare(trials, by).matched.empty

    def test_a_contrast_is_read_or_refused(self):
        trials = study(APPS)
        assert comparison.parse_contrast("microservices:own-monolith", trials) == Contrast(
            Side("microservices", "own"), Side("monolith")
        )
        for text in ("microservices", "a-monolith", "monolith-microservices-monolith"):
            with pytest.raises(BadInput, match="write ARM-ARM"):
                comparison.parse_contrast(text, trials)

    @pytest.mark.parametrize(
        ("by", "text", "refusal"),
        [
            ("model", "microservices:own-monolith", "no trial of microservices \\(own\\)"),
            ("model", "microservices-monolith:none", "no trial of monolith \\(none\\)"),
            ("arm", "microservices-monolith", "leave one of them out"),
            ("scope", "microservices:own-monolith", "write ARM-ARM"),
        ],
    )
    def test_a_contrast_that_no_row_could_answer_is_refused(self, by, text, refusal):
        trials = study(APPS)
        with pytest.raises(BadInput, match=refusal):
            comparison.compare(trials, by, comparison.parse_contrast(text, trials))

    def test_a_table_of_arms_claims_no_single_contrast(self):
        found = comparison.compare(study(APPS), "arm")
        assert "Resolved, every two arms." in comparison.latex(found)
        assert "Resolved, microservices - monolith" not in comparison.latex(found)

    def test_a_study_of_one_scope_is_compared_in_that_scope(self):
        trials = study(APPS).assign(scope=pd.array(["own"] * len(study(APPS)), "string"))
        found = comparison.compare(trials, "model")
        assert str(found.contrast) == "microservices (own) - monolith (own)"
        assert found.effects["tasks"].min() > 0

    def test_one_arm_is_refused(self):
        with pytest.raises(BadInput, match="only monolith has trials"):
            comparison.compare(frame(some("a", "monolith", [True])), "model")
