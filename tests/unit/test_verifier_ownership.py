"""Whose a new file is, read off folders, names and imports."""

from collections.abc import Mapping

import pytest

from harness.verifier.effort import effort
from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.tree import SHARED, Tree

NAMES = ("sales", "stock", "staff")
SETTINGS = Settings(
    contexts={
        name: ContextGlobs((f"app/rules/{name}.py",), (f"app/store/{name}.py",)) for name in NAMES
    },
    shared=("app/wiring.py", "app/rules/__init__.py"),
)
BASE = {f"app/{part}/{name}.py": b"x = 1\n" for part in ("rules", "store") for name in NAMES}
BASE |= {
    "app/wiring.py": b"",
    "app/rules/__init__.py": b"",
    "app/rules/sales.py": b"from .stock import Stock\n",
}
NEW = "app/rules/extra.py"


def view(changed: Mapping[str, bytes]) -> Tree:
    return Tree({**BASE, **changed}, SETTINGS, Tree(BASE, SETTINGS))


def place(changed: Mapping[str, bytes], path: str = NEW) -> tuple[str, str, set[str]]:
    """Context, kind, and the contexts that see the file."""
    tree = view({path: b"x = 1\n", **changed})
    (found,) = [file for file in tree.files if file.path == path]
    seeing = {n for n, context in tree.contexts.items() if found in context.files}
    return found.context, found.kind, seeing


def importing(code: str, *names: str) -> dict[str, bytes]:
    return {f"app/rules/{name}.py": BASE[f"app/rules/{name}.py"] + code.encode() for name in names}


@pytest.mark.parametrize(
    "code",
    [
        "from .extra import x",
        "from .extra import *",
        "from . import extra",
        "from . import stock, extra as more",
        "from ..rules import extra",
        "from app.rules import extra",
        "from app.rules.extra import x as y",
        "import app.rules.extra",
        "import app.rules.extra as more",
        "def f():\n    from .extra import x",
        "if TYPE_CHECKING:\n    from .extra import x",
    ],
)
def test_what_one_context_imports_is_its_own(code: str) -> None:
    assert place(importing(code, "sales")) == ("sales", "domain", {"sales"})


@pytest.mark.parametrize(
    "code",
    [
        "",
        "import extra",
        "from extra import x",
        "from .other import extra",
        "from .extras import x",
        "# from .extra import x",
        "from .extra import x (",
        "import_module('app.rules.extra')",
    ],
)
def test_what_nobody_imports_is_seen_by_all_that_have_files_in_its_folder(code: str) -> None:
    assert place(importing(code, "sales")) == (SHARED, "domain", set(NAMES))


def test_what_is_shared_imports_for_no_context() -> None:
    wired = {"app/wiring.py": b"from .rules.extra import x", "app/rules/__init__.py": b"\n"}
    assert place(wired) == (SHARED, "domain", set(NAMES))
    assert place(wired | importing("from .extra import x", "staff"))[0] == "staff"


def test_what_one_imports_through_other_new_files_is_its_own() -> None:
    between = {
        "app/rules/one.py": b"from .two import x",
        "app/rules/two.py": b"from .one import x\nfrom .extra import x",
    }
    assert place(between)[0] == SHARED
    for path in (NEW, *between):
        assert place(between | importing("from .one import x", "staff"), path)[0] == "staff"


def test_a_new_package_belongs_to_whom_its_modules_belong() -> None:
    package = {"app/rules/parts/__init__.py": b"", "app/rules/parts/deep/one.py": b"x = 1\n"}
    changed = package | importing("from .parts.deep.one import x", "staff")
    for path in package:
        assert place(changed, path) == ("staff", "domain", {"staff"})
    opened = package | {"app/rules/parts/__init__.py": b"from .deep.one import x"}
    changed = opened | importing("from . import parts", "staff")
    assert place(changed, "app/rules/parts/deep/one.py")[0] == "staff"


def test_what_several_import_is_shared_and_each_of_them_sees_it() -> None:
    several = importing("from .extra import x", "sales", "staff")
    assert place(several) == (SHARED, "domain", {"sales", "staff"})


def test_what_several_import_is_the_one_s_that_the_others_ask() -> None:
    two = importing("from .extra import x", "sales", "stock")
    assert place(two) == ("stock", "domain", {"stock"})
    circle = two | importing("from .extra import x\nfrom .sales import Sales", "stock")
    assert place(circle) == (SHARED, "domain", {"sales", "stock"})
    third = importing("from .extra import x", *NAMES)
    assert place(third) == (SHARED, "domain", set(NAMES))
    asking = third | importing("from .extra import x\nfrom .stock import Stock", "staff")
    assert place(asking) == ("stock", "domain", {"stock"})


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("app/rules/staff/extra.py", "staff"),
        ("app/staff/__init__.py", "staff"),
        ("app/ports/staff.py", "staff"),
        ("staff/extra.py", "staff"),
        ("app/rules/staff_extra.py", "sales"),
        ("app/extra.py", "sales"),
        ("extra.py", "sales"),
        ("parts/extra.py", "sales"),
    ],
)
def test_a_name_goes_before_who_imports(path: str, owner: str) -> None:
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    changed = importing(f"import {module}", "sales")
    assert place(changed, path) == (owner, "domain", {owner})


def test_a_folder_of_one_context_goes_before_names_and_imports() -> None:
    settings = Settings(contexts={n: ContextGlobs((f"{n}/service.py",)) for n in NAMES})
    base = {f"{name}/service.py": b"" for name in NAMES}
    changed = {"staff/service.py": b"import sales.stock", "sales/stock.py": b""}
    tree = Tree(base | changed, settings, Tree(base, settings))
    assert [f.path for f in tree.context("sales").files] == ["sales/service.py", "sales/stock.py"]


@pytest.mark.parametrize("path", ["extra.py", "tools/extra.py", "app/rules/extra.sql"])
def test_what_lies_apart_or_is_no_python_and_is_imported_by_nobody_is_just_shared(
    path: str,
) -> None:
    assert place({}, path) == (SHARED, "glue", {SHARED})


def test_in_a_folder_of_glue_a_new_file_is_glue() -> None:
    changed = importing("from ..store.extra import x", "sales")
    assert place(changed, "app/store/extra.py") == ("sales", "glue", {"sales"})
    wired = importing("from ..extra import x", "sales") | {"app/extra.py": b"import sqlite3\n"}
    assert place(wired, "app/extra.py") == ("sales", "glue", {"sales"})


@pytest.mark.parametrize("package", ["httpx", "urllib3", "aiohttp", "requests"])
def test_a_new_file_that_asks_over_a_wire_is_glue(package: str) -> None:
    path = "staff/extra.py"
    assert place({path: f"import {package}\n".encode()}, path) == ("staff", "glue", {"staff"})
    assert place({path: b"import math\n"}, path) == ("staff", "domain", {"staff"})


@pytest.mark.parametrize("path", ["staff/prices.json", "app/rules/staff.json"])
def test_what_is_no_python_is_glue_also_where_it_can_be_read_as_python(path: str) -> None:
    assert place({path: b'{"image": {"draft": 10}}\n'}, path) == ("staff", "glue", {"staff"})


def test_a_module_that_becomes_a_package_keeps_its_owner() -> None:
    gone = {path: text for path, text in BASE.items() if path != "app/rules/stock.py"}
    parts = {"app/rules/stock/__init__.py": b"from .goods import Stock",
             "app/rules/stock/goods.py": b"class Stock: ..."}  # fmt: skip
    tree = Tree({**gone, **parts}, SETTINGS, Tree(BASE, SETTINGS))
    assert {file.path for file in tree.context("stock").domain.files} == parts.keys()
    assert tree.asked["sales"] == {"stock"}


def test_a_file_of_the_base_stays_where_it_was() -> None:
    base = Tree({**BASE, NEW: b"", **importing("from .extra import x", "staff")}, SETTINGS)
    tree = Tree({**BASE, NEW: b"", **importing("from .extra import x", "sales")}, SETTINGS, base)
    assert {f.context for each in (base, tree) for f in each.files if f.path == NEW} == {"staff"}
    nobodys = Tree({**BASE, NEW: b""}, SETTINGS)
    tree = Tree({**BASE, NEW: b"", **importing("from .extra import x", "sales")}, SETTINGS, nobodys)
    assert [n for n, each in tree.contexts.items() if NEW in {f.path for f in each.files}] == [
        *NAMES
    ]


def test_what_is_shared_makes_nobody_ask() -> None:
    changed = {NEW: b"from .sales import Sales\nfrom .staff import Staff\n"}
    assert view(changed).asked == Tree(BASE, SETTINGS).asked
    several = importing("from .extra import x", "staff", "stock")
    assert view(changed | several).asked == Tree(BASE, SETTINGS).asked
    assert "staff" in view(changed | importing("from .extra import x", "stock")).asked["stock"]


def test_the_order_of_files_changes_nothing() -> None:
    files = {**BASE, NEW: b"", "app/rules/one.py": b"from . import extra",
             "app/rules/two.py": b"from . import one, extra", "app/rules/one/__init__.py": b"",
             **importing("from . import two", "staff"),
             **importing("from . import extra", "stock")}  # fmt: skip
    back = dict(reversed(files.items()))
    one, other = (Tree(each, SETTINGS, Tree(BASE, SETTINGS)) for each in (files, back))
    assert one.files == other.files


def test_effort_agrees_with_what_predicates_see() -> None:
    changed = {NEW: b"x = 1\ny = 2\n", **importing("from .extra import x\n", "sales")}
    told = effort(BASE, {**BASE, **changed}, SETTINGS)
    assert told.contexts.keys() == {"sales"}
    assert (told.domain.added, told.glue.added) == (3, 0)
    told = effort(BASE, {**BASE, **changed, **importing("from .extra import x\n", "staff")},
                  SETTINGS)  # fmt: skip
    assert (told.contexts[SHARED].added, told.domain.added) == (2, 4)


@pytest.mark.timeout(30)
def test_thousands_of_new_files_that_import_one_another_are_placed() -> None:
    names = [f"part_{number}" for number in range(300)]
    settings = Settings(contexts={n: ContextGlobs((f"rules/{n}.py",)) for n in names})
    base = {f"rules/{name}.py": b"" for name in names}
    chain = {f"rules/new_{n}.py": f"from .new_{n + 1} import x\n".encode() for n in range(2000)}
    deep = {"rules/deep.py": b"import " + b"a." * 5_000 + b"new_1\n"}
    first = {f"rules/{name}.py": b"from .new_0 import x\n" for name in names}
    tree = Tree({**base, **chain, **deep, **first}, settings, Tree(base, settings))
    assert len(tree.context("part_7").files) == 2002
