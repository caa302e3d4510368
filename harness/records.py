"""The records: what a run writes, column by column.

Every field carries its meaning and unit, so that `docs/columns.md`, the Parquet schema and the
code cannot drift apart.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict


@dataclass(frozen=True)
class Column:
    """The meaning of a field and its unit ("" where it has none)."""

    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class ColumnSpec:
    """One column of a table, as data."""

    name: str
    dtype: str
    nullable: bool
    unit: str
    meaning: str


class Record(BaseModel):
    """A frozen row; unknown fields are refused so that old readers notice new writers.

    What is not known is null: a number that is none would spoil every sum in silence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


NAME_BYTES = 255
"""what file systems take as the name of one folder"""
UNSAFE_NAME = r"[/\\\x00]|^\.{0,2}$"
"""what a text holds that does not name one folder below another, whatever the separator"""


def _plain_name(name: str) -> str:
    if re.search(UNSAFE_NAME, name) or len(name.encode()) > NAME_BYTES:
        raise ValueError(f"{name[:80]!r} is no plain name of a folder")
    return name


TrialId = Annotated[str, AfterValidator(_plain_name)]
"""Names a trial's folder, so nothing in it may lead out of the results."""
Status = Literal["scored", "failed", "lost"]
Outcome = Literal["passed", "failed", "error", "skipped"]


class TrialRecord(Record):
    """One attempt at a cell that has ended: the row that the analysis reads."""

    trial_id: Annotated[TrialId, Column("digest of the cell and the repeat; the trial's folder")]
    cell_id: Annotated[
        str, Column("digest of task, arm, scope, budget, dose, agent, variant and model")
    ]
    pair: Annotated[str, Column("the pair the app belongs to")]
    app: Annotated[str, Column("the app")]
    behaviour_of: Annotated[
        str | None, Column("the app whose behaviour it has: the cluster; null: its own")
    ] = None
    arm: Annotated[str, Column("the architecture")]
    task: Annotated[str, Column("the task, as app/name")]
    family: Annotated[str, Column("kind of refactoring, 1 to 12")]
    task_class: Annotated[
        str,
        Column("L: local to a context, I: inside of one, X: across contexts, D: a fault to find"),
    ]
    target_contexts: Annotated[str, Column("the task's bounded contexts, joined by +")] = ""
    app_code_lines: Annotated[
        int | None, Column("Python lines of the arm, without tests, blanks and comments", "lines")
    ] = None
    dose: Annotated[
        int | None, Column("couplings woven into the app: 0, 1 or 2; null: not woven")
    ] = None
    scope: Annotated[str, Column("what the agent sees: all or own")]
    context_budget: Annotated[str, Column("bound of every request: 32k, 128k or full")] = "full"
    agent: Annotated[str, Column("the agent")]
    model: Annotated[str | None, Column("the language model; null for controls")]
    variant: Annotated[str | None, Column("which solution or sabotage a control played")]
    expected_factor: Annotated[
        str | None, Column("the factor that must refuse the sabotage that was played")
    ]
    repeat: Annotated[int, Column("number of the repeat within the cell, from 0")]
    seed: Annotated[int, Column("seed of the repeat")]
    isolation: Annotated[str, Column("container, or none where no engine was used")]
    status: Annotated[
        Status, Column("scored; failed (the agent's outcome, counts); lost (infrastructure)")
    ]
    failure_cause: Annotated[str | None, Column("cause from the failure table; null when scored")]
    failure_detail: Annotated[str | None, Column("one line on the failure")]
    attempt: Annotated[int, Column("which attempt gave this row, from 1")]
    resolved: Annotated[bool, Column("behaviour x equivalence x structure x contract x integrity")]
    behaviour: Annotated[bool | None, Column("every hidden test passed in every fresh start")]
    equivalence: Annotated[
        bool | None, Column("sequences answered like the base, and alike after a restart")
    ]
    structure: Annotated[bool | None, Column("every structural predicate holds")]
    contract: Annotated[bool | None, Column("no breaking change of an interface")]
    integrity: Annotated[
        bool | None, Column("no finding of tampering; false also where the workspace was refused")
    ]
    reason: Annotated[str | None, Column("why the first failing factor failed, one line")]
    tests_passed: Annotated[int, Column("hidden tests that passed in every fresh start that ran")]
    tests_total: Annotated[int, Column("hidden tests in the suite")]
    collateral_break_share: Annotated[
        float | None,
        Column("hidden tests outside the target contexts that broke; null: none ran, or no start"),
    ] = None
    contexts_broken: Annotated[
        int | None, Column("blast radius: contexts with a broken hidden test", "contexts")
    ] = None
    sequences_replayed: Annotated[int, Column("generated request sequences compared")]
    lines_added: Annotated[int, Column("lines added", "lines")]
    lines_deleted: Annotated[int, Column("lines deleted", "lines")]
    code_lines_added: Annotated[
        int | None,
        Column("added, without blank lines, comments, contracts; null: not counted", "lines"),
    ]
    code_lines_deleted: Annotated[
        int | None, Column("deleted, likewise; null: not counted", "lines")
    ]
    domain_lines_changed: Annotated[
        int | None, Column("added and deleted in domain files; null: not counted", "lines")
    ]
    glue_lines_changed: Annotated[
        int | None, Column("added and deleted in glue files; null: not counted", "lines")
    ]
    hunks: Annotated[int, Column("hunks in the patch")]
    files_changed: Annotated[int, Column("files touched by the patch")]
    contexts_changed: Annotated[
        int | None, Column("contexts with an edited file that is no contract; null: not counted")
    ]
    churn_ratio: Annotated[
        float | None, Column("changed lines over those of the first solution; null if unknown")
    ]
    edit_radius: Annotated[
        float | None,
        Column("contexts changed over those of the first solution; null if unknown or it has none"),
    ] = None
    propagation_cost_change: Annotated[
        float | None,
        Column("pairs of contexts of which one reaches the other, of all; after less before"),
    ] = None
    dependencies_change: Annotated[
        int | None,
        Column("contexts asked, summed over contexts (Ce, Ca); after less before", "edges"),
    ] = None
    mutual_pairs_change: Annotated[
        int | None, Column("contexts that ask each other; after less before", "pairs")
    ] = None
    circular_contexts_change: Annotated[
        int | None, Column("contexts on a circle of asking; after less before", "contexts")
    ] = None
    afferent_change: Annotated[
        int | None,
        Column("of the above those into target contexts (Ca); after less before", "edges"),
    ] = None
    efferent_change: Annotated[
        int | None, Column("those out of target contexts (Ce); after less before", "edges")
    ] = None
    instability_change: Annotated[
        float | None, Column("Ce / (Ca + Ce), mean over target contexts; after less before")
    ] = None
    complexity_change: Annotated[
        int | None,
        Column("cognitive complexity of touched functions, summed; after less before"),
    ] = None
    complexity_mean_change: Annotated[
        float | None,
        Column(
            "mean of the touched functions' complexity, after less before; null: a side has none"
        ),
    ] = None
    complexity_max_change: Annotated[
        int | None,
        Column("largest of the touched functions' complexity, likewise; null: a side has none"),
    ] = None
    cohesion_lack_change: Annotated[
        float | None,
        Column("mean LCOM4 of touched classes, after less before; null: a side has none"),
    ] = None
    repeated_lines_change: Annotated[
        int | None,
        Column("Python lines in blocks of 6 that are repeated; after less before", "lines"),
    ] = None
    agent_ending: Annotated[
        str | None,
        Column("why the agent's work ended; null: a control, a patch made elsewhere, broken off"),
    ] = None
    model_calls: Annotated[int, Column("calls of the model")] = 0
    tool_calls: Annotated[int, Column("tools used")] = 0
    input_tokens: Annotated[int, Column("fresh input, cache reads and cache writes", "tokens")]
    fresh_input_tokens: Annotated[int, Column("input outside any cache", "tokens")] = 0
    cache_read_tokens: Annotated[int, Column("input read from a cache", "tokens")] = 0
    cache_write_tokens: Annotated[int, Column("input written to a cache", "tokens")] = 0
    output_tokens: Annotated[int, Column("output, reasoning included", "tokens")]
    reasoning_tokens: Annotated[int, Column("the reasoning part of the output", "tokens")] = 0
    compactions: Annotated[int, Column("how often the conversation was cut to its budget")] = 0
    peak_context_tokens: Annotated[int, Column("largest request", "tokens")] = 0
    mean_context_tokens: Annotated[
        float | None, Column("mean request; null without a model", "tokens")
    ] = None
    edits_applied: Annotated[int, Column("one_shot: edit blocks that applied")] = 0
    edits_failed: Annotated[int, Column("one_shot: edit blocks that did not")] = 0
    cost_usd: Annotated[float | None, Column("at the dated price table; null if unknown", "USD")]
    agent_seconds: Annotated[float, Column("the agent's working time", "s")]
    waited_seconds: Annotated[
        float | None,
        Column("the agent's waits for a rate limit or a place; null: part of agent_seconds", "s"),
    ] = None
    verify_seconds: Annotated[float, Column("verification: starts, tests, replays", "s")]
    overhead_seconds: Annotated[
        float, Column("the harness's own: create, copy, patch, end; the engine removes later", "s")
    ]
    wall_seconds: Annotated[float, Column("from the start of the attempt to its record", "s")]
    started_at: Annotated[datetime, Column("start of the attempt", "UTC")]
    image_digest: Annotated[
        str, Column("the engine's id of the sandbox image; process: digest of the interpreter")
    ]
    plan_digest: Annotated[
        str, Column("digest of the locks in plan.json that it was made and judged under")
    ]


class AttemptRecord(Record):
    """One try at a trial; a trial lost to infrastructure has several."""

    trial_id: Annotated[TrialId, Column("the trial")]
    attempt: Annotated[int, Column("number of the attempt, from 1")]
    status: Annotated[Status, Column("how the attempt ended")]
    failure_cause: Annotated[str | None, Column("cause from the failure table; null when scored")]
    failure_detail: Annotated[str | None, Column("one line on the failure")]
    started_at: Annotated[datetime, Column("start of the attempt", "UTC")]
    wall_seconds: Annotated[float, Column("how long it took", "s")]


class CallRecord(Record):
    """One call of a language model; retries are a part of it and counted in its usage."""

    trial_id: Annotated[TrialId, Column("the trial")]
    attempt: Annotated[int, Column("the attempt at the trial, from 1")]
    call: Annotated[int, Column("number of the call within the attempt, from 1: the turn")]
    status: Annotated[str, Column("answered, or how the last try failed")]
    stop: Annotated[str | None, Column("why the answer ended; null without one")]
    served_by: Annotated[str | None, Column("the model id that the server reports")]
    tries: Annotated[int, Column("HTTP requests, the retries included")]
    seconds: Annotated[float, Column("from the first try to the answer, waits included", "s")]
    waited_seconds: Annotated[float, Column("waited between tries", "s")]
    fresh_input_tokens: Annotated[int, Column("input outside any cache, over all tries", "tokens")]
    cache_read_tokens: Annotated[int, Column("input read from a cache", "tokens")]
    cache_write_tokens: Annotated[int, Column("input written to a cache", "tokens")]
    output_tokens: Annotated[int, Column("output, reasoning included", "tokens")]
    reasoning_tokens: Annotated[int, Column("the reasoning part of the output", "tokens")]
    usage_reported: Annotated[bool, Column("false: a server left usage out, the sums are a floor")]
    cache_hit_share: Annotated[float | None, Column("cache reads over input; null without input")]
    cache_write_long_tokens: Annotated[
        int, Column("the part of the cache writes that lives an hour (OpenAI: 12)", "tokens")
    ] = 0
    cost_usd: Annotated[float | None, Column("at the dated price table; null if unknown", "USD")]
    context_tokens: Annotated[int, Column("the request: as counted, else as estimated", "tokens")]
    compacted: Annotated[bool, Column("the conversation was cut for this call")]

    @property
    def input_tokens(self) -> int:
        """All that was read: fresh, from a cache, and into one."""
        return self.fresh_input_tokens + self.cache_read_tokens + self.cache_write_tokens


class ToolRecord(Record):
    """One use of a tool by an agent."""

    trial_id: Annotated[TrialId, Column("the trial")]
    attempt: Annotated[int, Column("the attempt at the trial, from 1")]
    call: Annotated[int, Column("the model call that asked for it, from 1")]
    number: Annotated[int, Column("its place among the tools of that call, from 1")]
    tool: Annotated[str, Column("the tool's name as the model wrote it")]
    kind: Annotated[str, Column("navigate, read, edit, test, run or other, by rule")]
    contexts_read: Annotated[str, Column("bounded contexts looked into, joined by +")]
    contexts_edited: Annotated[str, Column("bounded contexts edited, joined by +")]
    request_tokens: Annotated[int, Column("of the call's arguments, estimated", "tokens")]
    result_tokens: Annotated[int, Column("of what it gave back, estimated", "tokens")]
    seconds: Annotated[float, Column("how long it took", "s")]
    ending: Annotated[str, Column("ok, error, timeout, ...")]


class TestRecord(Record):
    """One hidden test in one verification."""

    __test__ = False  # pytest: a record, not a test class

    trial_id: Annotated[TrialId, Column("the trial")]
    start: Annotated[int, Column("which fresh start, from 1")]
    test: Annotated[str, Column("the test's node id")]
    context: Annotated[str | None, Column("the bounded context it exercises; null if none")]
    outcome: Annotated[Outcome, Column("how it ended")]
    seconds: Annotated[float, Column("duration of the call phase", "s")]
    message: Annotated[str | None, Column("first line of the failure; null when passed")]


def columns(record: type[Record]) -> Iterator[ColumnSpec]:
    """The columns of a record type, in order."""
    hints = get_type_hints(record, include_extras=True)
    for name, field in record.model_fields.items():
        column = next(m for m in hints[name].__metadata__ if isinstance(m, Column))
        dtype, nullable = _dtype(field.annotation)
        yield ColumnSpec(name, dtype, nullable, column.unit, column.meaning)


def _dtype(annotation: object) -> tuple[str, bool]:
    parts = getattr(annotation, "__args__", ())
    nullable = type(None) in parts
    if nullable:
        annotation = next(p for p in parts if p is not type(None))
    names = {bool: "bool", int: "int64", float: "float64", datetime: "datetime"}
    return names.get(annotation, "string"), nullable  # type: ignore[call-overload]
