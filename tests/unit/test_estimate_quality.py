"""Changes in quality are compared in pairs, over the trials that pass and over all."""

import json

import pandas as pd
import pytest

from harness.analysis.claims import save_tables
from harness.analysis.estimate.effects import Question
from harness.analysis.estimate.families import benjamini_hochberg
from harness.analysis.estimate.pairing import Contrast, Side
from harness.analysis.estimate.quality import KEPT, MEASURES, quality
from harness.analysis.frame import to_frame
from harness.analysis.simulated import NEW_EDGES, Size, simulate
from harness.records import TrialRecord
from tests import records_factory as factory

ASKED = Question(Contrast(Side("microservices"), Side("monolith")), n_boot=200)


def trial(app: str, arm: str, task: str = "t", repeat: int = 0, **changes: object) -> TrialRecord:
    name = f"{app}|{task}|{arm}|{repeat}"
    who = {"trial_id": name, "pair": app, "app": app, "arm": arm, "task": f"{app}/{task}",
           "agent": "tool_loop", "model": "m", "repeat": repeat}  # fmt: skip
    return factory.trial(**who | changes)


def rows(*trials: TrialRecord, kept: str = "passing") -> pd.DataFrame:
    found = quality(to_frame(list(trials), TrialRecord), ASKED)
    return found[found["kept"] == kept].set_index("measure")


def test_a_difference_is_the_mean_over_apps_of_those_within_tasks() -> None:
    found = rows(
        *(
            trial("a", "microservices", repeat=n, dependencies_change=v)
            for n, v in enumerate((2, 4))
        ),
        trial("a", "monolith", dependencies_change=1),
        trial("a", "microservices", "u", dependencies_change=0),
        trial("a", "monolith", "u", dependencies_change=0),
        trial("b", "microservices", dependencies_change=-1),
        trial("b", "monolith", dependencies_change=1),
    ).loc["dependencies_change"]
    assert (found["apps"], found["tasks"]) == (2, 3)
    assert (found["minuend"], found["subtrahend"]) == ((1.5 - 1) / 2, (0.5 + 1) / 2)
    assert found["difference"] == (1.0 - 2.0) / 2
    assert found["low"] < found["difference"] < found["high"]
    assert found["unit"] == MEASURES["dependencies_change"]


def test_trials_that_break_something_are_left_out_and_kept_beside() -> None:
    trials = [
        trial("a", "microservices", dependencies_change=1),
        trial("a", "microservices", repeat=1, dependencies_change=5, behaviour=False),
        trial("a", "microservices", repeat=2, dependencies_change=9, behaviour=None),
        trial("a", "monolith", dependencies_change=0),
    ]
    assert rows(*trials)["difference"].tolist() == [1]
    assert rows(*trials, kept="all")["difference"].tolist() == [5]


def test_a_change_that_is_not_known_is_left_out_of_its_measure_alone() -> None:
    found = rows(
        trial("a", "microservices", dependencies_change=1, complexity_mean_change=None),
        trial("a", "monolith", dependencies_change=0, complexity_mean_change=2.0),
        trial("a", "microservices", "u", dependencies_change=3, complexity_mean_change=1.0),
        trial("a", "monolith", "u", dependencies_change=0, complexity_mean_change=2.0),
    )
    assert found["tasks"].to_dict() == {"dependencies_change": 2, "complexity_mean_change": 1}
    assert found["difference"].to_dict() == {
        "dependencies_change": 2.0,
        "complexity_mean_change": -1.0,
    }


def test_lost_trials_say_nothing_and_one_app_has_no_interval() -> None:
    late = trial("a", "monolith", repeat=2, dependencies_change=9, status="lost")
    trials = [
        trial("a", "microservices", dependencies_change=1),
        trial("a", "monolith", dependencies_change=0),
        factory.lost(trial("a", "monolith", repeat=1, dependencies_change=9)),
        late,
    ]
    assert late.behaviour is True
    for kept in KEPT:
        found = rows(*trials, kept=kept).loc["dependencies_change"]
        assert found["difference"] == 1
        assert pd.isna(found["low"])
        assert found["note"] == "1 app: no interval across apps"


def test_a_measure_without_a_pair_says_so_and_one_that_nobody_has_is_left_out() -> None:
    found = rows(trial("a", "microservices", dependencies_change=1), trial("a", "monolith"))
    assert found.index.tolist() == ["dependencies_change"]
    assert pd.isna(found["difference"].iloc[0])
    assert found["note"].iloc[0] == "no pair of trials to compare"
    assert quality(to_frame([trial("a", "monolith")], TrialRecord), ASKED).empty


def test_a_study_of_known_truth_gives_it_back() -> None:
    found = quality(simulate(Size(apps=24)), ASKED)
    assert found.groupby("kept").size().to_dict() == dict.fromkeys(KEPT, len(MEASURES))
    edges = found.set_index(["measure", "kept"]).loc[("dependencies_change", "all")]
    # A third of the families is X; elsewhere no edge is new.
    truth = (NEW_EDGES[("microservices", "all")]["X"] - NEW_EDGES[("monolith", "all")]["X"]) / 3
    assert edges["low"] < truth < edges["high"] < 0
    assert edges["p_sign_flip"] <= edges["p_adjusted"] < 0.01
    for _, of_kept in found.groupby("kept"):
        adjusted = benjamini_hochberg(of_kept["p_sign_flip"]).astype(float)
        assert of_kept["p_adjusted"].tolist() == pytest.approx(adjusted.tolist())


def test_the_table_and_its_claims_are_of_the_same_rows(tmp_path) -> None:
    trials = to_frame(
        [
            trial("a", "microservices", dependencies_change=1),
            trial("a", "microservices", repeat=1, dependencies_change=2, behaviour=False),
            trial("a", "microservices", repeat=2),
            trial("a", "monolith", dependencies_change=0),
            trial("a", "monolith", "u", dependencies_change=0),
        ],
        TrialRecord,
    )
    save_tables(trials, tmp_path)
    told = json.loads((tmp_path / "claims.json").read_text())["claims"]
    claims = {claim["id"]: claim for claim in told}
    passing, every = (claims[f"quality/dependencies_change/{kept}"] for kept in KEPT)
    assert (passing["value"], passing["trials"]) == (1, 2)
    assert (every["value"], every["trials"]) == (1.5, 3)
    assert passing["rows_sha256"] != every["rows_sha256"]
    assert passing["unit"] == "edges"
    table = pd.read_csv(tmp_path / "quality.csv")
    assert table["difference"].tolist() == [1, 1.5]


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_is_a_column_of_the_trials(measure: str) -> None:
    assert measure in TrialRecord.model_fields
