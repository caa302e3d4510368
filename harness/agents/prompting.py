"""The prompts: Jinja files beside this one, the same on every arm, with digests for the plan."""

import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).with_name("prompts")
_ENVIRONMENT = Environment(  # noqa: S701 - plain text for a model, no page
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
)


def render(name: str, **values: object) -> str:
    """The text of a prompt; a value that it lacks is an error."""
    return _ENVIRONMENT.get_template(f"{name}.j2").render(**values)


def prompt_digests() -> dict[str, str]:
    """SHA-256 of each prompt's source by file name."""
    files = sorted(FOLDER.glob("*.j2"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
