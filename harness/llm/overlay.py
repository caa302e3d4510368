"""One JSON object laid over another."""

from collections.abc import Mapping
from typing import Any


def laid_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both together: objects are merged, lists joined, anything else is replaced."""
    return {**under, **{key: _joined(under.get(key), value) for key, value in over.items()}}


def _joined(under: Any, over: Any) -> Any:
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        return laid_over(under, over)
    if isinstance(under, list) and isinstance(over, list):
        return [*under, *(item for item in over if item not in under)]
    return over
