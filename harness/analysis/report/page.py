"""Puts the page together: data as escaped JSON, styles and script inline, a policy by hash."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.analysis.frame import holds_tables_only, to_frame
from harness.analysis.report.blobs import (
    PART_CHARACTERS,
    PATCH_CHARACTERS,
    TALK_CHARACTERS,
    Blobs,
    inline_json,
)
from harness.analysis.report.detail import CALL_COLUMNS, detail, patch_text
from harness.analysis.report.gather import Gathered, gather, missing_tables
from harness.analysis.report.headline import headline
from harness.analysis.report.index import Parts, index
from harness.analysis.report.instructions import Instruction
from harness.analysis.report.pictures import pictures
from harness.analysis.report.talk import talk
from harness.analysis.tables import p_value
from harness.errors import BadInput
from harness.records import TrialRecord
from harness.store import opening, write_atomically

_FOLDER = Path(__file__).with_name("page")
_SCRIPTS = ("nodes", "trials", "address", "table", "diff", "talk", "trial", "start")
_NO_WORDS = Instruction(note="The words of this task are not in the results folder.")
# As in nodes.js: signs that show nothing or turn the direction of writing are written out.
_ODD = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def _visible(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _ODD.sub(lambda sign: f"U+{ord(sign[0]):04X}", value)


_ENVIRONMENT = Environment(
    finalize=_visible,
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters["p_value"] = p_value


def write_report(folder: Path, out: Path, instructions: Mapping[str, Instruction]) -> Path:
    """Write the page for a results folder to `out`; the same records give the same bytes.

    `instructions` holds the words that trials had, by the trial's id, where they are known.

    Raises:
        BadInput: the folder holds no ended trial, a record is corrupt, `out` cannot be written.
    """
    content = page(folder, instructions).encode()
    with opening(out):
        if out.is_dir():
            raise BadInput(f"{out}: is a folder; name a file")
    write_atomically(out, content)
    return out


def page(folder: Path, instructions: Mapping[str, Instruction]) -> str:
    """The page as text."""
    found, blobs = gather(folder), Blobs()
    trials = [one.trial for one in found]
    parts = [_parts(one, blobs, instructions) for one in found]
    frame = to_frame(trials, TrialRecord)
    style, script = _read("page.css"), "\n".join(_read(f"{name}.js") for name in _SCRIPTS)
    document = index(trials, parts) | {"calls": CALL_COLUMNS}
    return _ENVIRONMENT.get_template("page.html.j2").render(
        name=folder.resolve().name,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        headline=headline(frame),
        missing=_missing(folder, found, instructions),
        pictures=pictures(folder, frame),
        index=Markup(inline_json(document)),  # noqa: S704 - holds no < > &
        blobs=blobs.packed,
        digests=_digests(trials),
        caps=(PATCH_CHARACTERS, PART_CHARACTERS, TALK_CHARACTERS),
    )


def _parts(found: Gathered, blobs: Blobs, instructions: Mapping[str, Instruction]) -> Parts:
    words = instructions.get(found.trial.trial_id, _NO_WORDS)
    return Parts(
        detail=blobs.add(detail(found)),
        instruction=blobs.add(vars(words)),
        talk=blobs.add(talk(found, blobs)),
        patch=blobs.add(patch_text(found)),
    )


def _missing(
    folder: Path, found: Sequence[Gathered], instructions: Mapping[str, Instruction]
) -> str | None:
    """What a folder of tables cannot show, in a sentence; None where nothing is missing."""
    if not holds_tables_only(folder):
        return None
    tables = missing_tables(folder)
    absent = [f"the table of {name}" for name in tables]
    if any(one.trial.trial_id not in instructions for one in found):
        absent.insert(0, "the words of the tasks")
    if not found[0].has_files:
        absent = ["conversations", "patches", "the reasons of each factor's verdict", *absent]
    lacks = f" Not in it: {', '.join(absent)}." if absent else ""
    return f"This folder holds tables only.{lacks}"


def _digests(trials: Sequence[TrialRecord]) -> list[str]:
    return sorted({trial.plan_digest for trial in trials})


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        # The browser itself then refuses innerHTML and its like.
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
