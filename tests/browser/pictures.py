"""The pictures of the README: `python -m tests.browser.pictures results/demo docs/images`."""

import sys
import tempfile
from pathlib import Path

from harness.results import write_page
from tests.browser.conftest import CHROMIUM

VIEWS = {
    "light": ("#factor=behaviour", "#trials-heading"),
    "dark": ("#agent=oracle&task=atelier%2Frunning-balance&arm=monolith", None),
}


def take(results: Path, images: Path) -> None:
    """Write report-light.png (the trials) and report-dark.png (one of them, its patch)."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        file = Path(place) / "report.html"
        write_page(results, file)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scheme, (view, heading) in VIEWS.items():
            page = browser.new_page(
                color_scheme=scheme,
                viewport={"width": 1200, "height": 860},
                reduced_motion="reduce",
            )
            page.goto(file.as_uri() + view)
            if heading:
                page.locator(heading).evaluate("e => e.scrollIntoView()")
            else:
                page.locator("#trials tbody button").first.click()
                page.get_by_role("button", name="Patch", exact=True).click()
            page.screenshot(path=images / f"report-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
