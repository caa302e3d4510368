"""An app at another dose of couplings: woven when it is asked for, and kept by what gave it."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave.loom import Woven
from harness.pairs.weave.reading import read_app
from harness.paths import Checkout

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
_LOOM = Path(__file__).parent


def at_dose(checkout: Checkout, app: str, dose: int) -> Checkout:
    """A checkout with that app and its tasks alone, their arms and patches woven at `dose`.

    It lies in the cache, under a digest of the app's folder, its tasks and the loom.

    Raises:
        BadInput: the app is not woven, or its sources cannot be.
    """
    fixture, tasks = checkout.fixtures / app, checkout.tasks / app
    if not (fixture / "app/app.yaml").is_file():
        raise BadInput(f"config: doses: {app} is not woven: it has no app/app.yaml")
    size = read_app(fixture / "app").spec.size
    others = sorted({*size.donors} - {app})
    donors = [read_app(checkout.fixtures / name / "app").folder for name in others]
    place = (
        checkout.cache
        / "woven"
        / f"{app}-dose{dose}-{_digest(fixture, tasks, _LOOM, *donors)[:16]}"
    )
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as name:
            made = Checkout(Path(name) / "made")
            shutil.copytree(fixture, made.fixtures / app, ignore=_LEFT_OUT)
            for donor in donors:
                shutil.copytree(donor, made.fixtures / donor.parent.name / "app")
            if tasks.is_dir():
                shutil.copytree(tasks, made.tasks / app, ignore=_LEFT_OUT)
            Woven(made.fixtures / app, made.tasks / app, dose).write()
            _move(made.root, place)
    return Checkout(place)


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
