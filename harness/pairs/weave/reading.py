"""The sources of an app, read and checked."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from harness.errors import BadInput
from harness.pairs.weave.checks import check
from harness.pairs.weave.failures import check_refusals
from harness.pairs.weave.sources import App, Context, Module
from harness.pairs.weave.spec import AppSpec
from harness.specfile import parse_spec, place, read_text


def read_app(folder: Path) -> App:
    """The sources in `folder` (`fixtures/<app>/app`). Raises BadInput: file, line, key, problem."""
    files = [folder / "app.yaml", *sorted((folder / "domain").glob("*.py"))]
    if not files[0].is_file():
        raise BadInput(f"{files[0]}: no such file")
    texts = {path.relative_to(folder).as_posix(): read_text(path) for path in files}
    app = read_sources(folder, texts)
    check_refusals(app)
    return app


def read_sources(folder: Path, texts: Mapping[str, str]) -> App:
    """The app whose files are `texts`, as if they lay in `folder`.

    Raises BadInput that names file and line. What was read before is not read again. A code may be
    gone with which an operation refuses: what is tried out (a fault, a solution) may not raise it.
    """
    if "app.yaml" not in texts:
        raise BadInput(f"{folder / 'app.yaml'}: no such file")
    spec = _spec(folder / "app.yaml", texts["app.yaml"])
    stores, errors = (_module(folder, texts, name, name) for name in ("stores", "errors"))
    contexts = {
        name: Context(name, each, _module(folder, texts, name, "contexts", name), _service(name))
        for name, each in spec.contexts.items()
    }
    app = App(folder, texts, spec, contexts, stores, errors)
    check(app)
    return app


@lru_cache(maxsize=64)
def _spec(path: Path, text: str) -> AppSpec:
    return parse_spec(path, text, AppSpec)


def _module(folder: Path, texts: Mapping[str, str], name: str, *keys: str) -> Module:
    path = folder / "domain" / f"{name}.py"
    if (text := texts.get(f"domain/{name}.py")) is None:
        where = place(folder / "app.yaml", texts["app.yaml"], keys)
        raise BadInput(f"{where}: {path}: no such file; its domain code belongs there")
    return _parsed(path, text)


@lru_cache(maxsize=1024)
def _parsed(path: Path, text: str) -> Module:
    return Module(path, text)


def _service(context: str) -> str:
    """The class that answers for a context."""
    return context.title().replace("_", "")
