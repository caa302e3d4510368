import io
import itertools

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from harness.analysis.figures import caption, overview, paper_style, render, save_overview
from harness.analysis.frame import to_frame
from harness.records import TrialRecord
from tests.records_factory import demo_trials, lost

THREE_ARMS = ("monolith", "modular", "microservices")


def frame(trials):
    return to_frame(trials, TrialRecord)


def gone(trials):
    return [lost(t) for t in trials]


def unresolved(trials):
    return [t.model_copy(update={"resolved": False}) for t in trials]


def with_models(trials):
    changes = {"agent": "tool_loop", "model": "a-model-with-a-very-long-name_$4.1"}
    return [t.model_copy(update=changes) if t.agent == "nop" else t for t in trials]


def text_boxes(figure):
    """The pixel boxes of all texts that are drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for axes in figure.axes for text in drawn_texts(axes) if text.get_text()]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]


def drawn_texts(axes):
    legend = axes.get_legend()
    # A tick beyond the limits exists, but is not drawn.
    ticks = [t for t in axes.get_xticklabels() if t.get_position()[0] <= axes.get_xlim()[1]]
    titles = axes.findobj(lambda a: a in {axes.xaxis.label, axes.title, axes._left_title})
    return [*axes.texts, *ticks, *titles, *(legend.get_texts() if legend else [])]


def alike(trials):
    """The trials, by two models in turn."""
    names = ("claude-sonnet-4-20250514", "claude-sonnet-4-20250929")
    return [
        t.model_copy(update={"agent": "tool_loop", "model": name})
        for t, name in zip(trials, itertools.cycle(names), strict=False)
    ]


CASES = {
    "demo": demo_trials(),
    "three arms": demo_trials(THREE_ARMS),
    "one arm": demo_trials(("monolith",)),
    "one arm of a task is missing": demo_trials()[:-3],
    "one lost": gone(demo_trials()[:1]) + demo_trials()[1:],
    "all lost": gone(demo_trials()),
    "nothing resolved": unresolved(demo_trials()),
    "models with long names": with_models(demo_trials(THREE_ARMS)),
    "two models that begin alike": alike(demo_trials(("monolith",))),
    "one trial": demo_trials()[:1],
}


@pytest.mark.parametrize("trials", CASES.values(), ids=CASES.keys())
def test_no_text_is_cut_and_no_two_texts_overlap(trials):
    with paper_style():
        figure = overview(frame(trials))
        boxes = text_boxes(figure)
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
    for index, (text, box) in enumerate(boxes):
        clashing = [
            other for other, place in boxes[index + 1 :] if box.padded(-0.5).overlaps(place)
        ]
        assert not clashing, text


def test_models_that_begin_alike_are_told_apart():
    trials = alike(demo_trials(("monolith",)))
    with paper_style():
        texts = [text.get_text() for text in overview(frame(trials)).axes[0].texts]
    heads = {text for text in texts if text.startswith("tool_loop\n")}
    assert heads == {"tool_loop\nclaude-sonnet…250514", "tool_loop\nclaude-sonnet…250929"}


def test_the_longest_bar_ends_before_its_panel_does():
    no_glue = [t.model_copy(update={"glue_lines_changed": 0}) for t in demo_trials()]
    with paper_style():
        changes = overview(frame(no_glue)).axes[1]
    longest = max(patch.get_x() + patch.get_width() for patch in changes.patches)
    assert 1.02 * longest < changes.get_xlim()[1]


UNCOUNTED = {"domain_lines_changed": None, "glue_lines_changed": None, "contexts_changed": None}


def repeated(trials, repeat, **changes):
    return [
        t.model_copy(update={"trial_id": f"{repeat}{t.trial_id[1:]}", "repeat": repeat, **changes})
        for t in trials
    ]


def bar_widths(trials, panel):
    """The lengths of a panel's bars, from the first task's first arm on, part by part."""
    with paper_style():
        return [patch.get_width() for patch in overview(frame(trials)).axes[panel].patches]


def test_bars_of_change_are_means_over_what_was_counted_of_the_resolved_trials():
    trials = demo_trials()
    more = [
        t.model_copy(update={"domain_lines_changed": t.domain_lines_changed + 10,
                             "glue_lines_changed": t.glue_lines_changed + 2})
        for t in repeated(trials, 2)
    ]  # fmt: skip
    huge = {"resolved": False, "domain_lines_changed": 10_000, "glue_lines_changed": 10_000}
    everything = [*trials, *repeated(trials, 1, **UNCOUNTED), *more, *repeated(trials, 3, **huge)]
    # Of an arm the reference solution alone is resolved: (46 + 56) / 2, (4 + 6) / 2, and so on.
    assert bar_widths(everything, 1) == [
        51, 5, 51, 7,
        123, 10, 123, 15,
        42, 34, 42, 89,
        29, 13, 29, 32,
    ]  # fmt: skip


def test_changes_that_were_never_counted_have_bars_of_no_length():
    trials = repeated([t for t in demo_trials() if t.resolved], 0, **UNCOUNTED)
    assert bar_widths(trials, 1) == [0] * 16


def test_bars_of_time_are_means_over_the_scored_trials():
    endless = {"agent_seconds": 1e4, "verify_seconds": 1e4, "overhead_seconds": 1e4}
    trials = [*demo_trials(), *repeated(gone(demo_trials()), 1, **endless)]
    # Of an arm's three agents one does nothing, in no time: (0.2 + 0 + 0.2) / 3.
    verified = [3.1, 5.2, 3.47, 5.57, 3.84, 5.94, 4.21, 6.31]
    assert bar_widths(trials, 2) == pytest.approx(
        [width for seconds in verified for width in (0.4 / 3, seconds, 0.74)]
    )


def test_the_figure_of_the_demo_is_as_wide_as_two_columns_of_a_paper():
    assert overview(frame(demo_trials())).get_size_inches()[0] == 7.0


@pytest.mark.parametrize("file_format", ["pdf", "png"])
def test_the_same_records_give_the_same_bytes_in_any_order(file_format):
    trials = demo_trials()
    once = render(overview(frame(trials)), file_format)
    assert render(overview(frame(trials[::-1])), file_format) == once


def test_other_records_give_another_picture():
    trials = demo_trials()
    changed = [trials[0].model_copy(update={"structure": False}), *trials[1:]]
    assert render(overview(frame(changed)), "png") != render(overview(frame(trials)), "png")


def test_the_pdf_holds_truetype_fonts_and_no_date():
    content = render(overview(frame(demo_trials())), "pdf")
    assert b"/CIDFontType2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content


def test_a_factor_that_held_is_told_from_one_that_did_not_in_grey():
    def brightness(trials):
        image = Image.open(io.BytesIO(render(overview(frame(trials)), "png"))).convert("L")
        return sum(level * count for level, count in enumerate(image.histogram()))

    held = demo_trials()
    failed = [t.model_copy(update={"integrity": False}) for t in held]
    # 24 boxes of about 500 pixels, each darker by far more than 80 of 255 levels.
    assert brightness(failed) - brightness(held) > 24 * 500 * 80


def test_the_caption_tells_how_many_trials_counted_and_how_many_were_lost():
    trials = demo_trials()
    text = caption(frame([lost(trials[0]), *trials[1:]]))
    assert text.startswith("Overview of 23 trials (4 tasks of 1 app, ")
    assert "1 more lost to infrastructure" in text
    assert "isolation" not in text


def test_the_caption_says_what_the_figure_does_not_tell_apart():
    trials = demo_trials()
    assert "together" not in caption(frame(trials))
    trials[0] = trials[0].model_copy(update={"scope": "own", "context_budget": "32k"})
    text = caption(frame(trials))
    assert "Boxes and bars are over scopes and context budgets together." in text


def test_the_caption_says_when_a_run_had_no_isolation():
    trials = [t.model_copy(update={"isolation": "none"}) for t in demo_trials()]
    assert "without isolation" in caption(frame(trials))


def test_the_overview_is_saved_for_paper_readme_and_caption(tmp_path):
    paths = save_overview(frame(demo_trials()), tmp_path / "figures")
    assert [path.name for path in paths] == ["overview.pdf", "overview.png", "overview.txt"]
    assert [path.read_bytes()[:4] for path in paths] == [b"%PDF", b"\x89PNG", b"Over"]
    assert sorted(p.name for p in (tmp_path / "figures").iterdir()) == sorted(
        path.name for path in paths
    )
