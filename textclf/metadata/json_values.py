"""Compare JSON values, and flatten nested ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def differ(one: Any, other: Any) -> bool:
    """Whether two JSON values differ. 1 and 1.0 do: scikit-learn takes a count and a share."""
    import json  # deferred: not every command compares values

    return json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings and lists of mappings as one level with dotted names."""
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, Mapping) and inner:
            flat |= flatten(inner, f"{path}.")
        elif isinstance(inner, list | tuple) and inner and isinstance(inner[0], Mapping):
            flat |= flatten({str(n): x for n, x in enumerate(inner, 1)}, f"{path}.")
        else:
            flat[path] = list(inner) if isinstance(inner, tuple) else inner
    return flat
