"""The arms that the loom weaves, by name."""

from collections.abc import Callable

from harness.pairs.weave.microservices import microservices
from harness.pairs.weave.modular import modular
from harness.pairs.weave.monolith import monolith
from harness.pairs.weave.sources import App
from harness.pairs.weave.trees import Tree

ARMS: dict[str, Callable[[App, int], Tree]] = {
    "monolith": monolith,
    "modular": modular,
    "microservices": microservices,
}
"""how each arm is made, of an app and a dose of couplings"""
