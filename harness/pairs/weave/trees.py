"""What the arms are made with: trees of files, templates, and how tables are named."""

import re
from functools import cache
from pathlib import Path

from harness.pairs.weave.sources import App, Context
from harness.pairs.weave.spec import CouplingSpec

Tree = dict[str, str]
"""path -> text, not yet formatted"""
TEMPLATES = Path(__file__).with_name("templates")


def template(name: str, **words: str) -> str:
    """A file of `templates`, its words in capitals replaced; one that is empty takes its line."""
    text = _read(name)
    for word, value in words.items():
        text = text if value else re.sub(rf"^{word}\n", "", text, flags=re.MULTILINE)
        text = re.sub(rf"\b{word}\b", value.replace("\\", r"\\"), text)
    return text


@cache
def _read(name: str) -> str:
    return (TEMPLATES / f"{name}.txt").read_text(encoding="utf-8")


def public(app: App) -> dict[str, Context]:
    """The contexts that answer anybody but the other contexts."""
    return {name: each for name, each in app.contexts.items() if each.is_public}


def types_of(app: App, context: Context) -> str:
    """The vocabulary of app.yaml that a context uses."""
    return " ".join(context.vocabulary & set(app.spec.types))


def asked_first(app: App) -> list[Context]:
    """Contexts after those that they ask."""
    done: list[Context] = []

    def visit(context: Context) -> None:
        for other in app.ports(context).values():
            visit(other)
        if context not in done:
            done.append(context)

    for context in app.contexts.values():
        visit(context)
    return done


def depths(app: App) -> dict[str, int]:
    """Contexts of the longest chain of asking that begins at each; 1 asks nobody."""
    found: dict[str, int] = {}
    for context in asked_first(app):
        others = app.ports(context).values()
        found[context.name] = 1 + max((found[other.name] for other in others), default=0)
    return found


def active(app: App, dose: int) -> list[CouplingSpec]:
    """The couplings of the tangled arm at a dose."""
    return [each for each in app.spec.couplings if each.dose <= dose]


def bare(_: str, table: str) -> str:
    """A table by the name that app.yaml gives it."""
    return table


def prefixed(context: str, table: str) -> str:
    """A table by a name that says whose it is."""
    return table if table.startswith(context) else f"{context}_{table}"
