"""What `fixtures/<app>/app/app.yaml` may say."""

import re
from typing import Literal

from pydantic import Field, field_validator

from harness.pairs.spec import CouplingKind, Spec

ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/v1(?:/[a-z-]+|/\{[a-z_]+\})+)")
FIELD = re.compile(
    r"(?P<type>[A-Za-z_][\w\[\], |]*?)(?: (?P<low>\d+)\.\.(?P<high>\d+))?(?: = (?P<default>.+))?"
)
Fields = dict[str, str]
"""name -> `Type`, `Type = default`, or `list[Type] 1..9`"""


class Vocabulary(Spec):
    """A type of the API: a closed set of words, a pattern, a range of numbers, a length of text."""

    words: tuple[str, ...] | None = None
    pattern: str | None = None
    number: tuple[int, int] | None = None
    length: tuple[int, int] | None = None


class TableSpec(Spec):
    """A table; its columns are the fields of a record of the domain."""

    record: str
    key: str | None = None
    unique: tuple[str, ...] = ()
    index: tuple[tuple[str, ...], ...] = ()
    refers: dict[str, str] = Field(default_factory=dict)
    """column -> table of any context; across contexts it is a coupling of the tangled arm alone"""


class Operation(Spec):
    """One endpoint of the public API."""

    route: str
    status: int = 200
    body: str | None = None
    query: Fields = Field(default_factory=dict)
    call: str
    """an expression over the service, `store`, `body` and the parameters"""
    answer: str
    refuses: dict[str, int] = Field(default_factory=dict)

    @field_validator("route")
    @classmethod
    def _is_route(cls, value: str) -> str:
        if not ROUTE.fullmatch(value):
            raise ValueError(f"{value!r} is not METHOD /v1/path")
        return value

    @property
    def method(self) -> str:
        return self.route.split()[0].lower()

    @property
    def path(self) -> str:
        return self.route.split()[1]

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)


class ContextSpec(Spec):
    """A bounded context: what it stores, what it answers."""

    title: str
    tables: dict[str, TableSpec] = Field(default_factory=dict)
    queries: dict[str, str] = Field(default_factory=dict)
    """method of the store -> SQL condition over its parameters, or insert, update, upsert"""
    bodies: dict[str, Fields] = Field(default_factory=dict)
    answers: dict[str, Fields] = Field(default_factory=dict)
    operations: dict[str, Operation]


class CouplingSpec(Spec):
    """An implicit coupling of the tangled arm, and from which dose on it is there."""

    name: str
    kind: CouplingKind
    dose: Literal[0, 1, 2] = 1
    """0: always; it is part of the domain"""
    survives: bool
    """true: it exists in every arm (matched); false: extraction ends it (natural)"""
    contexts: tuple[str, ...]
    meaning: str
    query: str | None = None
    """cache_key: the store's method whose rows are kept in memory"""
    key: str | None = None
    """cache_key: the prefix of the key"""
    readers: dict[str, str] = Field(default_factory=dict)
    """cache_key: context -> name of the class with which it reads the cache for itself"""


class SizeSpec(Spec):
    """How much larger than its own contexts an app is."""

    contexts: int = Field(default=0, ge=0)
    """contexts of other apps beside its own; 0 none"""
    donors: tuple[str, ...] = ()
    """the apps they come from, in turn"""
    seed: int = 0
    """of the words that they bear"""


class AppSpec(Spec):
    """An app as its author describes it."""

    app: str
    package: str = Field(pattern=r"[a-z][a-z_]*")
    title: str
    id_pattern: str
    protected: tuple[str, ...] = ("tests/**", "requirements.txt")
    contract: str = "contract"
    visible_tests: str = "tests"
    start_seconds: float = Field(default=30.0, gt=0)
    """how long an arm may take to start; one of many programs needs longer"""
    errors: dict[str, int]
    types: dict[str, Vocabulary] = Field(default_factory=dict)
    contexts: dict[str, ContextSpec] = Field(min_length=1)
    couplings: tuple[CouplingSpec, ...] = ()
    size: SizeSpec = Field(default_factory=SizeSpec)
