import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from harness.analysis.frame import to_frame
from harness.analysis.summary import differences, summary, wilson
from harness.records import TrialRecord
from tests.records_factory import demo_trials, lost, trial


def frame(trials):
    return to_frame(trials, TrialRecord)


def repeats(count, **changes):
    return [
        trial(trial_id=f"{n}-{changes}".replace("/", "-"), repeat=n, **changes)
        for n in range(count)
    ]


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_wilson_interval_is_that_of_scipy(counts):
    expected = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert wilson(*counts) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_demo_has_one_row_a_task_agent_and_arm_in_the_order_of_the_classes():
    found = summary(frame(demo_trials()))
    assert len(found) == 24
    assert found["task_class"].drop_duplicates().tolist() == ["L", "I", "X", "D"]
    assert found["agent"].tolist()[:6:2] == ["oracle", "nop", "sabotage"]
    assert found["arm"].tolist()[:2] == ["monolith", "microservices"]
    assert found["n"].eq(1).all()
    assert found["as_expected"].sum() == 24


def test_lost_trials_are_counted_and_not_in_the_denominators():
    trials = repeats(4)
    row = summary(frame([*trials[:3], lost(trials[3])])).iloc[0]
    assert (row["n"], row["lost"], row["resolved"]) == (3, 1, 3)
    assert row["resolved_share"] == row["behaviour_share"] == row["tests_passed_share"] == 1.0


def test_a_cell_with_nothing_but_lost_trials_has_no_shares():
    row = summary(frame([lost(trial())])).iloc[0]
    assert (row["n"], row["lost"]) == (0, 1)
    assert row[["resolved_share", "resolved_low", "structure_share", "churn_ratio"]].isna().all()


def test_a_factor_without_evidence_does_not_hold_and_is_not_what_refused():
    failed = {"status": "failed", "failure_cause": "app_did_not_start", "resolved": False}
    failed |= dict.fromkeys(("behaviour", "equivalence", "structure", "contract", "integrity"))
    row = summary(frame([trial(**failed)])).iloc[0]
    assert (row["n"], row["behaviour_share"]) == (1, 0.0)
    assert row["refused_by"] == "app_did_not_start"


def test_every_factor_that_refused_is_named_in_the_order_of_the_factors():
    trials = repeats(1, contract=False, behaviour=False, resolved=False) + repeats(3)
    row = summary(frame(trials)).iloc[0]
    assert row["refused_by"] == "behaviour+contract"
    assert row["contract_share"] == 0.75


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"agent": "oracle"}, 1),
        ({"agent": "oracle", "resolved": False, "structure": False}, 0),
        ({"agent": "nop", "resolved": False, "structure": False}, 1),
        ({"agent": "nop"}, 0),
        ({"agent": "sabotage", "expected_factor": "contract"}, 0),
        ({"agent": "sabotage", "expected_factor": "contract", "contract": False,
          "resolved": False}, 1),
        ({"agent": "sabotage", "expected_factor": "contract", "structure": False,
          "resolved": False}, 0),
        ({"agent": "sabotage", "expected_factor": "contract", "contract": None,
          "resolved": False}, 0),
    ],
)  # fmt: skip
def test_a_control_is_as_expected_when_it_ends_as_it_must(changes, expected):
    assert summary(frame([trial(**changes)])).iloc[0]["as_expected"] == expected


def test_an_agent_that_is_no_control_has_no_expected_outcome():
    assert summary(frame([trial(agent="tool_loop", model="m")]))["as_expected"].isna().all()


def test_one_app_gives_a_difference_and_no_interval_across_apps():
    row = differences(frame(demo_trials())).iloc[0]
    assert (row["minuend"], row["subtrahend"]) == ("microservices", "monolith")
    assert (row["apps"], row["tasks"], row["difference"]) == (1, 4, 0.0)
    assert row["note"] == "1 app: no interval across apps"
    assert row[["low", "high"]].isna().all()


def test_the_difference_is_within_tasks_and_leaves_out_tasks_and_trials_without_a_partner():
    pair = [trial(trial_id="a"), trial(trial_id="b", arm="microservices", resolved=False)]
    alone = [trial(trial_id="c", task="atelier/other")]
    gone = lost(trial(trial_id="d", task="atelier/other", arm="microservices"))
    row = differences(frame([*pair, *alone, gone])).iloc[0]
    assert (row["tasks"], row["difference"]) == (1, -100.0)


def test_a_task_weighs_the_same_however_many_repeats_it_has():
    trials = repeats(9, arm="microservices") + repeats(1)
    trials += repeats(1, task="atelier/b", arm="microservices", resolved=False)
    trials += repeats(1, task="atelier/b")
    assert differences(frame(trials)).iloc[0]["difference"] == -50.0


def test_every_pair_of_arms_is_compared_the_more_distributed_one_first():
    found = differences(frame(demo_trials(("monolith", "modular", "microservices"))))
    oracle = found[found["agent"] == "oracle"]
    assert list(zip(oracle["minuend"], oracle["subtrahend"], strict=True)) == [
        ("microservices", "modular"), ("microservices", "monolith"), ("modular", "monolith"),
    ]  # fmt: skip


def test_one_arm_alone_gives_no_difference():
    assert differences(frame(demo_trials(("monolith",)))).empty


def test_the_interval_across_apps_is_the_t_interval_over_the_means_of_the_apps():
    wins = {"a": 1.0, "b": 0.0, "c": 0.5}
    trials = []
    for app, share in wins.items():
        for n in range(4):
            task = {"app": app, "task": f"{app}/{n}"}
            trials.append(trial(trial_id=f"{app}{n}s", arm="microservices", **task))
            trials.append(trial(trial_id=f"{app}{n}m", resolved=n >= 4 * share, **task))
    row = differences(frame(trials)).iloc[0]
    expected = ttest_1samp([100.0, 0.0, 50.0], 0).confidence_interval(0.95)
    assert (row["apps"], row["tasks"], row["difference"]) == (3, 12, 50.0)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
