"""Time by name."""

import time

import pytest

from harness.stopwatch import Stopwatch


def test_a_span_inside_another_counts_for_the_inner_name_only() -> None:
    watch = Stopwatch()
    with watch.span("outer"):
        time.sleep(0.02)
        with watch.span("inner"):
            time.sleep(0.1)
    assert watch.seconds("inner") >= 0.1
    assert 0.02 <= watch.seconds("outer") < 0.1
    assert watch.seconds("outer") + watch.seconds("inner") <= watch.total


def test_spans_of_one_name_add_up_and_an_exception_loses_no_time() -> None:
    watch = Stopwatch()
    with watch.span("a"):
        time.sleep(0.02)
    with pytest.raises(ZeroDivisionError), watch.span("a"):
        _ = time.sleep(0.02) or 1 / 0
    assert watch.seconds("a") >= 0.04
    assert watch.seconds("never") == 0.0
