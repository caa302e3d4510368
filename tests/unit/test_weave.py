"""The loom: the arms of a woven app are what its sources give, body for body."""

import ast
import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.pairs.weave import Overlay, Woven, overlay_patches, read_app, weave
from harness.pairs.weave.arms import ARMS
from harness.pairs.weave.overlays import find_overlays
from harness.pairs.weave.sources import App

ROOT = Path(__file__).parents[2]
FIXTURE = ROOT / "fixtures/atelier"
TASKS = ROOT / "tasks/atelier"
APPS = sorted(path.parents[1].name for path in ROOT.glob("fixtures/*/app/app.yaml"))
every_app = pytest.mark.parametrize("app", APPS)


def patches_of(app: App, folder: Path, under: Path | None = None) -> dict[str, str]:
    (patches,) = overlay_patches(app, weave(app), [Overlay(folder, under)], {}, 2)
    return patches


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    shutil.copytree(FIXTURE / "app", tmp_path / "app")
    return tmp_path / "app"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def bodies(text: str) -> dict[str, str]:
    """Every function of a module by its qualified name, as a normalised tree."""

    def walk(node: ast.AST, place: str) -> Iterator[tuple[str, str]]:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.FunctionDef):
                yield f"{place}{each.name}", ast.dump(each)
            if isinstance(each, ast.ClassDef):
                yield from walk(each, f"{place}{each.name}.")

    return dict(walk(ast.parse(text), ""))


def test_the_woven_apps_are_known():
    assert {"atelier", "quayside"} <= set(APPS)


@every_app
def test_the_committed_arms_and_patches_are_what_the_sources_give(app: str):
    assert Woven(ROOT / "fixtures" / app, ROOT / "tasks" / app).differing() == []


@every_app
def test_every_function_of_the_domain_has_the_same_body_in_every_arm(app: str):
    fixture = ROOT / "fixtures" / app
    tree = weave(read_app(fixture / "app"))
    for source in sorted((fixture / "app/domain").glob("[!_]*.py")):
        name = source.stem
        if name in ("errors", "stores"):
            continue
        expected = bodies(source.read_text(encoding="utf-8"))
        assert len(expected) > 3
        places = (
            f"monolith/{app}/services/{name}.py",
            f"modular/{app}/{name}/service.py",
            f"microservices/{name}/service.py",
        )
        for place in places:
            assert bodies(tree[place]) == expected, place


def test_what_was_woven_before_does_not_change_what_is_woven(sources: Path):
    program = (
        "import json, pathlib, sys; from harness.pairs.weave import read_app, weave; "
        "print(json.dumps(weave(read_app(pathlib.Path(sys.argv[1])), 1)))"
    )
    command = (sys.executable, "-c", program, str(sources))
    fresh = subprocess.run(command, capture_output=True, text=True, check=True)
    known: dict[tuple[str, str], str] = {}
    weave(read_app(sources), 0, known)
    weave(read_app(sources), 2, known)
    assert weave(read_app(sources), 1, known) == json.loads(fresh.stdout)


@every_app
def test_the_same_sources_give_the_same_bytes(tmp_path: Path, app: str):
    sources = ROOT / "fixtures" / app / "app"
    shutil.copytree(sources, tmp_path / "app")
    assert weave(read_app(tmp_path / "app")) == weave(read_app(sources))


def test_a_changed_arm_a_missing_file_and_one_too_many_are_told_and_mended(tmp_path: Path):
    shutil.copytree(FIXTURE, tmp_path / "atelier")
    fixture = tmp_path / "atelier"
    change(fixture / "modular/atelier/rows.py", "class Rows", "class Row")
    (fixture / "monolith/atelier/web.py").unlink()
    (fixture / "microservices/more.py").write_text("")
    woven = Woven(fixture, tmp_path / "none")
    told = [path.relative_to(fixture).as_posix() for path in woven.differing()]
    assert told == ["microservices/more.py", "modular/atelier/rows.py", "monolith/atelier/web.py"]
    woven.write()
    assert woven.differing() == []


def test_sources_in_a_folder_of_another_name_are_refused(tmp_path: Path):
    shutil.copytree(FIXTURE / "app", tmp_path / "studio/app")
    with pytest.raises(BadInput, match=r"app\.yaml:1: app: 'atelier', and its folder is studio/"):
        Woven(tmp_path / "studio", tmp_path / "none")


def test_whatever_differs_in_an_arm_is_told_and_mended(tmp_path: Path):
    shutil.copytree(FIXTURE, tmp_path / "atelier")
    fixture = tmp_path / "atelier"
    returns, program, link = (
        fixture / "monolith/atelier/web.py", fixture / "microservices/edge/main.py",
        fixture / "modular/atelier/rows.py",
    )  # fmt: skip
    returns.write_bytes(returns.read_bytes().replace(b"\n", b"\r\n"))
    program.chmod(0o755)
    same = shutil.copy(link, tmp_path / "same")
    link.unlink()
    link.symlink_to(same)
    (fixture / "modular/atelier/nowhere.py").symlink_to("nowhere")
    (fixture / "modular/atelier/there").symlink_to(tmp_path)
    more = [
        fixture / name
        for name in (
            "microservices/jobs/openapi/evil.py", "monolith/interactions/sitecustomize.py",
            "microservices/openapi/more.py", "monolith/atelier/__pycache__/more.py",
        )
    ]  # fmt: skip
    for path in more:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    links = [fixture / "modular/atelier/nowhere.py", fixture / "modular/atelier/there"]
    woven = Woven(fixture, tmp_path / "none")
    assert woven.differing() == sorted([returns, program, link, *links, *more])
    woven.write()
    assert woven.differing() == []
    assert (fixture / "microservices/openapi/jobs.json").is_file(), "what is recorded stays"
    assert same.is_file(), "what a link meant is nobody's to change"


@every_app
def test_the_arms_pass_ruff(app: str):
    program = Path(sys.executable).with_name("ruff")
    arms = [str(ROOT / "fixtures" / app / arm) for arm in ARMS]
    rules = ("--line-length", "100", "--target-version", "py311", "--select", "E,F,W,I,UP,B")
    command = (str(program), "check", "--isolated", "--no-cache", *rules, *arms)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    command = (str(program), "--config", ".importlinter", "--no-cache")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("app", "contexts", "asks", "asked"),
    [
        ("atelier", 6, "gallery", "accounts"),
        ("quayside", 7, "settlement", "traders"),
        ("lindenhof", 7, "claims", "billing"),
    ],
)
def test_the_borders_of_the_modular_arm_are_kept_and_a_breach_is_found(
    tmp_path: Path, app: str, contexts: int, asks: str, asked: str
):
    arm = tmp_path / "modular"
    shutil.copytree(ROOT / "fixtures" / app / "modular", arm)
    kept = lint(arm)
    assert kept.returncode == 0, kept.stdout
    assert f"{contexts} kept, 0 broken" in kept.stdout
    path = arm / app / asks / "service.py"
    change(path, f"from ..{asked} import", f"from ..{asked}.service import")
    assert lint(arm).returncode == 1


@every_app
def test_an_arm_asks_for_packages_that_the_sandbox_has(app: str):
    """The modular arm alone asks for what holds it to its borders."""
    installed = (ROOT / "fixtures/requirements.in").read_text().split()
    linter = next(line for line in installed if line.startswith("import-linter"))
    asked = {arm: (ROOT / "fixtures" / app / arm / "requirements.txt").read_text().split()
             for arm in ARMS}  # fmt: skip
    assert asked.pop("modular") == installed
    assert all(each == [line for line in installed if line != linter] for each in asked.values())


def test_the_dose_of_coupling_changes_the_tangled_arm_alone():
    app = read_app(FIXTURE / "app")
    none, some, all_ = (weave(app, dose) for dose in (0, 1, 2))
    assert all(path.startswith("monolith/") or path == "pair.yaml"
               for path in all_ if none.get(path) != all_[path])  # fmt: skip
    schema = "monolith/atelier/db.py"
    assert "job_id TEXT NOT NULL REFERENCES jobs (id)" not in none[schema]
    assert "job_id TEXT NOT NULL REFERENCES jobs (id)" in some[schema]
    assert "monolith/atelier/cache.py" not in some
    assert "class Customers" in all_["monolith/atelier/repositories/jobs.py"]


@pytest.mark.long
@every_app
def test_every_task_has_its_patches_at_every_dose(app: str) -> None:
    """15 to 30 s each: whatever a coupling asks of a patch, there is one without the coupling."""
    tasks = ROOT / "tasks" / app
    shipped = {path for arm in ARMS for path in tasks.glob(f"*/s*/*/{arm}.patch")}
    for dose in (0, 1):
        assert shipped <= Woven(ROOT / "fixtures" / app, tasks, dose).files.keys()


def test_a_part_for_a_dose_takes_the_place_of_the_arms_own_from_that_dose_on(
    sources: Path, tmp_path: Path
) -> None:
    app = read_app(sources)
    head = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n"
    folder = tmp_path / "overlay"
    folder.mkdir()
    for part, path in (("", "plain.txt"), (".dose1", "one.txt"), (".dose2", "two.txt")):
        (folder / f"monolith{part}.extra.patch").write_text(
            head.format(path) + "@@ -0,0 +1 @@\n+x\n"
        )
    for dose, name in ((0, "plain"), (1, "one"), (2, "two")):
        (arms,) = overlay_patches(app, weave(app, dose), [Overlay(folder)], {}, dose)
        assert arms["monolith"].startswith(f"diff --git a/{name}.txt b/{name}.txt")
        assert arms["monolith"].count("diff --git") == 1
        assert not arms["modular"]


def test_the_cache_of_quayside_is_read_under_a_key_that_three_contexts_spell():
    app = read_app(ROOT / "fixtures/quayside/app")
    some, all_ = weave(app, 1), weave(app, 2)
    readers = ("traders", "consignments", "settlement")
    for name in readers:
        path = f"monolith/quayside/repositories/{name}.py"
        assert '"trader:" + trader_id' in all_[path]
        assert "cache" not in some[path]
    told = [path for path, text in all_.items() if '"trader:"' in text]
    assert sorted(told) == sorted(f"monolith/quayside/repositories/{name}.py" for name in readers)


def test_a_change_of_the_sources_is_a_patch_in_every_arm(sources: Path, tmp_path: Path):
    overlay = TASKS / "price-table/solutions/table"
    app = read_app(sources)
    patches = patches_of(app, overlay)
    assert set(patches) == {"monolith", "modular", "microservices"}
    for arm, patch in patches.items():
        assert patch == (overlay / f"{arm}.patch").read_text(encoding="utf-8")
        added = [line for line in patch.splitlines() if line.startswith("+") and "++" not in line]
        assert added == [line for line in patches["monolith"].splitlines()
                         if line.startswith("+") and "++" not in line]  # fmt: skip


def test_what_a_service_leaves_to_another_class_of_its_file_counts_as_its_own(sources: Path):
    change(
        sources / "domain/accounts.py",
        "@dataclass\nclass Accounts:\n",
        "@dataclass\nclass Holds:\n    store: AccountStore\n\n"
        "    def place(self, hold: Hold) -> None:\n        self.store.add_hold(hold)\n\n\n"
        "@dataclass\nclass Accounts:\n",
    )
    change(
        sources / "domain/accounts.py",
        "self.store.add_hold(hold)\n        return hold",
        "Holds(self.store).place(hold)\n        return hold",
    )
    app = read_app(sources)
    accounts = app.contexts["accounts"]
    assert app.writes(accounts, "place_hold")
    assert not app.writes(accounts, "balance")
    assert weave(app)["microservices/accounts/main.py"] == (
        FIXTURE / "microservices/accounts/main.py"
    ).read_text(encoding="utf-8")


def test_a_seeded_fault_lies_under_the_patches_of_its_task_and_is_a_patch_itself(sources: Path):
    task = TASKS / "estimate-count"
    app = read_app(sources)
    fault = patches_of(app, task / "base")
    cure = patches_of(app, task / "solutions/at-the-cause", task / "base")

    def changed(patch: str, sign: str) -> list[str]:
        lines = patch.splitlines()
        return [each[1:] for each in lines if each.startswith(sign) and each[:3] != sign * 3]

    for arm in fault:
        assert changed(fault[arm], "+")
        assert changed(cure[arm], "-") == changed(fault[arm], "+")
        assert changed(cure[arm], "+") == changed(fault[arm], "-")


def test_an_overlay_that_is_stale_is_said_with_its_file(sources: Path, tmp_path: Path):
    change(sources / "domain/catalogue.py", "tier, count, seconds =", "tier, number, seconds =")
    app = read_app(sources)
    overlay = TASKS / "price-table/solutions/table"
    with pytest.raises(BadInput, match=r"table/app\.patch: does not apply: .*catalogue\.py"):
        patches_of(app, overlay)


def test_an_overlay_that_cannot_be_woven_is_said_with_its_file_and_the_sources(
    sources: Path, tmp_path: Path
):
    app = read_app(sources)
    old = app.texts["domain/jobs.py"]
    places = "a/domain/jobs.py", "b/domain/jobs.py"
    lines = difflib.unified_diff(old.splitlines(True), ["def\n", *old.splitlines(True)], *places)
    (tmp_path / "app.patch").write_text("".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match=r"app\.patch: .*domain/jobs\.py:1: ") as told:
        patches_of(app, tmp_path)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "spoilt", "said"),
    [
        ("domain/jobs.py", b"# caf\xe9\n", r"domain/jobs\.py: not UTF-8: "),
        ("app.yaml", b"# caf\xe9\n", r"app\.yaml: not UTF-8: "),
        ("app.yaml", b"since: 2024-13-01\n", r"app\.yaml:\d+: not YAML: month"),
    ],
)
def test_a_source_that_cannot_be_read_is_named(
    sources: Path, file: str, spoilt: bytes, said: str
) -> None:
    with (sources / file).open("ab") as end:
        end.write(spoilt)
    with pytest.raises(BadInput, match=said):
        read_app(sources)


@pytest.mark.parametrize(
    ("name", "patch", "said"),
    [
        ("modularr.extra.patch", "new", r"modularr\.extra\.patch: no overlay has a part of that"),
        ("monolith.dose7.extra.patch", "new", r"dose7\.extra\.patch: no overlay has a part"),
        ("app.patch", "new", r"mine: changes nothing in any arm"),
        ("extra.patch", "120000", r"extra\.patch: makes new\.txt a link or a program"),
        ("extra.patch", "100755", r"extra\.patch: makes new\.txt a link or a program"),
    ],
)
def test_an_overlay_that_gives_nothing_or_no_plain_file_is_refused(
    sources: Path, tmp_path: Path, name: str, patch: str, said: str
) -> None:
    folder = tmp_path / "tasks/t/solutions/mine"
    folder.mkdir(parents=True)
    mode = patch if patch.isdigit() else "100644"
    where = "domain/helpers.py" if name == "app.patch" else "new.txt"
    content = f"new file mode {mode}\n--- /dev/null\n+++ b/{where}\n@@ -0,0 +1 @@\n+/etc/hostname\n"
    end = "\\ No newline at end of file\n" if mode == "120000" else ""
    text = f"diff --git a/{where} b/{where}\n{content}{end}"
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "extra.patch").touch() if name.startswith(("modularr", "monolith")) else None
    app = read_app(sources)
    with pytest.raises(BadInput, match=said):
        overlay_patches(app, weave(app), find_overlays(tmp_path / "tasks"), {}, 2)


def test_a_file_without_a_last_line_break_gives_a_patch_that_applies(
    sources: Path, tmp_path: Path
) -> None:
    text = (
        "diff --git a/new.txt b/new.txt\nnew file mode 100644\n--- /dev/null\n+++ b/new.txt\n"
        "@@ -0,0 +1 @@\n+no end\n\\ No newline at end of file\n"
    )
    overlay = tmp_path / "mine"
    overlay.mkdir()
    (overlay / "extra.patch").write_text(text, encoding="utf-8")
    patches = patches_of(read_app(sources), overlay)
    (tmp_path / "arm").mkdir()
    command = ("git", "apply", "-")
    subprocess.run(command, cwd=tmp_path / "arm", input=patches["monolith"].encode(), check=True)
    assert (tmp_path / "arm/new.txt").read_bytes() == b"no end"


def test_an_overlay_that_takes_app_yaml_away_is_said(sources: Path, tmp_path: Path) -> None:
    lines = (sources / "app.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    body = "".join(difflib.unified_diff(lines, [], "a/app.yaml", "/dev/null"))
    head = "diff --git a/app.yaml b/app.yaml\ndeleted file mode 100644\n"
    (tmp_path / "app.patch").write_text(head + body, encoding="utf-8")
    with pytest.raises(BadInput, match=r"app\.patch: .*app\.yaml: no such file"):
        patches_of(read_app(sources), tmp_path)


def test_an_overlay_that_is_no_text_is_named(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "app.patch").write_bytes(b"caf\xe9\n")
    with pytest.raises(BadInput, match=r"app\.patch: not UTF-8: "):
        patches_of(read_app(sources), tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("app.yaml", "route: GET /v1/models", "route: GET models", r"models\.route: .*/v1/path"),
        ("app.yaml", "record: Hold,", "record: Held,", r"tables\.holds\.record: .* no class Held"),
        ("app.yaml", "      get_hold:", "      got_hold:", r"queries\.(get|got)_hold: "),
        ("app.yaml", "refers: {job_id: jobs}", "refers: {job_id: work}", r"no table 'work'"),
        ("app.yaml", "call: accounts.get(account_id)", "call: accounts.get(", r"get_account\.call"),
        ("app.yaml", "seconds: Seconds = 0", 'seconds: "Seconds > 0"', r"seconds: 'Seconds > 0'"),
        ("app.yaml", "query: get_account", "query: find_nothing", r"query: .*find_nothing"),
        ("app.yaml", "package: atelier", "packaged: atelier", r"app\.yaml:2: packaged: "),
        ("domain/accounts.py", "self.store.get_account(", "find(", r"Accounts asks for it"),
        ("app.yaml", "title: Accounts and credits", "title: 'a \"\"\" b'",
         r"is woven as .*:\d+ is not Python"),
        ("domain/stores.py", "find_payment(self, reference:", "find_payment(self, kind:",
         r"stores\.py:\d+: AccountStore\.find_payment: no parameter .* 'kind'"),
        ("domain/jobs.py", "def move(", "def move", r"jobs\.py:\d+: "),
        ("domain/jobs.py", "class Jobs:", "class Work:", r"jobs\.py: no class Jobs"),
        ("domain/jobs.py", "    state: str = ", "    state: bytes = ", r"Job\.state: bytes cannot"),
    ],
)  # fmt: skip
def test_an_error_in_the_sources_names_file_and_key(
    sources: Path, file: str, old: str, new: str, said: str
):
    change(sources / file, old, new)
    with pytest.raises(BadInput, match=said) as told:
        weave(read_app(sources))
    assert len(str(told.value).splitlines()) == 1


def test_an_overlay_that_makes_what_is_no_text_is_said(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "new.bin").write_bytes(b"\xff\x00")
    command = ("git", "diff", "--no-index", "--binary", "/dev/null", "new.bin")
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    overlay = tmp_path / "mine"
    overlay.mkdir()
    (overlay / "extra.patch").write_bytes(made.stdout)
    with pytest.raises(BadInput, match=r"mine/extra\.patch: makes new\.bin something that is no t"):
        patches_of(read_app(sources), overlay)
