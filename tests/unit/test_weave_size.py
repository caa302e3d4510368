"""An app among contexts of other apps: its own stay as they were, the others are all there."""

import re
import shutil
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.gates.weaving import weave_app
from harness.pairs import load_pair
from harness.pairs.weave import at_dose, read_app, weave
from harness.pairs.weave.size import enlarged
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import depths
from harness.paths import Checkout
from tests.authoring import APP, ROOT, write_example
from tests.unit.test_weave import lint

DONOR = ROOT / "fixtures/atelier/app"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    root = write_example(tmp_path_factory.mktemp("size"))
    shutil.copytree(DONOR, root / "fixtures/atelier/app")
    return Checkout(root)


@pytest.fixture(scope="module")
def core(checkout: Checkout) -> App:
    return read_app(checkout.fixtures / APP / "app")


@pytest.fixture(scope="module")
def donor() -> App:
    return read_app(DONOR)


def test_what_an_app_had_of_its_own_stays_byte_for_byte(core: App, donor: App) -> None:
    before, after = weave(core), weave(enlarged(core, [donor], 8, seed=1))
    programs = ("app.toml", "edge/main.py")
    grown = ("main.py", "wiring.py", "db.py", "rows.py", "errors.py", "common.py", ".importlinter")
    for path, text in before.items():
        whole = path.startswith("microservices/") and not path.endswith(programs)
        if whole or (path != "pair.yaml" and not path.endswith((*grown, *programs))):
            assert after[path] == text, path


def test_every_context_is_routed_under_paths_of_its_own(core: App, donor: App) -> None:
    big = enlarged(core, [donor], 14, seed=1)
    assert len(big.contexts) == len(core.contexts) + 14
    routes = [o.route for each in big.contexts.values() for o in each.spec.operations.values()]
    assert len(routes) == len(set(routes))
    main = weave(big)["monolith/toolshed/main.py"]
    assert all(re.search(rf"\b{name}\b", main) for name in big.contexts)
    firsts = [{o.path.split("/")[2] for o in each.spec.operations.values()}
              for each in big.contexts.values()]  # fmt: skip
    assert sum(map(len, firsts)) == len(set[str]().union(*firsts))


def test_the_seed_gives_the_words_and_nothing_else_does(core: App, donor: App) -> None:
    names = [list(enlarged(core, [donor], 8, seed).contexts) for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert weave(enlarged(core, [donor], 2, 1)) == weave(enlarged(core, [donor], 2, 1))


def test_a_copy_asks_nobody_outside_it(core: App, donor: App) -> None:
    for most in range(1, 7):
        big = enlarged(core, [donor], most, seed=3)
        added = {name: each for name, each in big.contexts.items() if name not in core.contexts}
        assert len(added) == most
        for context in added.values():
            assert {other.name for other in big.ports(context).values()} <= added.keys()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_chain_of_added_contexts_is_no_longer_than_asked(
    core: App, donor: App, depth: int
) -> None:
    big = enlarged(core, [donor], 9, seed=3, depth=depth)
    added = [name for name in big.contexts if name not in core.contexts]
    assert len(added) == 9
    assert max(depths(big)[name] for name in added) == depth


def test_names_change_and_words_do_not(core: App, donor: App) -> None:
    big = enlarged(core, [donor], 6, seed=1)
    ((name, accounts),) = [(n, c) for n, c in big.contexts.items() if n.endswith("_accounts")]
    word = name.partition("_")[0]
    text, old = accounts.module.text, donor.contexts["accounts"].module.text
    assert f"class {word.title()}Account:" in text
    assert re.findall(r'"[a-z_]+"', text) == re.findall(r'"[a-z_]+"', old)
    assert text.count("\n") == old.count("\n")


def test_the_borders_of_the_modular_arm_are_kept(core: App, donor: App, tmp_path: Path) -> None:
    for path, text in weave(enlarged(core, [donor], 8, seed=1)).items():
        if path.startswith("modular/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    kept = lint(tmp_path / "modular")
    assert "10 kept, 0 broken" in kept.stdout


def test_app_yaml_says_how_large_and_tasks_are_woven_along(checkout: Checkout) -> None:
    weave_app(checkout, APP, check=False)
    task = checkout.tasks / APP / "late-fees"
    patches = {path: path.read_text() for path in task.rglob("m*.patch")}
    assert len(patches) == 12
    source = checkout.fixtures / APP / "app/app.yaml"
    plain = source.read_text()
    source.write_text(plain + "\nsize: {contexts: 6, depth: 2, donors: [atelier], seed: 1}\n")
    try:
        weave_app(checkout, APP, check=False)
        assert weave_app(checkout, APP, check=True)
        assert {path: path.read_text() for path in patches} == patches
        pair = load_pair(checkout, APP)
        assert len(pair.spec.contexts) == 8
        other = load_pair(at_dose(checkout, APP, 0), APP)
        assert other.spec.contexts == pair.spec.contexts
        assert (other.spec.dose, other.spec.couplings) == (0, ())
    finally:
        source.write_text(plain)


@pytest.mark.parametrize(
    ("donors", "contexts", "said"),
    [(0, 1, "needs other apps to take contexts from"), (1, 5000, "too few words for 5000 more")],
)
def test_what_cannot_be_grown_is_said(
    core: App, donor: App, donors: int, contexts: int, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        enlarged(core, [donor] * donors, contexts, seed=0)


def test_an_error_that_means_two_things_is_said(core: App, checkout: Checkout) -> None:
    folder = checkout.root / "odd/app"
    shutil.copytree(DONOR, folder)
    text = (folder / "app.yaml").read_text()
    (folder / "app.yaml").write_text(text.replace(": 404", ": 410"))
    errors = (folder / "domain/errors.py").read_text().replace("status = 404", "status = 410")
    (folder / "domain/errors.py").write_text(errors)
    with pytest.raises(BadInput, match=r"odd/app/app\.yaml:6: errors\.NotFound: 410, and 404"):
        enlarged(core, [read_app(folder)], 1, seed=0)


def test_the_lexicon_has_each_word_once() -> None:
    words = (ROOT / "harness/pairs/weave/lexicon.txt").read_text().split()
    assert len(words) == len(set(words)) > 150
    assert all(re.fullmatch(r"[a-z]+", word) for word in words)
