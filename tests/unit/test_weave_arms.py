"""The woven arms as they are read: each tells the same, and has nothing that it does not use."""

import ast
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeGuard

import pytest

from harness.pairs.weave import read_app, weave
from harness.pairs.weave.arms import ARMS
from harness.pairs.weave.names import RESERVED, RESERVED_NAMES
from harness.pairs.weave.spec import Operation

ROOT = Path(__file__).parents[2]
APPS = sorted(path.parents[1].name for path in ROOT.glob("fixtures/*/app/app.yaml"))
every_app = pytest.mark.parametrize("app", APPS)
every_arm = pytest.mark.parametrize("arm", ARMS)
RUN = {"app", "router"}
"""names that are asked for from outside a program"""
VERBS = {"get", "post", "put", "patch", "delete"}


def programs(arm: Path) -> dict[str, list[ast.Module]]:
    """The modules of each program of an arm, by its folder."""
    found: dict[str, list[ast.Module]] = {}
    for path in sorted(arm.rglob("*.py")):
        name = path.relative_to(arm).parts[0]
        found.setdefault(name, []).append(ast.parse(path.read_text(encoding="utf-8")))
    return found


def unused(modules: Iterable[ast.Module]) -> set[str]:
    """Functions, classes, methods and constants of a program that none of its code names."""
    modules = list(modules)
    nodes = [node for module in modules for node in ast.walk(module)]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {node.id for node in nodes
             if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}  # fmt: skip
    renamed = [each for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names]
    used |= {each.name for each in renamed if each.asname in used}
    return {name for module in modules for name in defined(module)} - used - RUN


def defined(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, ast.Assign):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from (each.name for each in node.body if is_asked_by_name(each))
        elif is_asked_by_name(node):
            yield node.name


def is_asked_by_name(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Whether it is a function that nothing but a call by its name can reach."""
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return is_function and not node.decorator_list and not node.name.startswith("__")


@every_app
@every_arm
def test_no_arm_holds_what_its_code_does_not_use(app: str, arm: str) -> None:
    for name, modules in programs(ROOT / "fixtures" / app / arm).items():
        assert unused(modules) - {"__all__"} == set(), name


def test_what_is_not_used_is_found() -> None:
    text = "A = 1\nB = A\n\ndef f(): ...\n\nclass C:\n    def g(self): return B\n\nC()\n"
    assert unused([ast.parse(text)]) == {"f", "g"}


@every_app
@every_arm
def test_the_rows_have_the_methods_alone_that_are_asked_of_them(app: str, arm: str) -> None:
    """By the owner of each call: a list has a `count` as well."""
    for name, modules in programs(ROOT / "fixtures" / app / arm).items():
        nodes = [node for module in modules for node in ast.walk(module)]
        asked = {node.attr for node in nodes if isinstance(node, ast.Attribute)
                 and ast.unparse(node.value) in ("rows", "self.rows")}  # fmt: skip
        rows = (node for node in nodes if isinstance(node, ast.ClassDef) and node.name == "Rows")
        kept = {each.name for node in rows for each in node.body if is_asked_by_name(each)}
        assert kept - asked - {"all"} == set(), name


@every_app
@every_arm
def test_every_arm_tells_with_what_an_operation_refuses(app: str, arm: str) -> None:
    spec = read_app(ROOT / "fixtures" / app / "app").spec
    known = {operation.route: operation.refuses for context in spec.contexts.values()
             for operation in context.operations.values()}  # fmt: skip
    told = {}
    for modules in programs(ROOT / "fixtures" / app / arm).values():
        told |= {route: codes for module in modules for route, codes in routes(module)}
    assert {route: told[route] for route in known} == known


def routes(module: ast.Module) -> Iterator[tuple[str, dict[str, int]]]:
    """The routes of a module, each with the codes and statuses of `refusals(...)`."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in node.decorator_list:
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) \
                        and each.func.attr in VERBS:  # fmt: skip
                    verb, path = each.func.attr.upper(), ast.literal_eval(each.args[0])
                    yield f"{verb} {path}", refused(each)


def refused(route: ast.Call) -> dict[str, int]:
    (*_, calls) = [[], *(each.value for each in route.keywords if each.arg == "responses")]
    if not isinstance(calls, ast.Call):
        return {}
    return {str(each.arg): ast.literal_eval(each.value) for each in calls.keywords}


@every_app
def test_the_recorded_documents_have_every_refusal_in_the_form_that_is_answered(app: str) -> None:
    folder = ROOT / "fixtures" / app / "microservices/openapi"
    spec = read_app(ROOT / "fixtures" / app / "app").spec
    edge = json.loads((folder / "edge.json").read_text())
    for name, context in spec.contexts.items():
        own = json.loads((folder / f"{name}.json").read_text())
        for document, field in ((own, "detail"), (edge, "error")):
            assert list(document["components"]["schemas"]["Refusal"]["properties"]) == [field]
            for operation in context.operations.values():
                assert described(document, operation) == expected(operation)


def described(document: dict[str, Any], operation: Operation) -> dict[str, str]:
    """Status and codes of each refusal that a document tells of."""
    responses = document["paths"][operation.path][operation.method]["responses"]
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    found = {status: each for status, each in responses.items() if not status.startswith("2")}
    assert all(each["content"] == refusal for each in found.values())
    return {status: each["description"] for status, each in found.items()}


def expected(operation: Operation) -> dict[str, str]:
    codes: dict[str, list[str]] = {"422": ["invalid_request"], "500": ["internal_error"]}
    for code, status in operation.refuses.items():
        codes.setdefault(str(status), []).append(code)
    return {status: ", ".join(each) for status, each in codes.items()}


@every_app
def test_services_answer_one_another_under_the_name_of_who_answers(app: str) -> None:
    for name, modules in programs(ROOT / "fixtures" / app / "microservices").items():
        inner = [route for module in modules for route, _ in routes(module) if "/internal" in route]
        assert all(f" /internal/{name.replace('_', '-')}/" in route for route in inner)


@every_app
@every_arm
def test_a_row_is_stored_by_the_names_of_its_columns(app: str, arm: str) -> None:
    for path in sorted((ROOT / "fixtures" / app / arm).rglob("rows.py")):
        inner: dict[str, Any] = {"__name__": "rows"}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), inner)
        rows = inner["Rows"]
        with closing(sqlite3.connect(":memory:")) as db:
            db.execute("CREATE TABLE kept (later TEXT DEFAULT 'x', b TEXT, a TEXT UNIQUE)")
            for verb in ("add", "put"):
                if hasattr(rows, verb):
                    record = type("Record", (), {})()
                    vars(record).update(a=verb, b="B")
                    getattr(rows(db), verb)("kept", record)
                    told = db.execute("SELECT a, b, later FROM kept WHERE a = ?", (verb,))
                    assert told.fetchall() == [(verb, "B", "x")], path


@every_app
def test_the_key_of_a_table_is_its_first_column(app: str) -> None:
    tree = weave(read_app(ROOT / "fixtures" / app / "app"))
    tables = [table for path, text in tree.items() if path.endswith(".py")
              for table in re.findall(r"CREATE TABLE[^(]*\(([^;]*)\);", text)]  # fmt: skip
    keyed = [table for table in tables if "PRIMARY KEY" in table]
    assert len(keyed) > len(ARMS)
    assert all("PRIMARY KEY" in table.split(",")[0] for table in keyed)


@every_app
@pytest.mark.parametrize("dose", [0, 2])
def test_what_an_arm_has_nothing_of_leaves_no_empty_line(app: str, dose: int) -> None:
    woven = weave(read_app(ROOT / "fixtures" / app / "app"), dose)
    databases = [text for path, text in woven.items() if path.endswith(f"/{app}/db.py")]
    assert len(databases) == 2
    assert not any(re.search(r"\n\n +raise", text) for text in databases)


@every_app
def test_an_import_that_fits_into_a_line_stands_in_one(app: str) -> None:
    program = Path(sys.executable).with_name("ruff")
    arms = [str(ROOT / "fixtures" / app / arm) for arm in ARMS]
    rules = ("--line-length", "100", "--select", "I", "--config",
             "lint.isort.split-on-trailing-comma=false")  # fmt: skip
    command = (str(program), "check", "--isolated", "--no-cache", *rules, *arms)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@every_app
def test_no_context_can_be_called_as_a_module_of_an_arm_or_what_it_imports(app: str) -> None:
    read, names = read_app(ROOT / f"fixtures/{app}/app"), set[str]()
    for path in (path for arm in ARMS for path in (ROOT / "fixtures" / app / arm).rglob("*.py")):
        names |= {*path.relative_to(ROOT / "fixtures" / app).with_suffix("").parts[1:]}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    assert names - {*read.contexts, read.spec.package, "__init__"} <= RESERVED


def bound(module: ast.Module) -> Iterator[str]:
    """The names that a module has at its top and what it imports from beside it or elsewhere."""
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))


@every_app
def test_no_model_or_operation_can_be_called_as_what_stands_beside_it(app: str) -> None:
    """What is in modules of schemas and routes and is no name of the app itself."""
    read = read_app(ROOT / f"fixtures/{app}/app")
    own = {*read.spec.types, *read.contexts}
    for each in read.contexts.values():
        spec = each.spec
        own |= {*each.module.names, *spec.bodies, *spec.answers, *spec.operations}
        own |= {str(each.store), *each.methods, *(f"{method}_internal" for method in each.methods)}
    for path in (path for arm in ARMS for path in (ROOT / "fixtures" / app / arm).rglob("*.py")):
        place = path.relative_to(ROOT / "fixtures" / app).as_posix()
        if re.search(r"(routes|schemas)(/\w+)?\.py$|^microservices/(?!edge)\w+/main\.py$", place):
            module = ast.parse(path.read_text(encoding="utf-8"))
            names = {name for name in bound(module) if not name.endswith(("Request", "Fields"))}
            assert names - own - RESERVED_NAMES == set(), place


@every_app
@pytest.mark.parametrize("arm", ["monolith", "modular"])
def test_no_context_can_be_called_as_what_stands_beside_it(app: str, arm: str) -> None:
    """Its routes in the program, its tables (in capitals) in the database, its class at wiring."""
    read, package = read_app(ROOT / f"fixtures/{app}/app"), ROOT / "fixtures" / app / arm / app
    main, db, wiring = (
        set(bound(ast.parse((package / f"{name}.py").read_text(encoding="utf-8"))))
        for name in ("main", "db", "wiring")
    )
    beside = {name for name in main if name.islower()}
    beside |= {name.lower() for name in db if name.isupper()}
    beside |= {name for name in wiring if name[0].isupper()}
    readers = (name for each in read.spec.couplings for name in each.readers.values())
    own = {*read.contexts, *read.stores.classes, *readers}
    own |= {each.service for each in read.contexts.values()}
    taken = RESERVED | RESERVED_NAMES
    assert {name for name in beside - own if not {name, name.title()} & taken} == set()
