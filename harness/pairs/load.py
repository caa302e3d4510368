"""Finding and checking pairs."""

from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.spec import PairSpec
from harness.paths import Checkout
from harness.specfile import choose, read_spec


@dataclass(frozen=True)
class Pair:
    """A pair and the folder it lies in."""

    spec: PairSpec
    folder: Path

    @property
    def app(self) -> str:
        return self.spec.app

    def arm_folder(self, arm: str) -> Path:
        return self.folder / self.spec.arms[arm].path

    def refuse_own_without_contracts(self, arm: str) -> None:
        """Raises BadInput where an arm has nothing to show of the contexts that `own` hides."""
        if not self.spec.arms[arm].contracts:
            where = f"{self.folder / 'pair.yaml'}: arms.{arm}.contracts"
            raise BadInput(f"{where}: none, so scopes=[own] cannot run")

    @property
    def visible_tests(self) -> Path:
        return (self.folder / self.spec.visible_tests).resolve()

    @property
    def contract(self) -> Path:
        """The hidden black-box suite and the generator of request sequences."""
        return (self.folder / self.spec.contract).resolve()


def load_pairs(checkout: Checkout) -> dict[str, Pair]:
    """Every pair of the checkout by app name."""
    files = sorted(checkout.fixtures.glob("*/pair.yaml"))
    return {pair.app: pair for pair in map(_load, files)}


def load_pair(checkout: Checkout, app: str, where: str = "pair") -> Pair:
    """One pair; raises BadInput when there is none of that name."""
    known = sorted(path.parent.name for path in checkout.fixtures.glob("*/pair.yaml"))
    choose("app", app, known, where)
    return _load(checkout.fixtures / app / "pair.yaml")


def _load(path: Path) -> Pair:
    pair = Pair(read_spec(path, PairSpec), path.parent)
    if pair.app != path.parent.name:
        raise BadInput(f"{path}: app: {pair.app!r} must be the folder's name, {path.parent.name!r}")
    for arm, spec in pair.spec.arms.items():
        _check_arm(path, pair, arm)
        for context in spec.contexts:
            where = f"{path}: arms.{arm}.contexts"
            choose("context", context, list(pair.spec.contexts), where)
    if not (path.parent.parent / pair.spec.behaviour_of / path.name).is_file():
        known = sorted(other.parent.name for other in path.parent.parent.glob(f"*/{path.name}"))
        choose("app", pair.spec.behaviour_of, known, f"{path}: behaviour")
    for folder in (pair.visible_tests, pair.contract):
        if not folder.is_dir():
            raise BadInput(f"{path}: {folder.name}/ is missing beside it")
    return pair


def _check_arm(path: Path, pair: Pair, arm: str) -> None:
    folder = pair.arm_folder(arm)
    if not (folder / "app.toml").is_file():
        raise BadInput(f"{path}: arms.{arm}.path: {folder} holds no app.toml")
