"""Inference over clusters: known truths, other people's implementations, and the naive analysis."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from harness.analysis.estimate import clusters
from harness.analysis.simulation import Design, World, app_means, draw

STUDIES = 4000


def study(apps: int, effect: float = 0.0, seed: int = 7, **design: int) -> np.ndarray:
    """Means of apps of many studies, shape (STUDIES, apps), in pp."""
    sizes = Design(apps, **design)
    return app_means(draw(World(effect=effect), sizes, STUDIES, seed), sizes.repeats)


class TestTheTInterval:
    @pytest.mark.parametrize("apps", [6, 12, 24])
    @pytest.mark.parametrize("effect", [0.0, -12.0])
    def test_covers_the_truth_in_93_to_97_percent_of_studies(self, apps, effect):
        low, high = clusters.estimate(study(apps, effect)).interval()
        assert 0.93 <= np.mean((low <= effect) & (effect <= high)) <= 0.97

    def test_is_scipys_t_test(self):
        means = study(12)[0]
        found = clusters.estimate(means)
        theirs = stats.ttest_1samp(means, 0)
        interval = theirs.confidence_interval(0.95)
        assert np.allclose(found.interval(), [interval.low, interval.high])
        assert found.p_value() == pytest.approx(theirs.pvalue)

    def test_an_unpaired_interval_that_ignores_apps_does_not_cover(self):
        """The check above can fail: trials taken as independent, as a naive analysis does."""
        apps, repeats, truth = 12, 5, 0.0
        world = World(effect=truth, app_by_arm=0.8, task_by_arm=1.2)
        resolved = draw(world, Design(apps, 12, repeats), STUDIES, 3)
        trials = apps * 12 * repeats
        share = resolved.sum(axis=(2, 3)) / trials
        half = 1.96 * np.sqrt((share * (1 - share) / trials).sum(axis=1))
        gap = share[:, 0] - share[:, 1]
        naive = np.mean(np.abs(gap - truth) <= half)
        low, high = clusters.estimate(app_means(resolved, repeats)).interval()
        assert naive < 0.90
        assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


class TestSignFlips:
    @pytest.mark.parametrize("apps", [6, 8, 12])
    def test_hold_their_level_under_the_null_with_clustering(self, apps):
        # Without ties, that is: equal means make the test more careful.
        means = study(apps) + np.random.default_rng(4).normal(0, 0.5, (STUDIES, apps))
        p = clusters.sign_flip_p(means)
        # p comes in steps of 2/2^D, so few apps reach a level below the one asked for.
        step = clusters.smallest_p(apps)
        reachable = step * int(0.05 / step)
        assert np.mean(p <= 0.05) == pytest.approx(reachable, abs=0.012)

    def test_random_flips_hold_it_too_where_there_are_many_apps(self):
        p = clusters.sign_flip_p(study(24)[:2000], seed=1, draws=1999)
        assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.015)

    def test_are_scipys_exact_permutation_test(self):
        means = study(9)[3]
        theirs = stats.permutation_test(
            (means,), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert clusters.sign_flip_p(means) == pytest.approx(theirs.pvalue)

    @pytest.mark.parametrize(("apps", "p"), [(1, 1.0), (3, 0.25), (5, 0.0625), (6, 0.03125)])
    def test_cannot_go_below_two_over_two_to_the_number_of_apps(self, apps, p):
        assert clusters.smallest_p(apps) == p
        assert clusters.sign_flip_p(np.arange(1.0, apps + 1)) == p

    @given(st.lists(st.integers(-100, 100), min_size=2, max_size=10))
    def test_do_not_depend_on_the_sign_or_the_order(self, values):
        means = np.array(values, float)
        assert clusters.sign_flip_p(means) == clusters.sign_flip_p(-means[::-1])


class TestEquivalence:
    def test_is_a_90_percent_interval_inside_the_margin(self):
        found = clusters.estimate(study(12, repeats=5))
        low, high = found.interval(0.90)
        inside = (low > -10) & (high < 10)
        assert ((found.p_equivalence(10.0) < 0.05) == inside).all()
        assert 0.2 < inside.mean() < 0.999

    def test_is_claimed_in_at_most_5_percent_of_studies_at_the_margin(self):
        found = clusters.estimate(study(12, effect=-10.0))
        assert np.mean(found.p_equivalence(10.0) < 0.05) <= 0.065

    def test_is_the_larger_of_two_t_tests(self):
        means = study(12)[5]
        sides = [
            stats.ttest_1samp(means, -10, alternative="greater").pvalue,
            stats.ttest_1samp(means, 10, alternative="less").pvalue,
        ]
        assert clusters.estimate(means).p_equivalence(10.0) == pytest.approx(max(sides))


class TestTheBootstrap:
    def test_agrees_with_scipys_bca(self):
        means = study(12)[11]
        theirs = stats.bootstrap(
            (means,), np.mean, method="BCa", n_resamples=20_000, rng=np.random.default_rng(0)
        ).confidence_interval
        ours = clusters.bca_of_mean(means, seed=0, n_boot=20_000)
        assert ours == pytest.approx((theirs.low, theirs.high), abs=0.06 * np.std(means))

    def test_follows_a_skewed_ratio_as_scipys_does(self):
        rng = np.random.default_rng(5)
        cost, resolved = rng.lognormal(1, 0.8, 15), rng.integers(3, 12, 15).astype(float)
        theirs = stats.bootstrap(
            (cost, resolved), lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis),
            paired=True, method="BCa", n_resamples=20_000, rng=np.random.default_rng(0),
        ).confidence_interval  # fmt: skip
        ours = clusters.bootstrap(
            np.column_stack([cost, resolved]), clusters.mean_of, seed=0, n_boot=20_000
        )
        assert ours == pytest.approx((theirs.low, theirs.high), rel=0.03)

    @pytest.mark.parametrize(("apps", "least"), [(12, 0.88), (24, 0.91)])
    def test_covers_nearly_as_often_as_t(self, apps, least):
        """A bootstrap of few clusters is narrow: it is a cross-check, not the interval."""
        ends = np.array([clusters.bca_of_mean(m, 1, 1000) for m in study(apps)[:1500]])
        assert least <= np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0)) <= 0.97

    def test_resampling_tasks_inside_apps_as_well_would_count_their_variance_twice(self):
        """Why only apps are drawn: SE of both ways against the spread over many studies."""
        rng = np.random.default_rng(2)
        resolved = draw(World(app_by_arm=0.0), Design(12, 12, 1), 2000, 8)
        gaps = 100.0 * (resolved[:, 0] - resolved[:, 1])
        truth = gaps.mean(axis=(1, 2)).var()
        apps = rng.integers(0, 12, (2000, 50, 12))
        drawn = np.take_along_axis(gaps[:, None], apps[..., None], axis=2)
        tasks = rng.integers(0, 12, drawn.shape)
        both = np.take_along_axis(drawn, tasks, axis=3)
        one_stage = drawn.mean(axis=(2, 3)).var(axis=1, ddof=1).mean()
        two_stage = both.mean(axis=(2, 3)).var(axis=1, ddof=1).mean()
        assert one_stage / truth == pytest.approx(11 / 12, abs=0.07)  # the bootstrap's (D-1)/D
        assert two_stage / truth > 1.6

    def test_gives_the_same_interval_for_the_same_seed_and_another_for_another(self):
        means = study(12)[0]
        assert clusters.bca_of_mean(means, 1) == clusters.bca_of_mean(means, 1)
        assert clusters.bca_of_mean(means, 1) != clusters.bca_of_mean(means, 2)

    def test_of_symmetric_means_is_symmetric_however_many_resamples_tie(self):
        low, high = clusters.bca_of_mean(np.array([-1.0, 1.0] * 3), seed=3, n_boot=50_000)
        assert low == pytest.approx(-high, abs=0.02)

    def test_of_values_that_do_not_vary_has_no_interval(self):
        assert np.isnan(clusters.bca_of_mean(np.full(8, 3.0))).all()


class TestThePowerTable:
    """SCIENCE.md's table, drawn again: SE, smallest effect and smallest margin, in pp.

    The effect is found, and the margin shown where nothing differs, in 4 studies of 5.
    """

    @pytest.mark.parametrize(
        ("apps", "repeats", "se"),
        [(6, 5, 3.6), (24, 1, 3.6), (12, 1, 5.0), (12, 3, 3.2), (12, 5, 2.7), (24, 3, 2.3)],
    )
    def test_standard_errors_agree(self, apps, repeats, se):
        assert study(apps, repeats=repeats).mean(axis=1).std() == pytest.approx(se, rel=0.06)

    def test_four_apps_state_an_error_of_5_pp_which_is_less_than_they_have(self):
        """The root of a variance over few apps falls short on average, which t makes up for."""
        means = study(4)
        stated = clusters.estimate(means).se.mean()
        assert stated == pytest.approx(5.1, rel=0.03)
        assert means.mean(axis=1).std() > 1.05 * stated

    @pytest.mark.parametrize(
        ("apps", "repeats", "effect"),
        [(6, 5, 12.7), (24, 1, 10.7), (12, 1, 15.5), (12, 3, 9.9), (12, 5, 8.2), (24, 3, 6.7)],
    )
    def test_power_at_the_smallest_detectable_effect_is_80_percent(self, apps, repeats, effect):
        found = clusters.estimate(study(apps, -effect, repeats=repeats))
        assert np.mean(found.p_value() < 0.05) == pytest.approx(0.80, abs=0.045)

    @pytest.mark.parametrize(
        ("apps", "repeats", "margin"),
        [(6, 5, 12.7), (24, 1, 11.0), (12, 1, 15.9), (12, 3, 10.2), (12, 5, 8.4), (24, 3, 7.0)],
    )
    def test_equal_arms_are_told_equal_within_the_smallest_margin_in_80_percent(
        self, apps, repeats, margin
    ):
        found = clusters.estimate(study(apps, repeats=repeats))
        assert np.mean(found.p_equivalence(margin) < 0.05) == pytest.approx(0.80, abs=0.045)

    def test_four_apps_find_15_pp_less_than_half_of_the_time(self):
        found = clusters.estimate(study(4, -15.0))
        assert np.mean(found.p_value() < 0.05) == pytest.approx(0.47, abs=0.06)


@settings(max_examples=50)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=12), st.floats(-50, 50))
def test_moving_every_app_moves_the_estimate_and_not_its_error(values, shift):
    means = np.array(values)
    here, there = clusters.estimate(means), clusters.estimate(means + shift)
    assert there.value == pytest.approx(here.value + shift, abs=1e-9)
    assert there.se == pytest.approx(here.se, abs=1e-9)


def test_the_stated_effect_is_what_is_drawn():
    world = World(base=0.6, effect=-12.0)
    resolved = draw(world, Design(24, 12, 5), STUDIES, 1)
    shares = 100 * resolved.mean(axis=(0, 2, 3)) / 5
    assert shares == pytest.approx([48.0, 60.0], abs=0.3)
