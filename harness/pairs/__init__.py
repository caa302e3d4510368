"""Pairs: one app in several architectures, described by `fixtures/<app>/pair.yaml`."""

from harness.pairs.load import Pair, load_pair, load_pairs
from harness.pairs.spec import PairSpec

__all__ = ["Pair", "PairSpec", "load_pair", "load_pairs"]
