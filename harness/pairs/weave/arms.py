"""The arms that the loom weaves, by name."""

from collections.abc import Callable

from harness.pairs.weave.microservices import microservices
from harness.pairs.weave.modular import modular
from harness.pairs.weave.monolith import monolith
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import Tree, template

ARMS: dict[str, Callable[[App, int], Tree]] = {
    "monolith": monolith,
    "modular": modular,
    "microservices": microservices,
}
"""how each arm is made, of an app and a dose of couplings"""


def emit(app: App, dose: int) -> Tree:
    """Every file of every arm, by path below `fixtures/<app>/`, not yet formatted."""
    trees = {arm: make(app, dose) for arm, make in ARMS.items()}
    return {
        f"{arm}/{path}": text
        for arm, tree in trees.items()
        for path, text in (tree | _papers(app, has_borders=".importlinter" in tree)).items()
    }


def _papers(app: App, *, has_borders: bool) -> Tree:
    """README, .gitignore and requirements: the same in every arm but for what borders need."""
    return {
        "README.md": template("README.md", APP=app.spec.package, TITLE=app.spec.title),
        ".gitignore": template("gitignore"),
        "requirements.txt": template(
            "requirements.txt", BORDERS="import-linter>=2.17,<3" if has_borders else ""
        ),
    }
