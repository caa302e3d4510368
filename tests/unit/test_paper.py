"""The figures and tables of a paper, from simulated trials: whole, legible, the same each time."""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from scipy import stats

from harness.analysis import claims, comparison
from harness.analysis.estimate.hypotheses import ASKED
from harness.analysis.frame import read_tools, read_trials, to_frame, write_file
from harness.analysis.names import short_names
from harness.analysis.paper import failures, forest, heatmap, pareto, plates, slopes, tokens
from harness.analysis.paper.cells import over_apps
from harness.analysis.paper.plates import PLATES, save_plates
from harness.analysis.paper.styles import STYLES, look, style_named
from harness.analysis.printed import printed
from harness.analysis.simulated import Size, simulate, write
from harness.analysis.simulated_tools import tool_uses
from harness.analysis.summary import summary
from harness.errors import BadInput
from harness.records import ToolRecord, TrialRecord
from tests import records_factory as factory

ACM = STYLES["acm"]


@pytest.fixture(scope="module")
def trials() -> pd.DataFrame:
    return simulate(Size())


USES = [
    ("navigate", "core", ""), ("read", "core+other", ""), ("edit", "", "core"),
    ("edit", "", "other"), ("test", "core", ""), ("run", "", ""), ("other", "", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def tools(trials) -> pd.DataFrame:
    rows = [
        ToolRecord(
            trial_id=trial, attempt=1, call=1, number=number, tool="bash", kind=kind,
            contexts_read=read, contexts_edited=edited, request_tokens=5, result_tokens=1000,
            seconds=0.1, ending="ok",
        )
        for trial in trials[trials["model"].notna()]["trial_id"][:400]
        for number, (kind, read, edited) in enumerate(USES, start=1)
    ]  # fmt: skip
    return to_frame(rows, ToolRecord)


def test_churn_that_was_not_counted_is_no_trial_of_its_bar(trials) -> None:
    columns = ["domain_lines_changed", "glue_lines_changed", "contexts_changed"]
    half = trials.copy()
    half.loc[half["repeat"] > 0, columns] = pd.NA
    told, wanted = (PLATES["churn"].data(some) for some in (half, trials[trials["repeat"] == 0]))
    pd.testing.assert_frame_equal(told, wanted)
    nothing = trials.assign(**dict.fromkeys(columns, pd.NA))
    assert PLATES["churn"].data(nothing).empty


def test_contexts_edited_are_put_beside_the_reference_where_it_is_known(trials) -> None:
    contexts, radius = (
        PLATES["churn"].data(some)
        for some in (trials, trials.assign(edit_radius=trials["contexts_changed"] / 2.0))
    )
    assert list(contexts["panel"].unique())[2:] == ["contexts_changed"]
    assert list(radius["panel"].unique())[2:] == ["edit_radius"]
    edited = contexts[contexts["panel"] == "contexts_changed"]["value"].to_numpy()
    halved = radius[radius["panel"] == "edit_radius"]["value"].to_numpy()
    np.testing.assert_allclose(halved, edited / 2)
    said = [" ".join(PLATES["churn"].caption(rows).split()) for rows in (contexts, radius)]
    assert "over those of the task's first solution" not in said[0]
    assert "over those of the task's first solution" in said[1]


LONG_NAMES = {
    "simulated-small": "Qwen/Qwen3-Coder-480B-A35B-Instruct",
    "simulated-medium": "claude-opus-4-5-20251101",
    "simulated-large": "deepseek-ai/DeepSeek-V3.1-Terminus",
}


@cache
def drawn(name: str, style, *, long_names: bool = False):
    """The figure as it lies on paper, and what it was drawn with."""
    plate, trials = PLATES[name], simulate(Size())
    if long_names:
        trials = trials.assign(model=trials["model"].replace(LONG_NAMES))
    with style.applied():
        figure = plate.draw(plate.fitted(plate.data(trials), style), style)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return figure, canvas.get_renderer()


def texts(figure) -> list[Text]:
    """Every word that is drawn."""
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    axes = [axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    of_ticks = {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    shown = [text for axis in axes for text in shown_ticks(axis)]
    return shown + [text for text in found if text.get_text().strip() and id(text) not in of_ticks]


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("name", list(PLATES))
class TestEveryFigure:
    @pytest.mark.parametrize("long_names", [False, True])
    def test_cuts_no_word_off(self, name, style, long_names):
        figure, renderer = drawn(name, STYLES[style], long_names=long_names)
        page = figure.bbox
        for text in texts(figure):
            box = text.get_window_extent(renderer)
            inside = page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1
            inside = inside and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1
            assert inside, (text.get_text(), box, page)

    def test_has_no_labels_on_top_of_each_other(self, name, style):
        figure, renderer = drawn(name, STYLES[style])
        for axes in figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                labels = shown_ticks(axis)
                if any(label.get_rotation() for label in labels):
                    continue
                boxes = [label.get_window_extent(renderer) for label in labels]
                for one, other in pairwise(boxes):
                    assert not one.overlaps(other), (name, [t.get_text() for t in labels])

    def test_has_no_legend_on_top_of_a_panel(self, name, style):
        figure, renderer = drawn(name, STYLES[style])
        inner = [axes.get_window_extent(renderer) for axes in figure.axes]
        outer = [axes.get_tightbbox(renderer) for axes in figure.axes]
        own = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
        for legends, panels in ((figure.legends, outer), (own, inner)):
            for legend in legends:
                box = legend.get_window_extent(renderer).shrunk(0.9, 0.9)
                assert not any(box.overlaps(panel) for panel in panels), (box, panels)

    def test_leaves_no_panel_empty(self, name, style):
        figure, _ = drawn(name, STYLES[style])
        assert figure.axes
        assert all(axes.has_data() for axes in figure.axes)


def shown_ticks(axis) -> list[Text]:
    """The labels of the ticks inside the limits; others exist, and are not drawn."""
    low, high = sorted(axis.get_view_interval())
    inside = [tick for tick in axis.majorTicks if low <= tick.get_loc() <= high]
    labels = [label for tick in inside for label in (tick.label1, tick.label2)]
    return [label for label in labels if label.get_visible() and label.get_text()]


class TestNamesOfModels:
    def test_are_cut_to_what_a_column_has_room_for(self):
        assert short_names(["claude", *LONG_NAMES.values()]) == {
            "claude": "claude",
            "Qwen/Qwen3-Coder-480B-A35B-Instruct": "Qwen3-Coder-4…struct",
            "claude-opus-4-5-20251101": "claude-opus-4…251101",
            "deepseek-ai/DeepSeek-V3.1-Terminus": "DeepSeek-V3.1…rminus",
        }

    def test_are_whole_where_two_would_be_the_same(self):
        twins = ["a/one", "b/one", "c/two"]
        assert short_names(twins) == {"a/one": "a/one", "b/one": "b/one", "c/two": "two"}

    def test_leave_no_room_for_numbers_where_they_are_many(self):
        trials = simulate(Size(apps=2))
        for copies, numbers in ((1, True), (2, False)):
            many = [trials.assign(model=trials["model"] + f"-{n}") for n in range(copies)]
            with ACM.applied():
                figure = heatmap.draw(heatmap.data(pd.concat(many)), ACM)
            assert bool(figure.axes[0].texts) == numbers


class TestTheSet:
    @pytest.mark.long
    def test_is_the_same_bytes_from_the_same_trials_in_any_order(self, trials, tmp_path):
        shuffled = trials.sample(frac=1, random_state=3)
        save_plates(trials, tmp_path / "a", ACM)
        save_plates(shuffled, tmp_path / "b", ACM)
        names = sorted(path.name for path in (tmp_path / "a").iterdir())
        assert len(names) == 4 * len(PLATES)
        for name in names:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), (
                name
            )

    @pytest.mark.long
    def test_embeds_its_fonts(self, trials, tmp_path):
        save_plates(trials, tmp_path, ACM)
        for path in tmp_path.glob("*.pdf"):
            content = path.read_bytes()
            assert b"/FontFile2" in content, path.name
            assert b"/Type3" not in content, path.name

    @pytest.mark.long
    def test_says_in_every_caption_that_trials_are_simulated(self, trials, tmp_path):
        save_plates(trials, tmp_path, ACM)
        captions = [path.read_text() for path in tmp_path.glob("*.txt")]
        assert len(captions) == len(PLATES)
        assert all("Simulated" in caption for caption in captions)

    def test_says_what_a_figure_lacks_and_draws_the_others(self, tmp_path):
        controls = to_frame(factory.demo_trials(), TrialRecord)
        saved = {one.name: one for one in save_plates(controls, tmp_path, ACM)}
        assert saved["forest"].missing == "a model on two arms"
        assert [name for name, one in saved.items() if one.paths] == ["calibration"]

    def test_removes_figures_that_the_trials_no_longer_fill(self, tmp_path):
        folder = tmp_path / "figures"
        for end in ("pdf", "png", "txt", "csv"):
            write_file(folder / f"churn.{end}", "of a trial that was resolved")
        write_file(folder / "mine.png", "of the user")
        controls = to_frame(factory.demo_trials(), TrialRecord)
        saved = save_plates(controls, folder, ACM)
        drawn = {path.name for one in saved for path in one.paths}
        assert {path.name for path in folder.iterdir()} == drawn | {"mine.png"}

    def test_tells_arms_apart_without_colour(self):
        sides = ("monolith", "modular", "microservices", "microservices (own)")
        assert len({look(side).marker for side in sides}) == 4
        assert len({look(side).hatch for side in sides}) == 4

    def test_refuses_an_unknown_venue(self):
        with pytest.raises(BadInput, match="--style a0: unknown; choose one of acm, ieee, slides"):
            style_named("a0")


def one_task_an_app(wins: list[int], **changes: object) -> list[TrialRecord]:
    """Apps a, b and so on, each with ten trials of one task, of which so many are resolved."""
    return [
        factory.trial(**{
            "app": app, "pair": app, "task": f"{app}/t", "agent": "tool_loop", "model": "m",
            "repeat": repeat, "resolved": repeat < won,
        } | changes)
        for app, won in zip("abcdef", wins, strict=False)
        for repeat in range(10)
    ]  # fmt: skip


def at_points(points: Mapping[str, tuple[float, int]]) -> pd.DataFrame:
    """Models by name: what a trial costs, and how many of ten are resolved in each of six apps."""
    return to_frame(
        [
            row for model, (usd, won) in points.items()
            for row in one_task_an_app([won] * 6, model=model, cost_usd=usd)
        ],
        TrialRecord,
    )  # fmt: skip


class TestNumbers:
    def test_of_apps_have_the_t_interval_of_their_means(self):
        """Three groups: one of six apps, one of three, one of a single app."""
        groups = {"m": [1, 4, 5, 7, 8, 8], "n": [2, 3, 7], "k": [5]}
        rows = [row for model, wins in groups.items() for row in one_task_an_app(wins, model=model)]
        found = over_apps(to_frame(rows, TrialRecord), "resolved", ["model"]).set_index("model")
        for model in ("m", "n"):
            means = np.array(groups[model]) / 10
            interval = stats.ttest_1samp(means, 0).confidence_interval(0.95)
            told = found.loc[model, ["resolved", "low", "high"]].tolist()
            assert told == pytest.approx([means.mean(), interval.low, interval.high])
        assert found[["apps", "n"]].to_numpy().tolist() == [[1, 10], [6, 60], [3, 30]]
        assert found.loc["k", "resolved"] == 0.5
        assert found.loc["k", ["low", "high"]].isna().all()

    def test_of_cost_name_the_front(self):
        """The second is dearer than the first and resolves less; the third is dearest and best."""
        points = {"first": (0.1, 5), "second": (0.2, 4), "third": (0.3, 7)}
        found = pareto.data(at_points(points))
        assert found["model"].tolist() == list(points)
        assert found["cost_usd"].tolist() == pytest.approx([0.1, 0.2, 0.3])
        assert found["resolved"].tolist() == pytest.approx([50, 40, 70])
        assert found["front"].tolist() == [True, False, True]

    def test_of_cost_count_trials_that_cost_nothing_and_leave_out_models_that_do(self):
        rows = one_task_an_app([5] * 6, model="unfit", cost_usd=0.2)
        free = {"cost_usd": 0.0}
        rows = [row if row.resolved else row.model_copy(update=free) for row in rows]
        rows += one_task_an_app([8] * 6, model="free", **free)
        found = pareto.data(to_frame(rows, TrialRecord))
        assert found["model"].tolist() == ["unfit"]
        assert found[["cost_usd", "resolved", "n"]].to_numpy()[0] == pytest.approx([0.1, 50, 60])

    def test_of_points_that_tie_have_the_better_or_cheaper_on_the_front(self):
        points = {"worse": (0.1, 5), "better": (0.1, 6), "dearer": (0.2, 6)}
        found = pareto.data(at_points(points)).set_index("model")["front"]
        assert found.to_dict() == {"better": True, "worse": False, "dearer": False}

    def test_of_the_heatmap_are_services_less_monolith_in_points(self):
        won = {
            ("m", "microservices"): [10, 3], ("m", "monolith"): [0, 5],
            ("n", "microservices"): [0, 6], ("n", "monolith"): [10, 6],
        }  # fmt: skip
        rows = [
            row for (model, arm), wins in won.items()
            for row in one_task_an_app(wins, model=model, arm=arm)
        ]  # fmt: skip
        found = heatmap.data(to_frame(rows, TrialRecord))
        cells = found.set_index(["row", "model"])["difference"].to_dict()
        assert cells == pytest.approx(
            {("a/t", "m"): 100, ("a/t", "n"): -100, ("b/t", "m"): -20, ("b/t", "n"): 0}
        )
        assert set(found["contrast"]) == {"microservices - monolith"}
        assert found["pairs"].tolist() == [1, 1, 1, 1]
        with ACM.applied():
            axes = heatmap.draw(found, ACM).axes[0]
        assert [text.get_text() for text in axes.texts] == ["+100", "−100", "−20", "0"]
        assert axes.images[0].get_array().tolist() == [[100, -100], [pytest.approx(-20), 0]]

    def test_have_a_dash_where_there_is_none_however_many_models_there_are(self):
        rows = [
            row
            for n in range(6)
            for arm in ("monolith", "microservices")
            for row in one_task_an_app([5] if n == 5 else [5, 5], model=f"m{n}", arm=arm)
        ]
        with ACM.applied():
            axes = heatmap.draw(heatmap.data(to_frame(rows, TrialRecord)), ACM).axes[0]
        assert [text.get_text() for text in axes.texts] == ["–"]

    def test_of_tokens_by_context_count_every_use_once(self, trials, tools):
        rows = tokens.data(trials, tools)
        read = rows[rows["panel"] == "context"]
        total = (read["tokens"] * read["n"]).groupby(read["part"]).sum()
        lost = trials[trials["status"] == "lost"]["trial_id"]
        uses = (~tools["trial_id"].isin(lost)).sum() / len(USES)
        # An edit is what was sent, too: it holds the new lines.
        assert total.to_dict() == pytest.approx(
            {"target": 2000 * uses, "other": 1000 * uses, "shared": 2000 * uses,
             "edited target": 1005 * uses, "edited other": 1005 * uses}
        )  # fmt: skip

    def test_of_tokens_by_context_are_told_by_name_beside_the_figure(self, trials, tools):
        rows = tokens.data(trials, tools)
        assert set(rows[rows["panel"] == "name"]["part"]) == {
            "read core", "read core+other", "read no context", "edited core", "edited other",
        }  # fmt: skip

    def test_of_tokens_by_use_count_what_went_there_and_came_back(self, trials, tools):
        rows = tokens.data(trials, tools)
        used = rows[rows["panel"] == "use"]
        assert set(used["part"]) == {kind for kind, *_ in USES}
        lost = trials[trials["status"] == "lost"]["trial_id"]
        kept = tools[~tools["trial_id"].isin(lost)]
        total = (kept["request_tokens"] + kept["result_tokens"]).groupby(kept["kind"]).sum()
        found = (used["tokens"] * used["n"]).groupby(used["part"]).sum()
        assert found.to_dict() == pytest.approx(total.to_dict())

    def test_of_tools_are_those_of_the_attempt_that_worked(self, trials, tools):
        """Before it one was lost; after it all were regraded, of which the row has the number."""
        worked = tools.assign(attempt=2)
        told = tokens.data(trials.assign(attempt=3), pd.concat([tools, worked]))
        pd.testing.assert_frame_equal(told, tokens.data(trials, tools))

    def test_of_tools_are_not_there_where_no_trial_that_counts_used_any(self, trials, tools):
        for change in ({"tool_calls": 0}, {"status": "lost"}):
            none = trials.copy()
            none.loc[none["trial_id"].isin(tools["trial_id"]), list(change)] = list(change.values())
            assert set(tokens.data(none, tools)["panel"]) == {"kind"}

    def test_of_tokens_sum_to_the_records(self, trials, tools):
        rows = tokens.data(trials, tools)
        kinds = rows[rows["panel"] == "kind"]
        known = trials[trials["model"].notna() & (trials["status"] != "lost")]
        expected = known["input_tokens"].sum() + known["output_tokens"].sum()
        assert (kinds["tokens"] * kinds["n"]).sum() == pytest.approx(expected)

    def test_of_tokens_leave_out_patches_made_elsewhere(self, trials):
        none = dict.fromkeys((*tokens._KINDS, "input_tokens", "output_tokens"), 0)
        none.pop("answer_tokens")
        elsewhere = trials[trials["model"].notna()].assign(agent_ending=pd.NA, **none)
        both = pd.concat([trials, elsewhere], ignore_index=True)
        pd.testing.assert_frame_equal(tokens.data(both), tokens.data(trials))

    def test_of_few_apps_have_no_interval(self, trials):
        rows = slopes.data(trials)
        assert rows[rows["apps"] <= 5]["low"].isna().all()
        assert rows[rows["apps"] > 5]["low"].notna().all()

    def test_of_sizes_need_two_apps_a_class(self):
        for apps, panels in ((7, {"budget"}), (8, {"budget", "size"})):
            assert set(slopes.data(simulate(Size(apps=apps)))["panel"]) == panels

    def test_of_apps_of_nearly_one_size_are_in_classes_of_two_apps_each(self):
        trials = simulate(Size(apps=8))
        place = {app: n for n, app in enumerate(sorted(set(trials["app"])))}
        trials["app_code_lines"] = 10_000 + 40 * trials["app"].map(place).astype(int)
        rows = slopes.data(trials)
        with ACM.applied():
            axes = slopes.draw(rows, ACM).axes[-1]
        labels = [label.get_text() for label in axes.get_xticklabels()]
        assert labels == ["10–10.07", "10.07–10.14", "10.14–10.21", "10.21–10.28"]
        assert set(rows[rows["panel"] == "size"]["apps"]) == {2}

    def test_at_the_edge_of_a_panel_have_whole_markers(self):
        figure, _ = drawn("context-and-size", ACM)
        points = [
            line for axes in figure.axes for line in axes.lines if line.get_marker() in "os^D"
        ]
        assert points
        assert not any(line.get_clip_on() for line in points)

    def test_of_the_summary_hold_at_scale(self, trials):
        found = summary(trials)
        assert found["n"].sum() + found["lost"].sum() == len(trials)
        assert found["resolved"].sum() == trials["resolved"].sum()


class TestManyModels:
    @pytest.mark.parametrize("style", list(STYLES))
    def test_of_one_cost_that_resolve_nothing_have_names_apart_and_an_axis_in_points(self, style):
        points = {f"claude-sonnet-4-202506{n:02}": (0.1 + 0.001 * n, 0) for n in range(12)}
        with STYLES[style].applied():
            figure = pareto.draw(pareto.data(at_points(points)), STYLES[style])
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
        (axes,) = figure.axes
        boxes = [Text.get_window_extent(name, canvas.get_renderer()) for name in axes.texts]
        assert len(boxes) == 12
        assert all(box.x0 > axes.bbox.x1 for box in boxes), "a name hides points"
        for one, other in combinations(boxes, 2):
            assert not one.overlaps(other)
        low, high = axes.get_ylim()
        assert -1 < low < 0
        assert high > 5

    @pytest.mark.parametrize(
        ("style", "models", "is_short"),
        [("acm", 3, False), ("slides", 3, True), ("acm", 12, True), ("slides", 12, True)],
    )
    def test_have_a_forest_that_a_page_holds(self, style, models, is_short):
        rows, venue = effects_of(models), STYLES[style]
        shown = forest.fitted(rows, venue)
        with venue.applied():
            figure = forest.draw(shown, venue)
        assert figure.get_size_inches()[1] <= venue.tallest
        labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert labels.count("local (L)") == (1 if is_short else 1 + models)
        assert len(labels) == len(shown)
        text = forest.caption(shown)
        assert ("Of each model all classes stand together" in text) == is_short
        pooled = rows[rows["factor"] == "pooled"]
        pd.testing.assert_frame_equal(shown[shown["factor"] == "pooled"], pooled)


@cache
def effects_of(models: int) -> pd.DataFrame:
    """The rows of a forest of so many models."""
    trials = simulate(Size(apps=2))
    many = [trials.assign(model=trials["model"] + f"-{n}") for n in range(models // 3)]
    return forest.data(pd.concat(many, ignore_index=True))


class TestStudiesThatFillNoFigure:
    def test_tasks_in_common_are_needed_for_forest_and_parts(self, tmp_path):
        trials = simulate(Size(apps=2))
        odd = (trials["arm"] == "monolith") & trials["model"].notna()
        trials["task"] = trials["task"].mask(odd, trials["task"] + "-other")
        saved = {one.name: one for one in save_plates(trials, tmp_path, STYLES["acm"])}
        assert saved["forest"].missing
        assert saved["decomposition"].missing
        claims.save_tables(trials, tmp_path)

    def test_a_floor_is_said_in_the_caption_and_has_no_decomposition(self, tmp_path):
        trials = simulate(Size(apps=2))
        trials["resolved"] = trials["resolved"] & trials["model"].isna()
        saved = {one.name: one for one in save_plates(trials, tmp_path, ACM)}
        assert "some trials resolved and some not" in saved["decomposition"].missing
        caption = (tmp_path / "forest.txt").read_text()
        assert " None resolved on either side: a floor, not a sign of equality.\n" in caption
        assert "interval" not in caption

    def test_a_note_of_some_rows_is_said_once_with_how_many(self):
        trials = simulate(Size(apps=2))
        never = trials["model"].notna() & (trials["task_class"] == "D")
        trials["resolved"] = trials["resolved"] & ~never
        for name in ("forest", "decomposition"):
            plate = PLATES[name]
            caption = plate.caption(plate.data(trials))
            assert "95% t intervals over apps" in caption
            assert caption.count("ith 2 apps the smallest possible two-sided p is 0.5") == 1
            floor = "None resolved on either side: a floor, not a sign of equality"
            assert (f" {floor} (4 of 21 estimates)." in caption) == (name == "forest")

    def test_an_arm_that_resolved_everything_stays_in_the_figure_of_failures(self):
        trials = simulate(Size(apps=2))
        best = trials["arm"] == "microservices"
        trials["resolved"] = trials["resolved"].mask(best, other=True)
        trials["status"] = trials["status"].mask(best, "scored")
        rows = failures.data(trials)
        assert {"microservices", "microservices (own)"} <= set(rows["side"])
        assert rows[rows["side"] == "microservices"]["share"].sum() == 0
        assert "microservices 216" in failures.caption(rows)


@pytest.fixture(scope="module")
def saved(trials, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    claims.save_tables(trials, folder)
    return folder


def told(trials: pd.DataFrame, folder: Path) -> dict[str, dict[str, object]]:
    """The claims of these trials by their ids."""
    claims.save_tables(trials, folder)
    return told_in(folder)


def told_in(folder: Path) -> dict[str, dict[str, object]]:
    found = json.loads((folder / "claims.json").read_text())["claims"]
    by_id = {claim["id"]: claim for claim in found}
    assert len(by_id) == len(found)
    return by_id


def of_both(trials: pd.DataFrame) -> pd.DataFrame:
    """Those of the cells that both arms have."""
    arms = trials.groupby(["task", "model", "context_budget"])["arm"].transform("nunique")
    return trials[arms == 2]


class TestClaims:
    def test_hold_every_effect_with_the_digest_of_its_rows(self, trials, tmp_path):
        claims.save_tables(trials, tmp_path)
        document = json.loads((tmp_path / "claims.json").read_text())
        by_id = {claim["id"]: claim for claim in document["claims"]}
        whole = by_id["difference/pooled/pooled"]
        models = trials[trials["model"].notna() & (trials["scope"] == "all")]
        ends = models[models["arm"].isin(["microservices", "monolith"])]
        assert whole["rows_sha256"] == claims.digest(ends.sample(frac=1, random_state=1))
        table = pd.read_csv(tmp_path / "effects.csv").set_index(["factor", "level"])
        assert whole["trials"] == len(ends) == table.loc[("pooled", "pooled"), "trials"]
        across = ends[ends["task_class"] == "X"]
        assert by_id["hypothesis/H3"]["rows_sha256"] == claims.digest(across)
        budgets = ends[ends["context_budget"].isin(["32k", "full"])]
        assert by_id["hypothesis/H4"]["rows_sha256"] == claims.digest(budgets)
        own = trials[trials["scope"] == "own"]
        scope = pd.concat([ends[ends["arm"] == "microservices"], own])
        assert by_id["part/scope"]["rows_sha256"] == claims.digest(scope)
        assert {f"hypothesis/{name}" for name in ASKED} <= set(by_id)
        assert "not tested" in by_id["hypothesis/H2"]["note"]
        assert document["simulated"]

    def test_leave_out_the_rows_that_their_estimators_leave_out(self, tmp_path):
        """Lost trials, those that cost 0, and cells that the monolith never worked in."""
        trials = simulate(Size(apps=6, repeats=2))
        is_first, is_monolith = trials["repeat"] == 0, trials["arm"] == "monolith"
        trials.loc[is_first & is_monolith & trials["family"].eq("5"), "cost_usd"] = 0.0
        started_not = is_first & trials["family"].eq("6") & trials["status"].ne("lost")
        trials.loc[started_not, "failure_cause"] = "app_did_not_start"
        trials.loc[started_not, "collateral_break_share"] = pd.NA
        held_by_some = trials["family"].eq("9") & trials["context_budget"].eq("32k")
        trials = trials[~(held_by_some & is_monolith)]
        by_id = told(trials, tmp_path)
        models = trials[trials["model"].notna()]
        ends = models[
            models["arm"].isin(["microservices", "monolith"]) & (models["scope"] == "all")
        ]
        known = ends[ends["status"] != "lost"]
        paid = of_both(known)
        inside = models[models["task_class"].eq("I") & models["status"].ne("lost")]
        inside = inside[(inside["scope"] == "own") | (inside["arm"] == "monolith")]
        budgets = ends[ends["context_budget"].isin(["32k", "full"]) & ends["family"].ne("9")]
        is_held = models["family"].eq("9") & models["context_budget"].eq("32k")
        services = models[(models["arm"] == "microservices") & ~is_held]
        for name, rows in {
            "cost-per-resolved/pooled": paid,
            "capped/monolith/pooled": paid,
            "cost-per-resolved/simulated-large": paid[paid["model"] == "simulated-large"],
            "cost-ratio/pooled": of_both(known[known["cost_usd"] > 0]),
            "hypothesis/H1": of_both(inside),
            "hypothesis/H4": budgets,
            "hypothesis/H7": paid[paid["task_class"] == "X"],
            "part/scope": services,
        }.items():
            assert by_id[name]["trials"] == len(rows), name
            assert by_id[name]["rows_sha256"] == claims.digest(rows), name

    def test_leave_out_cells_with_too_few_repeats(self, tmp_path):
        """Two apps: three trials of one, of which one is lost, and one of the other."""
        rows = [*one_task_an_app([2])[:3], *one_task_an_app([1, 1])[10:11],
                *one_task_an_app([1, 1], arm="modular")]  # fmt: skip
        trials = to_frame(rows, TrialRecord)
        trials["trial_id"] = [f"t{n}" for n in range(len(trials))]
        trials.loc[1, "status"] = "lost"
        by_id = told(trials, tmp_path)
        once, twice = (by_id[f"pass@{k}/monolith/tool_loop/m/full"] for k in (1, 2))
        assert (once["value"], once["unit"], once["trials"]) == (75.0, "%", 3)
        assert (twice["value"], twice["trials"]) == (100.0, 2)
        assert twice["rows_sha256"] == claims.digest(trials.loc[[0, 2]])
        assert by_id["pass^2/monolith/tool_loop/m/full"]["value"] == 0.0
        assert (once["p"], once["test"]) == (None, None)

    def test_have_an_adjusted_p_but_for_the_one_named_test(self, saved):
        by_id = told_in(saved)
        tested = {name: claim for name, claim in by_id.items() if claim["p"] is not None}
        unadjusted = {name for name, claim in tested.items() if claim["p_adjusted"] is None}
        rules = ("exclude", "worst_low", "worst_high")
        named = {f"lost/{rule}/primary" for rule in rules} | {"difference/pooled/primary"}
        assert unadjusted == named
        assert {name.split("/")[0] for name in tested} == {
            "difference", "equivalence", "marginal", "part", "hypothesis", "cost-ratio",
            "token-ratio", "cost-per-resolved", "quality", "lost", "matched",
        }  # fmt: skip
        for kind in ("equivalence", "marginal", "part", "matched"):
            family = [claim for name, claim in tested.items() if name.split("/")[0] == kind]
            wanted = stats.false_discovery_control([claim["p"] for claim in family])
            assert [claim["p_adjusted"] for claim in family] == pytest.approx(list(wanted))

    def test_are_those_of_compare_to_the_last_resample(self, trials, tmp_path):
        claims.save_tables(trials, tmp_path)
        table = pd.read_csv(tmp_path / "effects.csv").set_index(["factor", "level"])
        compared = comparison.compare(trials, "arm").effects.set_index("level")
        parts = pd.read_csv(tmp_path / "decomposition.csv").set_index("level")
        for row, level in (
            (table.loc[("pooled", "pooled")], "microservices - monolith"),
            (parts.loc["distribution"], "microservices - modular"),
        ):
            columns = ["difference", "low", "bca_low", "bca_high"]
            assert row[columns].tolist() == pytest.approx(compared.loc[level, columns].tolist())

    def test_name_no_test_where_there_is_no_p(self, tmp_path):
        trials = simulate(Size(apps=6))
        by_id = told(trials.assign(resolved=pd.array([False] * len(trials), "boolean")), tmp_path)
        assert by_id["hypothesis/H5"]["note"].startswith("none resolved")
        for name in ("H3", "H5", "H7", "H7 own"):
            claim = by_id[f"hypothesis/{name}"]
            assert (claim["p"], claim["test"]) == (None, None)

    def test_have_the_ratios_of_tokens_too(self, trials, tmp_path):
        """All ratios of the table are one family; patches made elsewhere have no tokens."""
        none = {"input_tokens": 0, "output_tokens": 0, "cost_usd": pd.NA}
        elsewhere = trials[trials["model"].notna()].assign(agent_ending=pd.NA, **none)
        elsewhere = elsewhere.assign(trial_id="e" + elsewhere["trial_id"]).astype(trials.dtypes)
        by_id = told(pd.concat([trials, elsewhere], ignore_index=True), tmp_path)
        table = pd.read_csv(tmp_path / "cost.csv").set_index(["quantity", "level"])
        ends = trials[trials["model"].notna() & trials["scope"].eq("all")]
        ends = ends[ends["arm"].ne("modular") & ends["status"].ne("lost")]
        for quantity in ("input_tokens", "output_tokens"):
            claim = by_id[f"token-ratio/{quantity}/pooled"]
            row = table.loc[(quantity, "pooled")]
            assert (claim["value"], claim["low"], claim["unit"]) == (
                pytest.approx(row["ratio"]),
                pytest.approx(row["ratio_low"]),
                "ratio",
            )
            assert claim["rows_sha256"] == claims.digest(of_both(ends))
        family = [c for name, c in by_id.items() if name.startswith(("token-ratio", "cost-ratio"))]
        wanted = stats.false_discovery_control([claim["p"] for claim in family])
        assert [claim["p_adjusted"] for claim in family] == pytest.approx(list(wanted))

    def test_have_cost_caps_and_repeats_by_side(self, trials, tmp_path):
        by_id = told(trials, tmp_path)
        table = pd.read_csv(tmp_path / "cost.csv").set_index(["quantity", "level"])
        table = table.loc[("cost_usd", "pooled")]
        for side, name in (("minuend", "microservices"), ("subtrahend", "monolith")):
            paid = by_id[f"cost-per-resolved/{name}/pooled"]
            assert (paid["value"], paid["unit"]) == (
                pytest.approx(table[f"per_resolved_{side}"]),
                "USD",
            )
            capped = by_id[f"capped/{name}/pooled"]
            assert (capped["value"], capped["unit"]) == (
                pytest.approx(table[f"capped_{side}"]),
                "%",
            )
        own = trials[(trials["scope"] == "own") & (trials["model"] == "simulated-large")]
        full = own[own["context_budget"].eq("full") & own["status"].ne("lost")]
        once = by_id["pass@1/microservices (own)/tool_loop/simulated-large/full"]
        assert once["rows_sha256"] == claims.digest(full)
        assert 0 < once["value"] <= 100

    def test_wrap_what_was_not_tested_on_the_page(self, trials, tmp_path):
        claims.save_tables(trials, tmp_path)
        lines = (tmp_path / "hypotheses.tex").read_text().splitlines()
        (second,) = [line for line in lines if line.startswith("H2 ")]
        assert r"\multicolumn{5}{p{0.42\textwidth}@{}}{no trials at both doses" in second

    def test_say_what_tested_them_and_over_what_family(self, trials, tmp_path):
        claims.save_tables(trials, tmp_path)
        told = json.loads((tmp_path / "claims.json").read_text())["claims"]
        by_id = {claim["id"]: claim for claim in told}
        primary = by_id["difference/pooled/primary"]
        assert (primary["p"] is None, primary["p_adjusted"]) == (False, None)
        assert all(
            claim["p_adjusted"] >= claim["p"]
            for claim in told
            if claim["id"].startswith("difference/") and claim is not primary
        )
        fifth = by_id["hypothesis/H5"]
        assert (fifth["interval"], fifth["test"]) == (90, "TOST")
        assert by_id["hypothesis/H3"]["test"] == "sign flips over apps"
        assert by_id["hypothesis/H7"]["test"] == "arms swapped within apps"
        equal = by_id["equivalence/pooled/primary"]
        effects = pd.read_csv(tmp_path / "effects.csv").set_index(["factor", "level"])
        row = effects.loc[("pooled", "primary")]
        assert (equal["interval"], equal["test"]) == (90, "TOST")
        assert (equal["low"], equal["p"]) == pytest.approx((row["low90"], row["p_equivalence"]))
        assert by_id["resolved/monolith/pooled/X"]["value"] == pytest.approx(
            effects.loc[("pooled", "X"), "subtrahend"]
        )
        assert by_id["resolved/monolith/pooled/X"]["unit"] == "%"
        marginal = pd.read_csv(tmp_path / "marginal.csv").set_index("stratum")
        found = by_id["marginal/task_class X"]
        assert found["value"] == pytest.approx(marginal.loc["task_class X", "effect"])
        assert found["trials"] == by_id["difference/pooled/X"]["trials"]
        ratio, paid = by_id["cost-ratio/pooled"], by_id["cost-per-resolved/pooled"]
        table = pd.read_csv(tmp_path / "cost.csv").set_index(["quantity", "level"])
        table = table.loc[("cost_usd", "pooled")]
        assert (ratio["value"], ratio["low"]) == pytest.approx((table["ratio"], table["ratio_low"]))
        assert ratio["p"] == pytest.approx(table["p_sign_flip"])
        assert (paid["value"], paid["high"]) == pytest.approx(
            (table["per_resolved_ratio"], table["per_resolved_high"])
        )
        assert paid["p"] == pytest.approx(table["per_resolved_p"])
        assert paid["p"] != pytest.approx(ratio["p"]), "that p is of the other ratio"
        assert paid["test"] == "arms swapped within apps"

    @pytest.mark.parametrize(
        ("column", "value"),
        [("resolved", None), ("arm", "modular"), ("collateral_break_share", 0.5), ("app", "other"),
         ("scope", "own"), ("model", "other"), ("cost_usd", 9.5), ("efferent_change", 7),
         ("app_code_lines", 7), ("failure_cause", "app_did_not_start"), ("contract", pd.NA),
         ("expected_factor", "structure")],
    )  # fmt: skip
    def test_change_their_digest_with_all_that_they_are_made_of(self, trials, column, value):
        changed = trials.copy()
        row = changed.index[changed["model"].notna() & (changed["arm"] == "monolith")][0]
        changed.loc[row, column] = not changed.loc[row, "resolved"] if value is None else value
        assert claims.digest(trials) != claims.digest(changed)

    def test_few_apps_are_said_where_a_p_stands(self, tmp_path):
        claims.save_tables(simulate(Size(apps=4)), tmp_path)
        text = (tmp_path / "hypotheses.tex").read_text()
        assert "H3: with 4 apps the smallest possible two-sided p is 0.125." in text
        assert "H7: with 4 apps" in text
        assert "H5: with 4 apps" not in text
        told = json.loads((tmp_path / "claims.json").read_text())["claims"]
        by_t = ("equivalence/", "marginal/")
        of_few = {claim["id"]: "with 4 apps" in (claim["note"] or "") for claim in told}
        assert of_few["difference/pooled/X"]
        assert of_few["cost-per-resolved/pooled"]
        assert not any(of_few[name] for name in of_few if name.startswith(by_t))

    def test_say_of_geometric_ratios_alone_what_cost_nothing(self, tmp_path):
        trials = simulate(Size(apps=2))
        spent = ["cost_usd", "input_tokens", "output_tokens"]
        free = trials["model"].eq("simulated-small") & trials["repeat"].eq(0)
        trials.loc[free.fillna(value=False), spent] = 0
        by_id = told(trials, tmp_path)
        assert {
            name for name, claim in by_id.items() if "trials of 0" in (claim["note"] or "")
        } == {
            f"{ratio}/{level}"
            for ratio in ("cost-ratio", "token-ratio/input_tokens", "token-ratio/output_tokens")
            for level in ("simulated-small", "pooled")
        }
        assert "with 2 apps" in by_id["cost-ratio/pooled"]["note"]

    def test_count_the_controls_that_ended_as_they_must(self, tmp_path):
        """Also where nothing but controls was run; then there are no tables."""
        controls = to_frame(factory.demo_trials(), TrialRecord)
        by_id = told(controls, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["claims.json"]
        figure = PLATES["calibration"].data(controls)
        assert len(by_id) == len(figure) > 3
        for _, row in figure.iterrows():
            claim = by_id[f"calibration/{row['row'].replace(': ', '/')}/{row['side']}"]
            counted = (claim["value"], claim["trials"], claim["unit"])
            assert counted == (row["right"], row["n"], "trials")
        oracle = controls[controls["agent"].eq("oracle") & controls["arm"].eq("monolith")]
        assert by_id["calibration/oracle/monolith"]["rows_sha256"] == claims.digest(oracle)

    def test_share_out_what_refused_the_trials_of_each_side(self, trials, saved):
        by_id = told_in(saved)
        own = trials[trials["scope"].eq("own") & trials["model"].notna()]
        claim = by_id["failed/lost/microservices (own)"]
        assert claim["value"] == pytest.approx(100 * own["status"].eq("lost").mean())
        assert (claim["trials"], claim["rows_sha256"]) == (len(own), claims.digest(own))
        shares = [c["value"] for n, c in by_id.items() if n.endswith("/microservices (own)")
                  and n.startswith("failed/")]  # fmt: skip
        assert sum(shares) == pytest.approx(100 * (1 - own["resolved"].mean()))

    def test_hold_matched_tasks_and_bounds_as_compare_has_them(self, trials, saved):
        by_id = told_in(saved)
        found = comparison.compare(trials, "model")
        table = found.matched.set_index("level")
        for model, row in table.iterrows():
            assert by_id[f"matched/only/monolith/{model}"]["value"] == row["only_subtrahend"]
            ratio = by_id[f"matched/odds-ratio/{model}"]
            assert (ratio["value"], ratio["p"]) == pytest.approx(
                (row["odds_ratio"], row["p_exact"])
            )
            assert (ratio["test"], ratio["low"]) == ("McNemar, exact", None)
        rules = found.sensitivity.set_index(["missing", "level"])
        for rule in ("exclude", "worst_low", "worst_high"):
            claim, row = by_id[f"lost/{rule}/primary"], rules.loc[(rule, "primary")]
            assert (claim["value"], claim["low"]) == pytest.approx((row["difference"], row["low"]))
        whole = by_id["difference/pooled/primary"]
        assert by_id["lost/worst_low/primary"]["rows_sha256"] == whole["rows_sha256"]
        left = rules.loc[("exclude", "primary"), "trials"]
        assert by_id["lost/exclude/primary"]["trials"] == left < whole["trials"]

    def test_have_no_bounds_where_nothing_was_lost(self, tmp_path):
        arms = one_task_an_app([5, 6]) + one_task_an_app([7, 8], arm="modular")
        assert not any(
            name.startswith("lost/") for name in told(to_frame(arms, TrialRecord), tmp_path)
        )

    def test_of_other_trials_are_removed_where_these_have_none(self, tmp_path):
        both = to_frame(
            one_task_an_app([5, 6]) + one_task_an_app([7, 8], arm="modular"), TrialRecord
        )
        written = claims.save_tables(both, tmp_path)
        assert [path.name for path in written] == list(claims.WRITTEN)
        write_file(tmp_path / "overview.tex", "another command's")
        assert told(both[both["arm"] == "modular"], tmp_path)
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {"claims.json", "overview.tex"}
        assert claims.save_tables(both[:0], tmp_path) == []
        assert [path.name for path in tmp_path.iterdir()] == ["overview.tex"]


class TestPrintedTables:
    @pytest.mark.parametrize("name", claims.TABLES)
    def test_have_a_row_for_each_of_their_csv_and_a_cell_a_column(self, saved, name):
        rows = len(pd.read_csv(saved / f"{name}.csv"))
        text = (saved / f"{name}.tex").read_text()
        assert rf"\label{{tab:{name}}}" in text
        parts = re.findall(r"\\begin{tabular}.*?\\end{tabular}", text, re.DOTALL)
        assert len(parts) == (2 if name == "cost" else 1)
        for part in parts:
            heads, *body = [line for line in part.splitlines() if line.endswith(r"\\")]
            assert len(body) == rows
            cells = {line.count(" & ") for line in body if "multicolumn" not in line}
            assert cells == {heads.count(" & ")}

    def test_round_numbers_as_the_terminal_does(self, trials, saved):
        row = comparison.compare(trials, "model").effects.set_index("level").loc["primary"]
        (line,) = [
            line for line in (saved / "effects.tex").read_text().splitlines()
            if line.startswith("pooled & primary")
        ]  # fmt: skip
        interval = f"[{row['low']:+.1f}, {row['high']:+.1f}]".replace("-", "$-$")
        assert line.split(" & ")[4:8] == [
            f"{row['minuend']:.0f}", f"{row['subtrahend']:.0f}",
            f"{row['difference']:+.1f}".replace("-", "$-$"), interval,
        ]  # fmt: skip
        assert line.split(" & ")[-2] == "--"

    def test_that_no_page_holds_run_over_pages(self, saved):
        shares = pd.read_csv(saved / "reliability.csv")
        text = printed("reliability", pd.concat([shares, shares]))
        assert r"\begin{longtable}" in text
        assert r"\begin{tabular}" not in text

    def test_say_of_which_rows_a_note_is_and_of_most_how_many(self, saved):
        parts = pd.read_csv(saved / "decomposition.csv").assign(note="few_apps", difference=-0.01)
        parts.loc[0, ["note", "low"]] = ["no variance", None]
        caption, first = (
            line for line in printed("decomposition", parts).splitlines()
            if line.startswith((r"\caption", "boundary"))
        )  # fmt: skip
        assert caption.endswith(r" boundary: no variance. 3 of 4 rows: few\_apps.}")
        assert first.split(" & ")[4:6] == ["0.0", "--"]


class TestSimulatedTrials:
    def test_that_the_repository_ships_are_what_the_command_makes(self, tmp_path):
        shipped = Path("results/simulated")
        write(tmp_path, Size())
        pd.testing.assert_frame_equal(read_trials(shipped), read_trials(tmp_path))
        pd.testing.assert_frame_equal(read_tools(shipped), read_tools(tmp_path))
        for name in ("truth.json", "README.md"):
            assert (shipped / name).read_bytes() == (tmp_path / name).read_bytes()

    def test_use_as_many_tools_as_they_say_and_fill_every_panel_of_tokens(self, trials):
        tools = read_tools(Path("results/simulated"))
        worked = trials[trials["model"].notna()].set_index("trial_id")["tool_calls"]
        counts = tools.groupby("trial_id").size().reindex(worked.index, fill_value=0)
        assert (counts == worked).all()
        rows = tokens.data(trials, tools)
        assert set(rows["panel"]) == {"kind", "use", "context", "name"}
        looks = rows[rows["panel"] == "context"].set_index(["side", "part"])["tokens"]
        assert looks["monolith", "other"] > 3 * looks["microservices (own)", "other"] > 0

    def test_of_a_large_study_have_the_tools_of_its_first_trials(self):
        trials = simulate(Size(apps=1))
        tools = tool_uses(trials, seed=1, most=5)
        first = trials.loc[trials["model"].notna(), "trial_id"].head(5)
        assert set(tools["trial_id"]) <= set(first)

    def test_are_read_back_from_parquet_as_they_were(self, tmp_path):
        size = Size(apps=2)
        write(tmp_path, size)
        pd.testing.assert_frame_equal(read_trials(tmp_path), simulate(size))

    def test_are_the_same_bytes_from_the_same_seed(self, tmp_path):
        for name in "ab":
            write(tmp_path / name, Size(apps=2))
        for path in (tmp_path / "a").iterdir():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()

    def test_say_on_every_row_that_they_are_simulated(self, trials):
        assert set(trials["isolation"]) == {"simulated"}
        assert trials["trial_id"].is_unique

    def test_a_broken_parquet_is_bad_input(self, tmp_path):
        (tmp_path / "trials.parquet").write_bytes(b"PAR1 no")
        with pytest.raises(BadInput, match="not a Parquet file"):
            read_trials(tmp_path)

    def test_a_parquet_of_something_else_is_bad_input(self, tmp_path):
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "trials.parquet")
        with pytest.raises(BadInput, match="column trial_id is missing"):
            read_trials(tmp_path)


def test_every_plate_says_what_it_needs():
    assert all(plate.needs for plate in plates.PLATES.values())


def test_a_last_part_without_length_cuts_no_bar(trials) -> None:
    rows = tokens.data(trials.assign(reasoning_tokens=0))
    longest = rows[rows["panel"] == "kind"].groupby("side")["tokens"].sum().max() / 1000
    with STYLES["acm"].applied():
        (axes, *_) = tokens.draw(rows, STYLES["acm"]).axes
    assert axes.get_xlim() == (0, pytest.approx(1.05 * longest))
