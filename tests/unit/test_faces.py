"""The stubs of the modular arm: all that a context shows the others, and nothing of its inside."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.pairs import load_pairs
from harness.pairs.weave import read_app
from harness.pairs.weave.faces import borders, stubs
from harness.paths import Checkout

ROOT = Path(__file__).parents[2]
APP = read_app(ROOT / "fixtures/atelier/app")
STUBS = stubs(APP)


def lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = (ruff, "check", "--isolated", "--no-cache", "--select", "F821,F811", str(folder))
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("context", APP.contexts)
def test_a_stub_has_every_public_method_with_its_types_and_no_other(context: str) -> None:
    tree = ast.parse(STUBS[f"contracts/{context}.pyi"])
    source = APP.contexts[context]
    (service,) = (node for node in tree.body
                  if isinstance(node, ast.ClassDef) and node.name == source.service)  # fmt: skip
    shown = {node.name: node for node in service.body if isinstance(node, ast.FunctionDef)}
    assert set(shown) == {name for name in source.methods if not name.startswith("_")}
    for name, node in shown.items():
        written = source.methods[name].node
        assert ast.dump(node.returns or node) == ast.dump(written.returns or written)
        annotations = [ast.dump(each.annotation or each) for each in node.args.args[1:]]
        assert annotations == [ast.dump(e.annotation or e) for e in written.args.args[1:]]


@pytest.mark.parametrize("context", APP.contexts)
def test_a_stub_has_no_body_no_value_and_nothing_private(context: str) -> None:
    for node in ast.walk(ast.parse(STUBS[f"contracts/{context}.pyi"])):
        if isinstance(node, ast.FunctionDef):
            assert not node.name.startswith("_")
            assert len(node.body) == 1
            assert isinstance(node.body[0], ast.Expr)
            assert isinstance(node.body[0].value, ast.Constant)
            assert all(isinstance(d, ast.Constant) and d.value is ... for d in node.args.defaults)
        elif isinstance(node, ast.AnnAssign):
            assert node.value is None or ast.unparse(node.value) == "..."
        else:
            assert not isinstance(node, ast.Assign | ast.Return | ast.Raise | ast.If | ast.For)


def test_every_name_of_a_stub_is_defined_or_imported_and_one_that_is_not_is_found(
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "fixtures/atelier/modular/contracts", tmp_path / "contracts")
    assert lint(tmp_path).returncode == 0, lint(tmp_path).stdout
    stub = tmp_path / "contracts/jobs.pyi"
    stub.write_text(stub.read_text().replace("class Order:", "class Ordered:"))
    assert "F821" in lint(tmp_path).stdout


def test_records_come_along_with_those_that_they_name() -> None:
    names = [node.name for node in ast.parse(STUBS["contracts/jobs.pyi"]).body
             if isinstance(node, ast.ClassDef)]  # fmt: skip
    assert names == ["Order", "Job", "Jobs"]
    assert "Lot" not in STUBS["contracts/accounts.pyi"]


def test_the_pair_lists_the_stubs_as_contracts_and_gives_each_to_its_context() -> None:
    arm = load_pairs(Checkout(ROOT))["atelier"].spec.arms["modular"]
    assert arm.contracts == ("contracts/*.pyi",)
    for context, files in arm.contexts.items():
        stubs = [path for path in files.glue if path.endswith(".pyi")]
        assert stubs == [f"contracts/{context}.pyi"]


def test_the_borders_name_every_context() -> None:
    text = borders(APP)
    assert all(f"[importlinter:contract:{context}]" in text for context in APP.contexts)
