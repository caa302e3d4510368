"""What a program printed, as it is told again."""

import os
from collections.abc import Iterable
from pathlib import Path

from harness.sandbox.inside.logs import Log, last_lines


def logged(folder: Path, program: str, chunks: Iterable[bytes]) -> None:
    pipe, writer = os.pipe()
    os.set_blocking(pipe, False)
    log = Log(folder / f"{program}.log", pipe)
    for chunk in chunks:
        os.write(writer, chunk)
        log.pump()
    os.close(writer)
    log.close()


def texts(folder: Path, count: int = 100) -> list[str]:
    return [line.split(" ", 1)[1] for line in last_lines(folder, count)]


def test_a_line_ends_at_a_line_feed_and_nowhere_else(tmp_path):
    odd = "10 %\r20 %\x0b30 %\x85forty\u2028fifty"
    logged(tmp_path, "edge", [f"{odd}\nlast\n".encode()])
    assert texts(tmp_path) == [f"edge | {odd}", "edge | last"]
    assert texts(tmp_path, 1) == ["edge | last"]


def test_programs_that_said_nothing_or_an_empty_line_have_no_line_too_many(tmp_path):
    logged(tmp_path, "silent", [])
    logged(tmp_path, "terse", [b"\n", b"no end"])
    assert texts(tmp_path) == ["terse | ", "terse | no end"]
