"""Who asks whom, read off the code, and whose the files of a new context are."""

from pathlib import Path

import pytest
import yaml

from harness.pairs.spec import PairSpec
from harness.pairs.weave import read_app, weave
from harness.verifier.graph import cycle
from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.tree import SHARED, Tree

ROOT = Path(__file__).parents[2]
ARMS = ("monolith", "modular", "microservices")
NEW = ("promotions",)


@pytest.fixture(scope="module")
def woven() -> dict[str, str]:
    return weave(read_app(ROOT / "fixtures/atelier/app"))


def view(woven: dict[str, str], arm: str, more: dict[str, bytes], new: tuple[str, ...]) -> Tree:
    """An arm as it is woven, with more files, and the untouched arm as its base."""
    spec = PairSpec.model_validate(yaml.safe_load(woven["pair.yaml"])).arms[arm]
    contexts = {n: ContextGlobs(files.domain, files.glue) for n, files in spec.contexts.items()}
    settings = Settings(contexts=contexts, new_contexts=new, shared=spec.shared)
    base = {path.removeprefix(f"{arm}/"): text.encode() for path, text in woven.items()
            if path.startswith(f"{arm}/")}  # fmt: skip
    return Tree(base | more, settings, Tree(base, settings))


@pytest.mark.parametrize("arm", ARMS)
def test_in_every_arm_the_contexts_ask_those_that_the_domain_asks(
    woven: dict[str, str], arm: str
) -> None:
    app = read_app(ROOT / "fixtures/atelier/app")
    ports = {name: frozenset(other.name for other in app.ports(context).values())
             for name, context in app.contexts.items()}  # fmt: skip
    tree = view(woven, arm, {}, ())
    assert tree.asked == ports
    assert tree.circle() is None


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        (b"from .sales import sell\n", {"sales"}),
        (b"from . import sales\n", {"sales"}),
        (b"import app.sales.rules as rules\n", {"sales"}),
        (b"class Sales(Client):\n    pass\n", {"sales"}),
        (b"class SalesClient:\n    pass\n", {"sales"}),
        (b"URL = os.environ['SALES_URL']\n", {"sales"}),
        (b"class Port:\n    def f(self):\n        return self.sales.sell()\n", {"sales"}),
        (b"def f(order):\n    return order.sales\n", set()),
        (b"def f(order):\n    return order.sales.count\n", set()),
        (b"SQL = 'select * from sales'\n", set()),
        (b"from .stock import left\nclass Stock:\n    pass\n", set()),
        (b"from .clients import Till\n", set()),
    ],
)
def test_what_counts_as_asking(code: bytes, asked: set[str]) -> None:
    contexts = {name: ContextGlobs((f"app/{name}.py",)) for name in ("sales", "stock")}
    tree = Tree({"app/stock.py": code}, Settings(contexts=contexts))
    assert tree.asked == {"stock": asked, "sales": set()}


def test_what_is_shared_asks_nobody_and_is_asked_by_nobody() -> None:
    settings = Settings(contexts={"sales": ContextGlobs(("sales.py",))})
    tree = Tree({"shared.py": b"import sales\n", "sales.py": b"import shared\n"}, settings)
    assert tree.asked == {"sales": frozenset()}


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ({"a": "b", "b": "c", "c": ""}, None),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, None),
        ({"a": "b", "b": "a"}, ("a", "b", "a")),
        ({"a": "b", "b": "c", "c": "d", "d": "b"}, ("b", "c", "d", "b")),
        ({"a": "a"}, ("a", "a")),
        ({"a": "", "b": "c", "c": "b"}, ("b", "c", "b")),
    ],
)
def test_a_circle_is_found_where_there_is_one(
    edges: dict[str, str], circle: tuple[str, ...] | None
) -> None:
    assert cycle({name: frozenset(others) for name, others in edges.items()}) == circle


PLACES = {
    "monolith": [
        ("atelier/services/promotions.py", b"", "domain"),
        ("atelier/repositories/promotions.py", b"", "glue"),
        ("atelier/promotions.py", b"X = 1\n", "domain"),
        ("atelier/promotions/rules.py", b"import sqlite3\n", "glue"),
    ],
    "modular": [
        ("atelier/promotions/service.py", b"", "domain"),
        ("atelier/promotions/__init__.py", b"", "glue"),
        ("atelier/promotions/rules.py", b"X = 1\n", "domain"),
        ("atelier/promotions/http/routes.py", b"from fastapi import APIRouter\n", "glue"),
    ],
    "microservices": [
        ("promotions/service.py", b"", "domain"),
        ("promotions/clients.py", b"", "glue"),
        ("promotions/main.py", b"", "glue"),
    ],
}


@pytest.mark.parametrize("arm", ARMS)
def test_new_files_named_after_a_new_context_are_its_own(woven: dict[str, str], arm: str) -> None:
    more = {path: content for path, content, _ in PLACES[arm]}
    tree = view(woven, arm, more, NEW)
    found = {(file.path, file.kind) for file in tree.context("promotions").files}
    assert found == {(path, kind) for path, _, kind in PLACES[arm]}
    assert tree.base is not None
    assert tree.base.context("promotions").files == ()
    unknown = view(woven, arm, more, ())
    assert more.keys() <= {file.path for file in unknown.files if file.context == SHARED}


def test_a_file_of_the_base_never_belongs_to_a_new_context() -> None:
    settings = Settings(contexts={"sales": ContextGlobs(("sales.py",))}, new_contexts=NEW)
    files = {"sales.py": b"", "promotions.py": b""}
    assert Tree(files, settings, Tree(files, settings)).context("promotions").files == ()


def test_a_new_context_takes_its_place_in_the_graph(woven: dict[str, str]) -> None:
    more = {"atelier/promotions/service.py": b"from ..catalogue import Catalogue\n"}
    tree = view(woven, "modular", more, NEW)
    assert tree.asked["promotions"] == {"catalogue"}
    assert tree.base is not None
    assert tree.base.asked["promotions"] == frozenset()
