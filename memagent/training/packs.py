"""The raw material of the training data, from YAML: slots (what can be told, asked, changed, forgotten) and other acts.

Placeholders in a template: `[S]`, `[S's]`, `[SO]` the subject as subject, possessive and object; `[x|y]` the form
after "I" or after a third person; `[V]` the value, `[OLD]` the former one, `[W]` a time phrase.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from memagent.errors import InputError

FOLDER = Path(__file__).parent / "packs"
SLOT_FILES = ("people.yaml", "things.yaml", "plans.yaml")
PLACEHOLDER = re.compile(r"\[([^\[\]]*)\]")
ALLOWED = {"S", "S's", "SO", "V", "OLD", "W"}


@dataclass(frozen=True)
class Slot:
    """One attribute that subjects can have, with the sentences people use for it."""

    name: str
    kind: str
    single: bool
    subjects: tuple[str, ...]  # ("person",), ("user",) or literal things
    values: str | tuple[str, ...]  # a pool's name, or literals
    states: tuple[str, ...]
    asks: tuple[str, ...]
    changes: tuple[str, ...] = ()
    befores: tuple[str, ...] = ()
    yesnos: tuple[str, ...] = ()
    forgets: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    whens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packs:
    """All slots, the sentences of the other acts, and the pools of values."""

    slots: tuple[Slot, ...]
    acts: dict[str, tuple[str, ...]]
    pools: dict[str, tuple[str, ...]] = field(repr=False)

    def value(self, slot: Slot, rng: random.Random) -> str:
        """One value of a slot."""
        return self.draw(slot.values, rng)

    def draw(self, values: str | tuple[str, ...], rng: random.Random) -> str:
        """One of the literals, or one of the named pool."""
        return rng.choice(self.pools[values] if isinstance(values, str) else values)


def placeholders(template: str) -> list[str]:
    return PLACEHOLDER.findall(template)


def check_template(template: str, where: str) -> None:
    """Raises InputError for a placeholder that the composer does not know."""
    for inner in placeholders(template):
        if inner not in ALLOWED and inner.count("|") != 1:
            raise InputError(
                f"{where}: unknown placeholder [{inner}] in {template!r}", "see packs.py for those allowed"
            )


def _slot(entry: dict[str, object], where: str) -> Slot:
    def sentences(key: str) -> tuple[str, ...]:
        found = tuple(str(item) for item in entry.get(key) or ())  # type: ignore[attr-defined]
        for template in found:
            check_template(template, f"{where}: {entry['name']}")
        return found

    values, subjects = entry["values"], entry["subjects"]
    return Slot(
        name=str(entry["name"]),
        kind=str(entry["kind"]),
        single=bool(entry["single"]),
        subjects=tuple(map(str, subjects)) if isinstance(subjects, list) else (str(subjects),),
        values=tuple(map(str, values)) if isinstance(values, list) else str(values),
        states=sentences("states"),
        asks=sentences("asks"),
        changes=sentences("changes"),
        befores=sentences("befores"),
        yesnos=sentences("yesnos"),
        forgets=sentences("forgets"),
        lists=sentences("lists"),
        whens=sentences("whens"),
    )


@lru_cache(maxsize=1)
def load_packs() -> Packs:
    """Everything in `packs/`, checked; slots in a stable order."""
    from memagent.training.pools import load_pools

    slots: dict[str, Slot] = {}
    for file in SLOT_FILES:
        for entry in yaml.safe_load((FOLDER / file).read_text(encoding="utf-8")):
            slot = _slot(entry, file)
            slots.setdefault(slot.name, slot)
    acts = {
        key: tuple(map(str, sentences))
        for key, sentences in yaml.safe_load((FOLDER / "acts.yaml").read_text(encoding="utf-8")).items()
    }
    pools = load_pools()
    for slot in slots.values():
        if isinstance(slot.values, str) and slot.values not in pools:
            raise InputError(
                f"slot {slot.name}: there is no pool {slot.values}", f"pools are {', '.join(sorted(pools))}"
            )
    return Packs(tuple(sorted(slots.values(), key=lambda slot: slot.name)), acts, pools)
