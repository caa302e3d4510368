"""Quality is read off the code the same way in every arm."""

import ast
from dataclasses import replace

import pytest

from harness.bases import Bases
from harness.pairs import load_pairs
from harness.tasks import load_tasks
from harness.verifier.job import ContextGlobs, Settings
from harness.verifier.quality import BLOCK, Facts, lack_of_cohesion, quality
from harness.verifier.walk import Unparsable
from tests.trees import ARMS, CHECKOUT, PAIRS, start_of

CONTEXTS = {name: ContextGlobs((f"{name}/**",), ()) for name in ("sales", "stock")}
SETTINGS = Settings(contexts=CONTEXTS, shared=("app.py",))


def changed(before: dict[str, str], after: dict[str, str]) -> tuple[Facts, Facts]:
    base, tree = ({p: t.encode() for p, t in side.items()} for side in (before, after))
    return quality(base, tree, SETTINGS)


X, Y = "def a(self): return self.x\n", "def b(self): return self.y\n"
BOTH = "def c(self): return self.x + self.y\n"
STUBS = "def a(self): ...\ndef b(self):\n    'Says what.'\ndef c(self):\n    raise Missing\n"
MAKES = "def __init__(self):\n    self.x = self.y = 0\n"


@pytest.mark.parametrize(
    ("methods", "groups"),
    [
        (f"{X}def b(self): return self.x", 1),
        (f"{X}{Y}", 2),
        (f"def a(self): return self.b()\n{Y}", 1),
        (f"{X}{Y}{BOTH}", 1),
        (f"{MAKES}{X}{Y}", 2),
        ("def a(me): return me.x\ndef b(me, self): return self.x", 2),
        ("@staticmethod\ndef a(row): return row.x\ndef b(self): return self.x", 2),
        ("x: int = 0", 0),
        (MAKES, 0),
        (STUBS, 0),
        (f"@d(f\"{{'\u00a0'}}\")\n{X}", 1),
    ],
)
def test_methods_that_share_nothing_are_groups_of_their_own(methods: str, groups: int) -> None:
    body = "".join(f"    {line}\n" for line in methods.splitlines())
    (made,) = ast.parse(f"class A:\n{body}").body
    assert isinstance(made, ast.ClassDef)
    assert lack_of_cohesion(made) == groups


IF = "def f(x):\n    if x:\n        return 1\n    return 0\n"
FLAT = "def f(x):\n    return int(bool(x))\n"
OTHER = "def g(x):\n    while x:\n        x -= 1\n"


def test_only_functions_that_a_patch_touches_count() -> None:
    before, after = changed({"sales/a.py": IF + OTHER}, {"sales/a.py": FLAT + OTHER})
    assert (before.complexities, after.complexities) == ((1,), (0,))


def test_a_function_within_another_counts_with_it() -> None:
    inner = "def f(x):\n    def g(y):\n        if y:\n            return 1\n    return g(x)\n"
    _, after = changed({"sales/a.py": OTHER}, {"sales/a.py": OTHER + inner})
    assert after.complexities == (2,)


def test_a_function_whose_names_change_is_touched() -> None:
    before, after = changed({"sales/a.py": IF}, {"sales/a.py": IF.replace("x", "y")})
    assert (before.complexities, after.complexities) == ((1,), (1,))


@pytest.mark.parametrize(
    "after",
    [
        {"sales/a.py": OTHER + IF},
        {"sales/a.py": OTHER, "sales/b.py": IF},
        {"sales/a.py": IF.replace("(x)", "(x: int) -> int", 1) + OTHER + "# the end\n"},
    ],
    ids=["order", "another file", "annotations and comments"],
)
def test_what_moves_or_is_laid_out_otherwise_is_not_touched(after: dict[str, str]) -> None:
    found = changed({"sales/a.py": IF + OTHER}, after)
    assert [side.complexities for side in found] == [(), ()]


def test_a_copy_is_touched_once() -> None:
    before, after = changed({"sales/a.py": IF}, {"sales/a.py": IF, "stock/a.py": IF})
    assert (before.complexities, after.complexities) == ((), (1,))


def test_classes_without_methods_have_no_cohesion() -> None:
    row = "class Row:\n    x: int\n"
    rules = "class Rules:\n    def a(self): return self.x\n    def b(self): return self.y\n"
    before, after = changed({"sales/a.py": row}, {"sales/a.py": rules})
    assert (before.cohesions, after.cohesions) == ((), (2,))


@pytest.mark.parametrize(("lines", "repeated"), [(BLOCK - 1, 0), (BLOCK, 2 * BLOCK)])
def test_a_block_counts_as_repeated_from_its_size_on(lines: int, repeated: int) -> None:
    block = "".join(f"x{n} = {n}\n\n# a comment\n" for n in range(lines))
    files = {"sales/a.py": f"a = 1\n{block}", "stock/b.py": f"{block}b = 1\n"}
    before, after = changed(files, files)
    assert before == after
    assert (before.lines, before.repeated_lines) == (2 * lines + 2, repeated)


def test_lines_in_two_blocks_count_once() -> None:
    text = "x = 1\n" * 20
    before, _ = changed({"sales/a.py": text}, {"sales/a.py": text})
    assert (before.lines, before.repeated_lines) == (20, 20)


def test_contexts_without_code_are_no_nodes() -> None:
    asking = "from stock import count\n"
    before, after = changed({"sales/a.py": "x = 1\n"},
                            {"sales/a.py": asking, "stock/b.py": "def count(): ...\n"})  # fmt: skip
    assert before.asked == {"sales": ()}
    assert after.asked == {"sales": ("stock",), "stock": ()}


def test_what_moves_between_contexts_is_still_asked_for() -> None:
    stock = {"stock/b.py": "def count(): ...\n", "sales/a.py": "from stock import count\n"}
    moved = {**stock, "sales/a.py": "x = 1\n", "between/c.py": "from stock.b import count\n",
             "app.py": "import between.c\n"}  # fmt: skip
    before, after = changed({**stock, "app.py": "x = 1\n"}, moved)
    assert before.asked == {"sales": ("stock",), "stock": ()}
    assert after.asked == {"sales": (), "stock": (), "shared": ("stock",)}


@pytest.mark.parametrize("place", ["boot/run.py", "boot/start.py", "app.py"])
def test_what_puts_a_program_together_is_no_node(place: str) -> None:
    files = {"sales/a.py": b"x = 1\n", "stock/b.py": b"def count(): ...\n"}
    wiring = b"from stock import count\n"
    renamed = {"boot/start.py": "boot/run.py"} if place == "boot/start.py" else {}
    _, after = quality({**files, "boot/run.py": wiring}, {**files, place: wiring + b"count()\n"},
                       replace(SETTINGS, renamed=renamed))  # fmt: skip
    assert after.asked == {"sales": (), "stock": ()}


def test_code_that_is_no_python_has_no_quality() -> None:
    with pytest.raises(Unparsable, match=r"sales/a\.py"):
        changed({"sales/a.py": "x = 1\n"}, {"sales/a.py": "def (\n"})


TASKS = [
    task.id for task in load_tasks(CHECKOUT, load_pairs(CHECKOUT), ["*/*"])
    if task.spec.task_class == "X" and set(ARMS) <= set(PAIRS[task.spec.app].spec.arms)
]  # fmt: skip


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    return Bases(tmp_path_factory.mktemp("bases"))


@pytest.mark.long
@pytest.mark.parametrize("task", TASKS)
def test_each_solution_changes_the_graph_of_contexts_alike_in_every_arm(
    bases: Bases, task: str
) -> None:
    (spec,) = (t.spec for t in load_tasks(CHECKOUT, PAIRS, [task]))
    for name in spec.solutions:
        starts = [start_of(bases, task, f"solutions/{name}", arm) for arm in ARMS]
        found = [quality(start.base, start.files, start.settings) for start in starts]
        graphs = [[side.asked for side in sides] for sides in found]
        assert graphs == [graphs[0]] * len(ARMS), name


def test_every_task_across_contexts_of_a_woven_app_is_looked_at() -> None:
    assert len(TASKS) == 12
