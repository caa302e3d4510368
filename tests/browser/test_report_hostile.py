"""Nothing that came from a model or a patch runs, and nothing leaves the page."""

import pytest

from tests.browser.conftest import open_first, rows, status
from tests.report_runs import HOSTILE, hostile_trial

pytestmark = pytest.mark.browser


def test_nothing_hostile_runs_and_all_of_it_can_be_read(visit, hostile):
    page = visit.open(hostile)
    page.evaluate("document.querySelector('#trials tbody button').click()")
    page.get_by_role("dialog").get_by_role("heading", name="Everything recorded").wait_for()
    for closed in page.locator("dialog details:not([open]) > summary").all():
        closed.click()
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
    words = page.get_by_role("dialog").inner_text()
    seen = HOSTILE.replace("\u2028", "U+2028").replace("\u202e", "U+202E")
    seen = seen.replace("\U000e0041", "U+E0041")
    for part in ("listing 0.2 ", "structure: ", "You are careful. ", "+kept", "command: ls "):
        assert part.strip("+") in words
    assert words.count(seen) > 12
    assert page.locator("a").count() == 1  # the one that skips to the trials
    # Two figures, the one of the folder and what refused the trial; none of what trials said.
    assert page.locator("img").count() == 2
    assert page.locator("img:not([src^='data:image/png;base64,'])").count() == 0
    assert visit.asked_of_others(hostile) == []


def test_hostile_words_in_the_address_do_nothing(visit, hostile):
    page = visit.open(hostile, "#q=<img src=x onerror=window.ran=1>&trial=<script>")
    assert page.evaluate("window.ran") is None
    assert page.get_by_label("Search").input_value().startswith("<img")
    assert (
        page.get_by_label("Agent", exact=True).locator("option").nth(1).get_attribute("value")
        == hostile_trial().agent
    )


@pytest.mark.parametrize("sort", ["__proto__", "-valueOf", "constructor"])
def test_an_order_that_the_address_makes_up_leaves_the_trials_as_they_are(visit, hostile, sort):
    page = visit.open(hostile, f"#sort={sort}")
    assert rows(page).count() == 1
    assert status(page) == "1 trial: 0 resolved, 0 lost"


def test_the_browser_itself_refuses_markup_from_strings(visit, demo):
    page = visit.open(demo)
    refused = page.evaluate(
        "() => { try { document.body.innerHTML = '<p>'; return false } catch { return true } }"
    )
    assert refused
    assert [line for line in visit.complaints if "TrustedHTML" in line]
    visit.complaints.clear()


def test_the_page_asks_nothing_of_anybody(visit, demo):
    page = visit.open(demo)
    open_first(page, "atelier/late-refund")
    assert visit.asked_of_others(demo) == []
    assert (
        page.evaluate("fetch('https://example.org/').then(() => 'answered', () => 'refused')")
        == "refused"
    )
    assert [line for line in visit.complaints if "Content Security Policy" in line]
    visit.complaints.clear()
