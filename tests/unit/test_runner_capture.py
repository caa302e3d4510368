"""What is kept of a command's output."""

import re

from hypothesis import given
from hypothesis import strategies as st

from harness.sandbox.inside.capture import CHUNK, Capture
from harness.sandbox.inside.frames import frame, split_frame


def captured(raw: bytes, limit: int, step: int = 7) -> str:
    capture = Capture(limit)
    for start in range(0, len(raw), step):
        capture.feed(raw[start : start + step])
    return capture.text()


def test_short_output_is_kept_whole():
    assert captured(b"hello\nworld\n", 12) == "hello\nworld\n"


def test_long_output_keeps_head_and_tail_and_names_what_is_left_out():
    assert (
        captured(b"a" * 50 + b"b" * 50, 20)
        == f"{'a' * 10}\n[... 80 bytes left out ...]\n{'b' * 10}"
    )


def test_what_is_drained_and_not_kept_takes_no_memory():
    capture = Capture(0)
    for _ in range(10):
        capture.feed(b"x" * CHUNK)
    assert len(capture._tail) <= CHUNK
    assert capture.text() == f"\n[... {10 * CHUNK} bytes left out ...]\n"


def test_invalid_bytes_become_replacement_characters():
    assert captured(b"ok\xff\xfe!", 100) == "ok\ufffd\ufffd!"


@given(st.text(min_size=30), st.integers(1, 40), st.integers(1, 9))
def test_a_cut_never_breaks_a_character_and_counts_every_byte(text: str, limit: int, step: int):
    raw = text.encode()
    kept = captured(raw, limit, step)
    if len(raw) <= limit:
        assert kept == text
        return
    head, count, tail = re.fullmatch(
        r"(.*)\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n(.*)", kept, re.DOTALL
    ).groups()
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(head.encode()) + int(count) + len(tail.encode()) == len(raw)
    assert len(head.encode()) + len(tail.encode()) <= limit


@given(
    st.lists(st.tuples(st.dictionaries(st.text(), st.integers()), st.binary())), st.integers(1, 9)
)
def test_frames_survive_any_division_of_the_stream(frames, step):
    stream = b"".join(frame(header, payload) for header, payload in frames)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), step):
        buffer += stream[start : start + step]
        while (one := split_frame(buffer)) is not None:
            found.append(one)
    assert found == frames
    assert not buffer
