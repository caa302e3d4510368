"""What a verification is told: the settings and the folder they come in.

job.json          Settings
base/  tree/      the app before and after
hidden/           hidden tests of the task
contract/         the app's black-box suite
predicates.py     structural predicates of the task
sequences.json    request sequences
expected.json     their recorded answers; without it `replay` records
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Self

LARGEST_FILE = 1_000_000
"""Bytes of a file that is still parsed; a larger one counts as unparsable."""


class NoVerdict(Exception):
    """The phase cannot say anything: the job is wrong, or the verifier is."""


@dataclass(frozen=True)
class ContextGlobs:
    """The files of one bounded context in this arm, as globs."""

    domain: tuple[str, ...] = ()
    glue: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Everything that a verification depends on besides the files. Times are in seconds."""

    app_url: str = "http://127.0.0.1:8000"
    port_offset: int = 0
    """added to every port that app.toml declares"""
    contexts: Mapping[str, ContextGlobs] = field(default_factory=dict)
    new_contexts: tuple[str, ...] = ()
    """contexts that the base does not have and that the task asks for; see ownership"""
    shared: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    """globs of what a context shows the others; see effort"""
    tests: str = "tests"
    """folder of the visible tests, always protected"""
    id_pattern: str = ""
    """found anywhere in a string; empty: no ids are normalised"""
    predicates: tuple[str, ...] = ()
    intended: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    base_modes: Mapping[str, str] = field(default_factory=dict)
    """git modes of base files that are not 100644"""
    tree_modes: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    """new path -> the path in the base, as git tells it; see effort"""
    urgent: str | None = None
    """context whose tests go first; the suite then ends with the first test that fails. Null: all
    of it, as it stands"""
    documents: Mapping[str, object] | None = None
    """OpenAPI documents of the base by program; null: record them"""
    test_seconds: float = 20.0
    suite_seconds: float = 540.0
    call_seconds: float = 10.0
    document_seconds: float = 60.0
    """for one program's description; an app of 200,000 lines takes 10 s to write its own"""
    documents_seconds: float = 300.0
    """for all programs' together, so that those that stall do not outlast the phase"""
    replay_seconds: float = 540.0
    inspect_seconds: float = 30.0
    inspect_mb: int = 768
    answer_bytes: int = 1_000_000
    """largest answer of the app that is read"""

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises NoVerdict on an unknown or missing field."""
        try:
            raw = json.loads(text)
            known = {f.name for f in fields(cls)}
            if unknown := set(raw) - known:
                raise NoVerdict(f"job.json: unknown setting {min(unknown)!r}")
            raw = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            raw["contexts"] = {
                name: ContextGlobs(tuple(globs["domain"]), tuple(globs["glue"]))
                for name, globs in raw.get("contexts", {}).items()
            }
            return cls(**raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise NoVerdict(f"job.json: {error}") from None


@dataclass(frozen=True)
class Job:
    """A job folder."""

    root: Path
    settings: Settings

    @classmethod
    def load(cls, root: Path) -> Self:
        try:
            text = (root / "job.json").read_text("utf-8")
        except OSError as error:
            raise NoVerdict(f"no job: {error}") from None
        return cls(root.resolve(), Settings.from_json(text))

    def text(self, name: str) -> str:
        """A file of the job. Raises NoVerdict."""
        try:
            return (self.root / name).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise NoVerdict(f"{name}: {error}") from None

    def files(self, name: str) -> dict[str, bytes]:
        """The regular files below a folder of the job, by POSIX path; links are not followed."""
        top = self.root / name
        if not top.is_dir():
            raise NoVerdict(f"the job has no folder {name}/")
        found = {}
        for folder, _, names in os.walk(top):
            for entry in sorted(names):
                path = Path(folder, entry)
                if path.is_file() and not path.is_symlink():
                    found[path.relative_to(top).as_posix()] = path.read_bytes()
        return found
