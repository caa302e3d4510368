"""What `fixtures/<app>/pair.yaml` may say."""

from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

CouplingKind = Literal["execution_order", "cache_key", "shared_row", "status_string", "convention"]


class Spec(BaseModel):
    """A frozen part of a file that a person writes; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Coupling(Spec):
    """One implicit coupling: what connects two contexts without saying so."""

    name: str
    kind: CouplingKind
    contexts: tuple[str, ...]
    meaning: str
    where: dict[str, str]
    """arm -> file and function; an arm that is absent does not have the coupling"""


class ContextFiles(Spec):
    """The files of one bounded context in one arm, as globs relative to the arm."""

    domain: tuple[str, ...] = ()
    glue: tuple[str, ...] = ()


class Arm(Spec):
    """One architecture of the app."""

    path: str
    """folder below the pair's"""
    contexts: dict[str, ContextFiles]
    shared: tuple[str, ...] = ()
    """globs of glue that belongs to no single context"""
    contracts: tuple[str, ...] = ()
    """globs of what a context shows the others: all that `scope=own` shows of them"""
    start_seconds: float = Field(30.0, gt=0, allow_inf_nan=False)
    """how long `app up` may take"""


class PairSpec(Spec):
    """An app with its arms."""

    app: str
    title: str
    dose: int | None = None
    """how many of its couplings the tangled arm was woven with; null: nobody dosed them"""
    contexts: tuple[str, ...] = Field(min_length=1)
    arms: dict[str, Arm] = Field(min_length=2)
    entry_port: int = 8000
    """where the public API answers, on loopback, in every arm"""
    contract: str = "contract"
    """folder, seen from the pair's, of the black-box suite and the generator of sequences"""
    behaviour: str | None = None
    """the app whose behaviour this one has; null: the one whose contract it shares, else its own.
    Two apps of one behaviour are one cluster in every estimate"""
    visible_tests: str = "tests"
    """folder below the pair's that every arm gets as tests/, the same bytes"""
    protected: tuple[str, ...]
    """globs in an arm that no task may touch"""
    ignored: tuple[str, ...] = ("**/__pycache__/**", "**/*.pyc", "**/.pytest_cache/**")
    """globs that are read nowhere: neither from an arm or a suite nor from a workspace"""
    left: tuple[str, ...] = ("data/**",)
    """globs of what programs leave in a workspace, where an arm has nothing: they never enter a
    patch; `data/` is where programs keep theirs without APP_DATA"""
    id_pattern: str
    """regular expression of the app's ids, which comparisons normalise by first appearance"""
    couplings: tuple[Coupling, ...] = ()

    @property
    def unpatched(self) -> tuple[str, ...]:
        """Globs of what is in a workspace and in no patch."""
        return (*self.ignored, *self.left)

    @property
    def behaviour_of(self) -> str:
        """The app whose behaviour this one has, be it its own."""
        above, *lent = PurePosixPath(self.contract).parts
        shared = lent[0] if above == ".." and lent else self.app
        return self.behaviour or shared
