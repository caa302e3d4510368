"""What `fixtures/<app>/app/app.yaml` may say."""

import keyword
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    field_validator,
    model_validator,
)
from pydantic_core import SchemaError

from harness.pairs.spec import CouplingKind, Spec

ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/v1(?:/[a-z-]+|/\{[a-z_]+\})+)")
FIELD = re.compile(
    r"(?P<type>[A-Za-z_][\w\[\], |]*?)(?: (?P<low>\d+)\.\.(?P<high>\d+))?(?: = (?P<default>.+))?"
)


def _is_free(name: str) -> str:
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a word of Python")
    return name


Word = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_is_free)
]
"""a name in the woven code"""
_EMPTY = (204, 205)
"""statuses of answers without a body"""


def field_parts(told: str) -> re.Match[str]:
    """type, low, high and default of a field. Raises ValueError."""
    found = FIELD.fullmatch(told)
    if found is None:
        raise ValueError(f"{told!r} is not `Type`, `list[Type] low..high` or `Type = x`")
    return found


def _is_field(told: str) -> str:
    found = field_parts(told)
    if found["low"]:
        if not found["type"].startswith("list["):
            raise ValueError(f"{told!r}: a list alone has bounds; a number is a type of its own")
        if int(found["low"]) > int(found["high"]):
            raise ValueError(f"{told!r}: {found['low']} is more than {found['high']}")
    return told


def _has_no_bounds(told: str) -> str:
    if field_parts(told)["low"]:
        raise ValueError(f"{told!r}: a list has bounds in a body, not in a query")
    return told


def _has_answer(status: int) -> int:
    if status in _EMPTY:
        raise ValueError(f"{status} is the status of no answer, and an operation has one")
    return status


def _is_of_domain(status: int) -> int:
    if status == 405:
        raise ValueError("405 is what programs answer by themselves to a method without a route")
    return status


Status = Annotated[int, Field(ge=400, le=499), AfterValidator(_is_of_domain)]
"""of an answer that refuses"""
Fields = dict[Word, Annotated[str, AfterValidator(_is_field)]]
"""name -> `Type`, `Type = default`, or `list[Type] 1..9`"""


class Vocabulary(Spec):
    """A type of the API: a closed set of words, a pattern, a range of numbers, a length of text."""

    words: tuple[str, ...] | None = None
    pattern: str | None = None
    number: tuple[int, int] | None = None
    length: tuple[int, int] | None = None

    @field_validator("pattern")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        try:
            TypeAdapter(Annotated[str, StringConstraints(pattern=value)])
        except SchemaError as error:
            told = " ".join(str(error).split())
            raise ValueError(f"{value!r} is no pattern: {told}") from None
        if value is not None and re.search(r'["\n]', value):
            raise ValueError(f"{value!r}: a pattern holds no double quote and no line break")
        return value

    @model_validator(mode="after")
    def _is_one_kind(self) -> "Vocabulary":
        if sum(bool(kind) for kind in (self.words, self.pattern, self.number, self.length)) != 1:
            raise ValueError("a type is one of words, pattern, number and length")
        for low, high in filter(None, (self.number, self.length)):
            if low > high:
                raise ValueError(f"{low} is more than {high}")
        return self

    def as_python(self) -> Any:
        """What a value of the type must be, as pydantic understands it."""
        if self.words:
            return Literal[self.words]
        if self.pattern:
            return Annotated[str, StringConstraints(pattern=self.pattern)]
        if self.number:
            return Annotated[int, Field(ge=self.number[0], le=self.number[1])]
        low, high = self.length or (0, 0)
        return Annotated[str, Field(min_length=low, max_length=high)]


class TableSpec(Spec):
    """A table; its columns are the fields of a record of the domain."""

    record: str
    key: str | None = None
    unique: tuple[str, ...] = ()
    index: tuple[Annotated[tuple[str, ...], Field(min_length=1)], ...] = ()
    refers: dict[str, str] = Field(default_factory=dict)
    """column -> table of any context; across contexts it is a coupling of the tangled arm alone"""


class Operation(Spec):
    """One endpoint of the public API."""

    route: str
    status: Annotated[int, AfterValidator(_has_answer)] = Field(default=200, ge=200, le=299)
    body: str | None = None
    query: dict[Word, Annotated[str, AfterValidator(_is_field), AfterValidator(_has_no_bounds)]] = (
        Field(default_factory=dict)
    )
    call: str
    """an expression over the service, `store`, `body` and the parameters"""
    answer: str
    refuses: dict[Word, Status] = Field(default_factory=dict)

    @field_validator("route")
    @classmethod
    def _is_route(cls, value: str) -> str:
        if not ROUTE.fullmatch(value):
            raise ValueError(f"{value!r} is not METHOD /v1/path")
        parameters = re.findall(r"\{\w+\}", value)
        for twice in {each for each in parameters if parameters.count(each) > 1}:
            raise ValueError(f"{value!r}: {twice} stands twice")
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
    tables: dict[Word, TableSpec] = Field(default_factory=dict)
    queries: dict[Word, str] = Field(default_factory=dict)
    """method of the store -> SQL condition over its parameters, or insert, update, upsert"""
    bodies: dict[Word, Fields] = Field(default_factory=dict)
    answers: dict[Word, Fields] = Field(default_factory=dict)
    operations: dict[Word, Operation]


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
    key: str | None = Field(default=None, pattern=r'^[^"\\\n]+$')
    """cache_key: the prefix of the key"""
    readers: dict[Word, Word] = Field(default_factory=dict)
    """cache_key: context -> name of the class with which it reads the cache for itself"""


class SizeSpec(Spec):
    """How much larger than its own contexts an app is."""

    contexts: int = Field(default=0, ge=0)
    """contexts of other apps beside its own; 0 none"""
    depth: int | None = Field(default=None, ge=1)
    """contexts in the longest chain of those added that ask one another; none: as their donors"""
    donors: tuple[str, ...] = ()
    """the apps they come from, in turn"""
    seed: int = 0
    """of the words that they bear"""


class AppSpec(Spec):
    """An app as its author describes it."""

    app: str
    package: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: str
    id_pattern: str
    protected: tuple[str, ...] = ("tests/**", "requirements.txt")
    contract: str = "contract"
    visible_tests: str = "tests"
    start_seconds: float = Field(default=30.0, gt=0)
    """how long an arm may take to start; one of many programs needs longer"""
    errors: dict[Word, Status]
    types: dict[Word, Vocabulary] = Field(default_factory=dict)
    contexts: dict[Word, ContextSpec] = Field(min_length=1)
    couplings: tuple[CouplingSpec, ...] = ()
    size: SizeSpec = Field(default_factory=SizeSpec)

    @field_validator("id_pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from None
        return value
