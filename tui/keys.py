"""The names of the actions that the `[keys]` table of the configuration may give other keys."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from textual.binding import Binding
from textual.dom import DOMNode

import tui


def actions() -> dict[str, str]:
    """The id of every action of ours, with its keys."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        for item in vars(importlib.import_module(module.name)).values():
            if isinstance(item, type) and issubclass(item, DOMNode) and item.__module__.startswith("tui."):
                own = [binding for binding in item.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)]
                found |= {binding.id: binding.key for binding in own if binding.id is not None}
    return found


def unknown_actions(names: Iterable[str]) -> list[str]:
    """Those of `names` that are no action."""
    known = {*actions(), "app.palette"}
    return sorted(name for name in names if name not in known)
