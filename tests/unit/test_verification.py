"""What the verifier is told about a subject."""

from harness.pairs import load_pair
from harness.patch import FILE, Entry, Tree
from harness.paths import find_checkout
from harness.verification import Known, Subject, settings


def tree(megabytes: int) -> Tree:
    return Tree({"big.py": Entry(FILE, b"#" * megabytes * 1_000_000)})


def test_the_room_to_inspect_grows_with_the_app_and_not_with_what_an_agent_adds() -> None:
    pair = load_pair(find_checkout(), "atelier")

    def room(base: Tree, now: Tree) -> tuple[float, int]:
        told = settings(Subject(pair, "monolith", base, now), Known(b"[]"))
        return told.inspect_seconds, told.inspect_mb

    assert room(tree(0), tree(0)) == (30.0, 768)
    assert room(tree(8), tree(8)) == (126.0, 1248)
    assert room(tree(0), tree(40)) == (30.0, 768)
    assert room(tree(40), tree(40)) == (180.0, 1536)
