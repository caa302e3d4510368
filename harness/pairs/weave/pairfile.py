"""pair.yaml: which file of which arm belongs to which context."""

from typing import Any

import yaml

from harness.pairs.weave.faces import FOLDER
from harness.pairs.weave.sources import App
from harness.pairs.weave.spec import CouplingSpec
from harness.pairs.weave.trees import Tree, active
from harness.verifier.globs import matching

RECORDED = ("openapi", "interactions")
"""folders of an arm that `seambench pairs record` writes, not the loom"""
HEAD = "# Written by `seambench weave {app}` from app/app.yaml; change that.\n"


def pairfile(app: App, tree: Tree, dose: int) -> str:
    """The text of pair.yaml for the arms in `tree`, which emit made at a dose. Raises BadInput."""
    spec = app.spec
    arms: dict[str, list[str]] = {}
    for path in tree:
        arm, _, inner = path.partition("/")
        arms.setdefault(arm, []).append(inner)
    _check_protected(app, {inner for paths in arms.values() for inner in paths})
    content: dict[str, Any] = {
        "app": spec.app,
        "title": spec.title,
        "dose": dose,
        "contexts": list(app.contexts),
        "protected": list(spec.protected),
        "id_pattern": spec.id_pattern,
        "contract": spec.contract,
        "visible_tests": spec.visible_tests,
        "arms": {arm: _arm(app, arm, paths) for arm, paths in arms.items()},
        "couplings": [_coupling(each) for each in active(app, dose)],
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return HEAD.format(app=spec.app) + text


def _check_protected(app: App, paths: set[str]) -> None:
    """Every pattern protects something: a file that is woven, or one of the visible tests."""
    for number, glob in enumerate(app.spec.protected):
        if not glob.startswith("tests/") and not any(map(matching([glob]), paths)):
            raise app.wrong(f"no arm has a file {glob}", "protected", number)


def _arm(app: App, arm: str, paths: list[str]) -> dict[str, Any]:
    contexts: dict[str, dict[str, list[str]]] = {}
    contracts = [f"{kind}/*.json" for kind in RECORDED] if arm == "microservices" else []
    stubs = any(path.startswith(f"{FOLDER}/") for path in paths)
    owned: set[str] = set()
    for name in app.contexts:
        files = [path for path in paths if _owner(path, name)]
        owned |= set(files)
        domain = [path for path in files if path.endswith((f"services/{name}.py", "/service.py"))]
        glue = [path for path in files if path not in domain]
        glue += [f"openapi/{name}.json"] if contracts else []
        contexts[name] = {"domain": domain, "glue": glue}
    shared = [*contracts[1:], "openapi/edge.json"] if contracts else []
    shared += [path for path in paths if path not in owned and path not in app.spec.protected]
    found: dict[str, Any] = {"path": arm, "start_seconds": app.spec.start_seconds, "shared": shared}
    if contracts or stubs:
        found["contracts"] = contracts or [f"{FOLDER}/*.pyi"]
    return found | {"contexts": contexts}


def _owner(path: str, context: str) -> bool:
    folder, _, name = path.rpartition("/")
    return context in folder.split("/") or name in (f"{context}.py", f"{context}.pyi")


def _coupling(spec: CouplingSpec) -> dict[str, Any]:
    woven = "the tables' references" if spec.kind == "execution_order" else "as woven at this dose"
    where = "the domain" if spec.survives else woven
    arms = ("monolith", "modular", "microservices") if spec.survives else ("monolith",)
    return {
        "name": spec.name,
        "kind": spec.kind,
        "contexts": list(spec.contexts),
        "meaning": spec.meaning,
        "where": dict.fromkeys(arms, where),
    }
