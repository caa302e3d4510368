"""Everything that can go wrong, as one tree.

    SeamBenchError
    ├── BadInput             the user's file, flag or value is wrong: exit code 2
    │   └── ModelRefused     a wrong key, no such model, no credit: the sweep stops
    ├── SandboxError         the engine or a sandbox failed: the trial is tried again
    │   ├── EngineGone       no engine answers any more: the sweep stops and can be continued
    │   └── DiskFull         the host has no room left: the sweep stops and can be continued
    ├── HarnessFailed        a trial ended in what no code expects: a defect of the harness
    ├── BudgetSpent          what the study may spend is spent: the sweep stops and can be continued
    ├── VerifierError        the verifier gave no usable evidence: infrastructure, tried again
    ├── AppDidNotStart       the arm did not become healthy; holds the end of its log
    ├── PatchRefused         the agent's work cannot become a patch (hostile, too large, gone)
    └── ModelFailed          a language model gave no answer: the trial is tried again
        ├── ContextOverflow  the server says that the request is too long; agents end their work
        └── PromptRefused    the provider's policy forbids the request; agents end their work

`POLICY` below is the one table that says what each means for a trial.
"""

from dataclasses import dataclass
from typing import Any


class SeamBenchError(Exception):
    """The root of the tree; never raised itself."""


class BadInput(SeamBenchError):
    """Something the user wrote is wrong. The message is one line: what, where, what to do."""


class ModelRefused(BadInput):
    """A provider serves nobody here. `tries` holds every attempt (`harness.llm.Try`)."""

    def __init__(self, message: str, tries: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.tries = tries


class SandboxError(SeamBenchError):
    """The engine or one sandbox failed in a way that is not the agent's doing."""


class EngineGone(SandboxError):
    """The container engine stopped answering."""


class DiskFull(SandboxError):
    """The host's disk has no room for records or sandboxes."""


class HarnessFailed(SeamBenchError):
    """Something that nobody expects was raised in a trial; the message says what and where."""


class BudgetSpent(SeamBenchError):
    """The study reached a hard stop: USD, turns or tokens. What it breaks off has no outcome."""


class VerifierError(SeamBenchError):
    """The verifier ended without positive evidence that it did its work."""


class AppDidNotStart(SeamBenchError):
    """The app did not become healthy in time."""

    def __init__(self, message: str, log_tail: str) -> None:
        super().__init__(message)
        self.log_tail = log_tail


class PatchRefused(SeamBenchError):
    """The workspace can be no patch, is gone for want of memory, or the patch does not apply."""


class ModelFailed(SeamBenchError):
    """A language model gave no answer. `tries` holds every attempt (`harness.llm.Try`)."""

    def __init__(self, message: str, tries: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.tries = tries


class ContextOverflow(ModelFailed):
    """The server says that the request is too long for the model."""


class PromptRefused(ModelFailed):
    """The provider will not answer this request, by its policy: a refusal like a model's own."""


@dataclass(frozen=True)
class Policy:
    """What a failure means: its cause in the records, whether to try again, whether it counts.

    `counts` is true where the failure is an outcome of the agent (the trial is scored as not
    resolved) and false where it is lost to infrastructure (SCIENCE.md (c) 12).
    """

    cause: str
    retry: bool
    counts: bool
    stops_sweep: bool = False


POLICY: dict[type[SeamBenchError], Policy] = {
    BadInput: Policy("bad_input", retry=False, counts=False, stops_sweep=True),
    EngineGone: Policy("engine_gone", retry=False, counts=False, stops_sweep=True),
    DiskFull: Policy("disk_full", retry=False, counts=False, stops_sweep=True),
    BudgetSpent: Policy("study_budget", retry=False, counts=False),
    HarnessFailed: Policy("harness", retry=False, counts=False),
    SandboxError: Policy("sandbox", retry=True, counts=False),
    VerifierError: Policy("verifier", retry=True, counts=False),
    AppDidNotStart: Policy("app_did_not_start", retry=False, counts=True),
    ModelFailed: Policy("provider", retry=True, counts=False),
    PatchRefused: Policy("patch_refused", retry=False, counts=True),
}


def is_retried(cause: str | None) -> bool:
    """Whether what was lost to a cause, as records name it, is tried again."""
    return any(policy.retry and policy.cause == cause for policy in POLICY.values())


def policy_of(error: SeamBenchError) -> Policy:
    """The policy of the nearest ancestor in `POLICY`."""
    for kind in type(error).__mro__:
        if kind in POLICY:
            return POLICY[kind]
    raise error
