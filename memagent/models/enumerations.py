"""Values that are told as one list: "milk, oats and the blue cheese" has one slot and one subject for all three."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import SURE_SLOT, Understood, Value

SEPARATOR = re.compile(
    r"\s*(?:[,;/&+]|\b(?:and|or|plus)\b)(?:[\s,;&+]|\b(?:and|or|plus|the|a|an|some)\b)*", re.IGNORECASE
)
COMMA = re.compile(r",\s+")


@dataclass(frozen=True)
class Listed:
    """A value, and of an enumeration the member whose slot and subject hold for all; None where it stands alone."""

    value: Value
    lead: Value | None = None


def listed(understood: Understood) -> list[Listed]:
    """The values of a message in order, without those that are only what another one is about.

    Values with nothing but separators between them are one enumeration, unless their slots are surely different;
    what was found as one value in it is split at its commas.
    """
    subjects = {
        value.subject.span
        for value in understood.values
        if value.subject is not None and value.subject.source == "text"
    }
    runs: list[list[Value]] = []
    for value in understood.values:
        if value.span in subjects:
            continue
        gap = understood.text[runs[-1][-1].span[1] : value.span[0]] if runs else ""
        if runs and SEPARATOR.fullmatch(gap) and _may_share(runs[-1], value):
            runs[-1].append(value)
        else:
            runs.append([value])
    found: list[Listed] = []
    for run in runs:
        lead = _lead(run) if len(run) > 1 else None
        members = [part for value in run for part in _parts(value)] if lead else run
        found += [Listed(member, lead) for member in members]
    return found


def _may_share(run: Sequence[Value], value: Value) -> bool:
    together = (*run, value)
    slots = {one.slot if one.slot_probability >= SURE_SLOT else OTHER_SLOT for one in together}
    return len(slots) == 1 or (len(slots - {OTHER_SLOT}) == 1 and not all(one.single for one in together))


def _lead(run: Sequence[Value]) -> Value:
    """The first value, with the slot that is surest in the run."""
    known = [value for value in run if value.slot != OTHER_SLOT] or run
    surest = max(known, key=lambda value: value.slot_probability)
    first = next(_parts(run[0]))
    return replace(first, slot=surest.slot, slot_probability=surest.slot_probability)


def _parts(value: Value) -> Iterator[Value]:
    start, at = value.span[0], 0
    for match in [*COMMA.finditer(value.words), None]:
        end = match.start() if match else len(value.words)
        yield replace(value, span=(start + at, start + end), words=value.words[at:end])
        at = match.end() if match else end
