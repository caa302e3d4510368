"""The size of code as the parity report counts it."""

import pytest

from harness.bases import app_tree
from harness.gates.parity import (
    Size,
    domain_and_glue,
    files_a_context,
    public_operations,
    size,
    total,
)
from harness.pairs import load_pair
from harness.paths import Checkout
from tests.samples import ROOT

CASES = {
    "nothing": ("", Size(1, 0, 0)),
    "one statement": ("x = 1\n", Size(1, 1, 3)),
    "blank lines and comments": ("# a\n\nx = 1  # b\n\n", Size(1, 1, 3)),
    "a docstring": ('"""What it is\nand why."""\nx = 1\n', Size(1, 1, 3)),
    "a string in use": ('x = """a\nb"""\n', Size(1, 2, 3)),
    "an indented docstring": ('def f():\n    """Why."""\n    return 1\n', Size(1, 2, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_only_code_counts(case: str) -> None:
    text, expected = CASES[case]
    assert size(text.encode()) == expected


def test_sizes_add_up() -> None:
    assert total([b"x = 1\n", b"", b"y\n"]) == Size(3, 2, 4)


@pytest.mark.parametrize(
    ("arm", "place"), [("monolith", "atelier/services/{}.py"), ("microservices", "{}/service.py")]
)
def test_tests_are_neither_domain_nor_glue_wherever_the_pair_keeps_them(
    arm: str, place: str
) -> None:
    pair = load_pair(Checkout(ROOT), "atelier-handmade")
    tree = app_tree(pair, arm)
    assert any(path.startswith("tests/") for path in tree.entries)
    contexts = ("accounts", "catalogue", "gallery", "jobs", "moderation", "notifications")
    expected = {place.format(context) for context in contexts}
    folder = ROOT / "fixtures/atelier-handmade" / arm
    own = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}
    domain, glue = domain_and_glue(tree, pair.spec.arms[arm])
    assert set(domain) == expected
    assert set(glue) == own - expected


def test_files_a_context_are_those_that_belong_to_one() -> None:
    """The programs' own modules, wiring and tests belong to none."""
    pair = load_pair(Checkout(ROOT), "atelier")
    found = {
        arm: files_a_context(app_tree(pair, arm), spec) for arm, spec in pair.spec.arms.items()
    }
    services = [len(list((ROOT / "fixtures/atelier/microservices" / context).glob("*.py")))
                for context in pair.spec.contexts]  # fmt: skip
    assert found == {"monolith": 4, "modular": 5, "microservices": sum(services) / len(services)}


def test_the_public_endpoints_are_those_of_the_program_at_the_entry_port() -> None:
    """However many more another program answers."""
    app_toml = b"[programs.edge]\nport = 8000\n[programs.ledger]\nport = 8101\n"
    asked = {f"/internal/ledger/{name}": {"post": {}} for name in "abcde"}
    documents: dict[str, object] = {
        "edge": {"paths": {"/v1/notes": {"get": {}, "post": {}}}},
        "ledger": {"paths": asked},
    }
    assert public_operations(documents, app_toml, 8000) == 2
