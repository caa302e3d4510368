"""The report as a person meets it: in a browser, from a file."""

import re

import pytest
from PIL import Image

from tests.browser.conftest import MANY, open_first, reported, rows, status
from tests.records_factory import trial
from tests.report_runs import entry, many_trials, write_lines

pytestmark = pytest.mark.browser
both_schemes = pytest.mark.parametrize("visit", ["light", "dark"], indirect=True)


def choose(page, label, value):
    page.get_by_label(label, exact=True).select_option(value)


def focused(page):
    """What has the focus, in words."""
    return page.evaluate(
        "() => { const e = document.activeElement; return e.dataset.row ? 'row ' + e.dataset.row :"
        " e.name || e.id || e.textContent.trim() }"
    )


def press_until(page, key, wanted, most=40):
    """Press a key until what has the focus is called so; the number of times."""
    for times in range(1, most + 1):
        page.keyboard.press(key)
        if focused(page) == wanted:
            return times
    pytest.fail(f"{most} times {key} did not reach {wanted!r}; the focus is on {focused(page)!r}")


# Looking for trials.


@pytest.mark.parametrize(
    ("label", "value", "found"),
    [
        ("Arm", "monolith", 13),
        ("Task", "atelier/late-refund", 6),
        ("Class", "X", 6),
        ("Agent", "oracle", 8),
        ("Model", "m-1", 2),
        ("Scope", "own", 2),
        ("Budget", "32k", 2),
        ("Dose", "1", 2),
        ("Status", "lost", 1),
        ("Resolved", "yes", 9),
        ("Failing factor", "behaviour", 6),
        ("Failing factor", "none", 10),
    ],
)
def test_a_filter_leaves_the_trials_that_match_and_says_how_many(visit, demo, label, value, found):
    page = visit.open(demo)
    assert rows(page).count() == 26
    assert status(page) == "26 trials: 9 resolved, 1 lost"
    choose(page, label, value)
    assert rows(page).count() == found
    assert status(page).startswith(f"{found} of 26 trials match: ")


def test_filters_add_up_and_are_cleared_together(visit, demo):
    page = visit.open(demo)
    choose(page, "Arm", "monolith")
    choose(page, "Agent", "sabotage")
    page.get_by_label("Search").fill("late-refund")
    assert status(page) == "1 of 26 trials match: 0 resolved, 0 lost"
    page.get_by_role("button", name="Clear filters").click()
    assert status(page) == "26 trials: 9 resolved, 1 lost"
    assert page.get_by_label("Arm", exact=True).input_value() == ""


@pytest.mark.parametrize(
    ("words", "found"),
    [("equivalence: told", 2), ("ORACLE", 8), ("swap-job", 6), ("m-1", 2), ("create timed", 1),
     ("told oracle", 0), ("none", 0)],
)  # fmt: skip
def test_a_search_looks_in_task_reason_agent_and_model(visit, demo, words, found):
    page = visit.open(demo)
    page.get_by_label("Search").fill(words)
    assert rows(page).count() == found


def test_a_column_sorts_up_down_and_back(visit, demo):
    page = visit.open(demo)
    head, button = page.locator("th.w-tokens"), page.get_by_role("button", name="Tokens")
    button.click()
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert rows(page).first.locator("td.num").nth(1).inner_text() == "2,100"
    button.click()
    assert head.get_attribute("aria-sort") == "none"


def test_a_view_is_kept_in_the_address_and_can_be_opened_again(visit, demo):
    page = visit.open(demo)
    choose(page, "Agent", "tool_loop")
    page.get_by_label("Search").fill("price")
    page.get_by_role("button", name="Time").click()
    open_first(page, "atelier/price-tiers")
    view = page.evaluate("location.hash")
    page = visit.open(demo, view)
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_label("Search").input_value() == "price"
    assert status(page).startswith("2 of 26 trials match")
    assert page.locator("th.w-time").get_attribute("aria-sort") == "ascending"
    page.evaluate("location.hash = '#arm=monolith'")
    page.wait_for_function("document.querySelectorAll('#trials tbody tr').length === 13")


def test_an_address_that_says_nothing_known_shows_what_matches_nothing(visit, demo):
    page = visit.open(demo, "#arm=none-such&trial=none-such&page=nine&sort=odd")
    assert status(page) == "0 of 26 trials match: 0 resolved, 0 lost"
    assert not page.get_by_role("dialog").is_visible()


# Reading a trial.


def test_an_opened_trial_shows_verdict_instruction_conversation_patch_and_effort(visit, demo):
    page = visit.open(demo, "#agent=tool_loop&arm=monolith")
    open_first(page, "atelier/price-tiers")
    words = page.get_by_role("dialog").inner_text()
    for said in (
        "✓ holds", "Make the price tiers a table.", "You are careful.", "Please refactor. words",
        "The model thinks", "The model uses a tool: bash", "command: ls words\ncat 2",
        "listing 0.2", "1,000 tokens in, 50 out, 1.5 s", "How it ended: submitted",
        "catalogue/service.py (+2 \u22122)", "Largest request", "Calls of the model",
    ):  # fmt: skip
        assert said in words, said


def test_small_sums_and_times_on_an_edge_are_rounded_once(visit, tmp_path):
    row = trial(agent="tool_loop", model="m-1", variant=None, model_calls=2, cost_usd=0.00008,
                agent_seconds=179.6, verify_seconds=119.4)  # fmt: skip
    told = entry(row)
    calls = tuple(call.model_copy(update={"cost_usd": 0.00004}) for call in told.calls)
    write_lines(tmp_path, [told.model_copy(update={"calls": calls})])
    page = visit.open(reported(tmp_path))
    open_first(page, "atelier/price-tiers")
    words = page.get_by_role("dialog").inner_text()
    for said in ("$0.00008", "3 min 0 s", "119 s"):
        assert said in words, said
    costs = page.get_by_role("dialog").locator("table").filter(has_text="fresh input").first
    assert [line.split()[-1] for line in costs.locator("tbody tr").all_inner_texts()] == [
        "0.00004", "0.00004",
    ]  # fmt: skip


def test_a_page_of_tables_alone_is_filtered_and_says_what_a_trial_lacks(visit, tables):
    page = visit.open(tables)
    assert "This folder holds tables only." in page.get_by_role("banner").inner_text()
    choose(page, "Class", "X")
    assert status(page).startswith("6 of 26 trials match: ")
    page = visit.open(tables, "#agent=tool_loop&arm=monolith")
    open_first(page, "atelier/price-tiers")
    words = page.get_by_role("dialog").inner_text()
    for said in (
        "There is no conversation: this folder holds tables only.",
        "There is no patch: this folder holds tables only.",
        "this is what the record says", "✓ holds", "2,000",
    ):  # fmt: skip
        assert said in words, said


def test_a_refused_trial_names_the_factor_and_its_reason(visit, demo):
    page = visit.open(demo, "#agent=sabotage&task_class=X")
    open_first(page, "atelier/rename-credit-hold")
    row = page.get_by_role("dialog").get_by_role("row", name="contract")
    assert "✗ does not hold" in row.first.inner_text()
    assert "told in one line (score.json)" in row.first.inner_text()


def test_a_diff_tells_lines_apart_by_sign_and_by_colour_and_counts_them(visit, demo):
    page = visit.open(demo)
    open_first(page, "atelier/late-refund")
    files = page.locator(".file")
    assert files.locator("summary").all_inner_texts() == [
        "catalogue/service.py (+2 \u22122)",
        "new.py (+1 \u22120)",
    ]
    lines = files.first.locator(".line:not(.meta)").all_inner_texts()
    assert [re.sub(r"\s+", " ", line).strip() for line in lines] == [
        "@@ -1,4 +1,4 @@",
        "1 1 import os",
        "2 \u2212 -- a/not a header",
        "2 + ++ b/not a header either",
        "3 3 kept = {number}",
        "4 \u2212 gone = {number}",
        "4 + come = {number}",
    ]
    backs = [
        files.first.locator(f".{kind}").first.evaluate("e => getComputedStyle(e).backgroundColor")
        for kind in ("add", "del", "same")
    ]
    assert len(set(backs)) == 3


def test_the_next_trial_is_the_next_of_those_that_match(visit, demo):
    page = visit.open(demo, "#agent=oracle")
    open_first(page, "atelier/late-refund")
    title = page.locator("#trial-title")
    assert title.inner_text() == "atelier/late-refund, microservices, oracle"
    assert page.get_by_role("button", name="Previous", exact=True).is_disabled()
    page.get_by_role("button", name="Next", exact=True).click()
    assert title.inner_text() == "atelier/late-refund, monolith, oracle"
    page.get_by_role("button", name="Close").click()
    # The browser tells the page of the closing a moment later.
    wanted = rows(page).nth(1).locator("button").get_attribute("data-row")
    page.wait_for_function(f"document.activeElement.dataset.row === '{wanted}'")


# Without a mouse, by ear, in the dark.


def test_everything_is_reached_with_the_keyboard_and_the_focus_comes_back(visit, demo):
    page = visit.open(demo)
    page.keyboard.press("Tab")
    assert focused(page) == "skip"
    page.keyboard.press("Enter")
    assert focused(page) == "trials-heading"
    page.keyboard.press("Tab")
    assert focused(page) == "q"
    page.keyboard.type("late")
    assert status(page).startswith("6 of 26 trials match")
    for name in (
        "arm", "task", "task_class", "agent", "model", "scope", "context_budget", "dose",
        "status", "resolved",
    ):  # fmt: skip
        assert press_until(page, "Tab", name) == 1, name
    assert press_until(page, "Tab", "factor") == 1
    page.keyboard.press("ArrowDown")
    assert status(page).startswith("4 of 26 trials match")
    first = "row " + rows(page).first.locator("button").get_attribute("data-row")
    press_until(page, "Tab", first)
    page.keyboard.press("ArrowDown")
    second = focused(page)
    assert second != first
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("heading", name="Everything recorded").wait_for()
    assert focused(page) == "trial-title"
    inside = "document.getElementById('trial').contains(document.activeElement)"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert focused(page) == second


def test_every_field_picture_and_table_has_a_name_for_those_who_listen(visit, demo):
    page = visit.open(demo)
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('select, input, button, img, table, th, dialog')]"
        ".filter(e => !(e.labels?.length || e.textContent.trim() || e.alt"
        " || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML)"
    )
    assert unnamed == []
    assert page.locator("#count").get_attribute("aria-live") == "polite"
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").count() == 1


CONTRAST = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const back = (e) => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    const says = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!says || e.disabled || !e.checkVisibility() || e.closest('script, option')) continue;
    const [one, other] = [light(channels(getComputedStyle(e).color)), light(back(e))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return found;
}"""


@both_schemes
def test_a_picture_of_the_page_is_light_or_dark_as_asked(visit, demo, tmp_path):
    page = visit.open(demo)
    page.screenshot(path=tmp_path / "page.png")
    grey = Image.open(tmp_path / "page.png").convert("L")
    levels = grey.histogram()
    mean = sum(level * many for level, many in enumerate(levels)) / sum(levels)
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert mean < 70 if is_dark else mean > 185
    assert sum(number > 0 for number in levels) > 20  # words, not an empty page


@both_schemes
def test_all_text_is_legible_in_light_and_dark(visit, demo):
    page = visit.open(demo)
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") == (
        not page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    )
    assert page.evaluate(CONTRAST) == []
    open_first(page, "atelier/late-refund")
    page.wait_for_timeout(300)
    assert page.evaluate(CONTRAST) == []


def test_nothing_moves_for_those_who_do_not_want_it(visit, demo):
    visit.page.emulate_media(reduced_motion="reduce")
    page = visit.open(demo)
    open_first(page, "atelier/late-refund")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.locator("#close").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


def test_a_narrow_window_does_not_scroll_sideways(visit, demo):
    visit.page.set_viewport_size({"width": 360, "height": 700})
    page = visit.open(demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    open_first(page, "atelier/late-refund")
    assert page.locator("#trial").evaluate("e => e.scrollWidth <= e.clientWidth")


# Ten thousand trials.


@pytest.mark.long
def test_ten_thousand_trials_are_painted_in_a_second_and_filtered_in_a_tenth(visit, many):
    paints, filters = [], []
    for _ in range(5):  # the machine is shared: the best of five of each is what the page needs
        page = visit.open(many)
        paints.append(page.evaluate(PAINTED))
        filters.append(page.evaluate(FILTERED))
    slowest = max(min(times) for times in zip(*filters, strict=True))
    print(f"first paint {min(paints):.0f} ms, slowest filter {slowest:.0f} ms")
    assert min(paints) < 1000
    assert slowest < 100
    assert rows(page).count() == 50


PAINTED = """() => new Promise(done => new PerformanceObserver(list => done(
  list.getEntriesByName('first-contentful-paint')[0].startTime))
  .observe({ type: 'paint', buffered: true }))"""
FILTERED = """() => {
  const times = [];
  const set = (name, value) => {
    const field = document.querySelector(`[name=${name}]`), start = performance.now();
    field.value = value;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    document.body.offsetHeight;
    times.push(performance.now() - start);
  };
  set('arm', 'monolith'); set('arm', ''); set('factor', 'structure'); set('factor', '');
  set('q', 'trial 77'); set('q', 'oracle'); set('q', '');
  return times;
}"""


@pytest.mark.long
def test_a_page_of_ten_thousand_trials_is_turned_and_its_last_trial_is_read(visit, many):
    page = visit.open(many, "#page=200")
    assert rows(page).count() == 50
    assert "Page 200 of 200" in page.locator("#pager").inner_text()
    assert page.locator("#page-on").is_disabled()
    page.locator("#page-back").click()
    assert "Page 199 of 200" in page.locator("#pager").inner_text()
    name = many_trials(MANY)[-1].trial_id
    page = visit.open(many, f"#trial={name}")
    page.get_by_role("heading", name="Everything recorded").wait_for()
    assert f"words of trial {MANY - 1}" in page.get_by_role("dialog").inner_text()
    page.get_by_role("button", name="Close").click()
    assert page.evaluate("document.activeElement.dataset.row !== undefined")
