"""An app at another dose of couplings: woven when it is asked for, and kept by what gave it."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from harness.errors import BadInput
from harness.pairs.weave.loom import Woven
from harness.pairs.weave.reading import read_app
from harness.pairs.weave.spec import AppSpec
from harness.paths import Checkout
from harness.specfile import read_spec

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
_LOOM = Path(__file__).parent


class _Borrower(BaseModel):
    """A task, as far as it says whose words it has."""

    like: str | None = None


def at_dose(checkout: Checkout, app: str, dose: int) -> Checkout:
    """A checkout with that app and its tasks, their arms and patches woven at `dose`.

    Of other apps and tasks it has what these take from them. It lies in the cache, under a digest
    of all that and of the loom.

    Raises:
        BadInput: the app is not woven, or its sources cannot be.
    """
    fixture, tasks = checkout.fixtures / app, checkout.tasks / app
    if not (fixture / "app/app.yaml").is_file():
        raise BadInput(f"config: doses: {app} is not woven: it has no app/app.yaml")
    spec = read_app(fixture / "app").spec
    donors = [read_app(checkout.fixtures / name / "app").folder
              for name in sorted({*spec.size.donors} - {app})]  # fmt: skip
    folders = [fixture, tasks, *donors, *sorted(_lent(checkout, app, spec))]
    place = checkout.cache / "woven" / f"{app}-dose{dose}-{_digest(*folders, _LOOM)[:16]}"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as name:
            made = Checkout(Path(name) / "made")
            for folder in filter(Path.is_dir, folders):
                copy = made.root / folder.relative_to(checkout.root)
                shutil.copytree(folder, copy, ignore=_LEFT_OUT, dirs_exist_ok=True)
            Woven(made.fixtures / app, made.tasks / app, dose).write()
            _move(made.root, place)
    return Checkout(place)


def _lent(checkout: Checkout, app: str, spec: AppSpec) -> set[Path]:
    """The apps whose suites an app shares, and the tasks whose words its own have."""
    suites = [re.match(r"\.\./([^/.][^/]*)/", each) for each in (spec.contract, spec.visible_tests)]
    tasks = sorted((checkout.tasks / app).glob("*/task.yaml"))
    likes = [read_spec(task, _Borrower).like for task in tasks]
    return {checkout.fixtures / each[1] for each in suites if each} | {
        checkout.tasks / each for each in likes if each
    }


def _move(made: Path, place: Path) -> None:
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():  # else another process was first, with the same content
            raise


def _digest(*folders: Path) -> str:
    found = hashlib.sha256()
    for folder in folders:
        for path in _files(folder):
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and ".pytest_cache" not in path.parts:
            yield path
