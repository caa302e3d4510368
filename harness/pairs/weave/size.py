"""An app among many: contexts of other apps beside its own, under other names, all of them live.

What is added is the domain code of donors with its routes and stores, complete in the contexts
that it asks. One copy of a donor has one word of the lexicon in every name that others could see:
contexts, classes, tables, operations and paths. Nothing of the app itself changes.
"""

import ast
import io
import random
import re
import tokenize
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from harness.errors import BadInput
from harness.pairs.weave.reading import read_app, read_sources
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import asked_first, depths
from harness.specfile import load_yaml

WORDS = Path(__file__).with_name("lexicon.txt")
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the same, ten times as fast
_HEAD = re.compile(r"^from \.(\w+) import", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")


def grown(app: App) -> App:
    """The app as large as its app.yaml asks for; its donors lie beside it. Raises BadInput."""
    size = app.spec.size
    if not size.contexts:
        return app
    donors = [read_app(app.folder.parents[1] / name / "app") for name in size.donors]
    return enlarged(app, donors, size.contexts, size.seed, size.depth)


def enlarged(
    app: App, donors: Sequence[App], contexts: int, seed: int, depth: int | None = None
) -> App:
    """The app with so many contexts of its donors beside it; which words they bear is seeded.

    No chain of contexts that ask one another has more than `depth` of those added; None: any.

    Raises:
        BadInput: there are no donors, not enough words, or a donor names an error otherwise.
    """
    if contexts and not donors:
        raise BadInput(f"{app.folder}: a larger app needs other apps to take contexts from")
    texts = dict(app.texts)
    spec = load_yaml(texts["app.yaml"])
    spec.pop("size", None)
    added = 0
    for word, donor in zip(_words(seed), _in_turn(donors), strict=False):
        if added == contexts:
            break
        copy = Copy(word, donor, contexts - added, depth)
        copy.into(spec, texts)
        added += len(copy.taken)
    if added < contexts:
        raise BadInput(f"{WORDS.name}: too few words for {contexts} more contexts")
    texts["app.yaml"] = yaml.dump(spec, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return read_sources(app.folder, texts)


class Copy:
    """One copy of a donor: its first contexts, so that whom they ask is among them."""

    def __init__(self, word: str, donor: App, most: int, depth: int | None) -> None:
        self.word = word
        self.donor = donor
        layers = depths(donor)
        near = [c for c in asked_first(donor) if depth is None or layers[c.name] <= depth]
        self.taken = near[:most]
        self.spec = _read(donor.texts["app.yaml"])
        self.names = self._names()

    def into(self, spec: dict[str, Any], texts: dict[str, str]) -> None:
        """Add it to the content of an app.yaml and to the files beside it."""
        self._errors(spec, texts)
        types = {self.names[name]: kind for name, kind in self.spec.get("types", {}).items()}
        spec["types"] = spec.get("types", {}) | types
        spec["id_pattern"] = _either(spec["id_pattern"], self.spec["id_pattern"])
        for context in self.taken:
            name = self.names[context.name]
            spec["contexts"][name] = self._context(self.spec["contexts"][context.name])
            texts[f"domain/{name}.py"] = self._code(context.module.text)
        texts["domain/stores.py"] += "\n\n" + "\n\n".join(self._stores())

    def _names(self) -> dict[str, str]:
        """Every name that could meet another's, and what it becomes."""
        title = self.word.title()
        names: dict[str, str] = {}
        for context in self.taken:
            bodies = (*context.spec.bodies, *context.spec.answers)
            names |= {name: title + name for name in (*context.module.classes, *bodies)}
            names |= {name: f"{self.word}_{name}" for name in (context.name, *context.spec.tables)}
            names |= {context.store: title + context.store} if context.store else {}
        return names | {name: title + name for name in self.donor.spec.types}

    def _errors(self, spec: dict[str, Any], texts: dict[str, str]) -> None:
        module = self.donor.errors
        for name, status in self.spec["errors"].items():
            if name not in spec["errors"]:
                code = ast.get_source_segment(module.text, module.classes[name]) or ""
                texts["domain/errors.py"] += f"\n\n{code}\n"
            if spec["errors"].setdefault(name, status) != status:
                told = f"{status}, and {spec['errors'][name]} elsewhere"
                raise self.donor.wrong(told, "errors", name)

    def _context(self, spec: dict[str, Any]) -> dict[str, Any]:
        tables = {
            self.names[name]: self._table(each) for name, each in spec.get("tables", {}).items()
        }
        made = {
            "title": spec["title"],
            "tables": tables,
            "queries": {name: self._query(how) for name, how in spec.get("queries", {}).items()},
            "operations": {
                f"{self.word}_{name}": self._operation(each)
                for name, each in spec["operations"].items()
            },
        }
        for kind in ("bodies", "answers"):
            made[kind] = {
                self.names[name]: {key: self._text(told) for key, told in fields.items()}
                for name, fields in spec.get(kind, {}).items()
            }
        return made

    def _table(self, spec: dict[str, Any]) -> dict[str, Any]:
        refers = {key: self.names[table] for key, table in spec.get("refers", {}).items()
                  if table in self.names}  # fmt: skip
        return spec | {"record": self.names[spec["record"]], "refers": refers}

    def _query(self, how: str) -> str:
        table, where, condition = how.partition(" WHERE ")
        return f"{self.names[table]}{where}{condition}" if table in self.names else how

    def _operation(self, spec: dict[str, Any]) -> dict[str, Any]:
        changed: dict[str, Any] = {
            key: self._text(spec[key]) for key in ("body", "answer") if spec.get(key)
        }
        changed["query"] = {key: self._text(kind) for key, kind in spec.get("query", {}).items()}
        changed["route"] = spec["route"].replace("/v1/", f"/v1/{self.word}-")
        call = ast.parse(spec["call"], mode="eval")
        for node in ast.walk(call):
            if isinstance(node, ast.Name):
                node.id = self.names.get(node.id, node.id)
        return spec | changed | {"call": ast.unparse(call)}

    def _text(self, text: str) -> str:
        return _NAME.sub(lambda found: self.names.get(found.group(), found.group()), text)

    def _code(self, text: str) -> str:
        """Python with the names changed where they are names or annotations; words stay words."""
        lines = text.splitlines(keepends=True)
        for token in reversed(list(tokenize.generate_tokens(io.StringIO(text).readline))):
            if (
                token.type == tokenize.NAME
                and token.string in self.names
                and token.string[0].isupper()
            ):
                new = self.names[token.string]
            elif token.type == tokenize.STRING and _is_annotation(token.string):
                new = self._text(token.string)
            else:
                continue
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new + line[start + len(token.string) :]
        return _HEAD.sub(self._head, "".join(lines))

    def _head(self, found: re.Match[str]) -> str:
        return f"from .{self.names.get(found.group(1), found.group(1))} import"

    def _stores(self) -> Iterator[str]:
        wanted = {context.store for context in self.taken}
        module = self.donor.stores
        for name, node in module.classes.items():
            if name in wanted:
                yield self._code(ast.get_source_segment(module.text, node) or "") + "\n"


@lru_cache(maxsize=16)
def _read(text: str) -> Any:
    """The content of a donor's app.yaml, to be read and never changed."""
    return load_yaml(text)


def _is_annotation(token: str) -> bool:
    """Whether a string is a type in quotes: `"list[Hold]"`, and not a word like `"Hold"`."""
    if not re.fullmatch(r'"[\w\[\]| ]+"', token):
        return False
    try:
        ast.parse(token[1:-1], mode="eval")
    except SyntaxError:
        return False
    return True


def _words(seed: int) -> Iterator[str]:
    words = WORDS.read_text(encoding="utf-8").split()
    random.Random(seed).shuffle(words)  # noqa: S311 - an order, not a secret
    return iter(words)


def _in_turn(donors: Sequence[App]) -> Iterator[App]:
    while True:
        yield from donors


def _either(one: str, other: str) -> str:
    return one if other in one else f"{one}|{other}"
