"""Values that are told as one list: "milk, oats and the blue cheese" has one slot and one subject for all three."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from memagent.models.labels import LIST_SLOT, OTHER_SLOT
from memagent.models.understanding import SURE_SLOT, Span, Understood, Value

SEPARATOR = re.compile(
    r"\s*(?:[,;/&+]|\b(?:and|or|plus)\b)(?:[\s,;&+]|\b(?:and|or|plus|the|a|an|some)\b)*", re.IGNORECASE
)
COMMA = re.compile(r",\s+")


# Words that no member of an enumeration has: who, what is said of it, and how it hangs together.
_NO_MEMBER = """i you he she it we they me him her us them my your his its our their who which that this these those
there here is are was were be been am has have had do does did will would can could should must may might not no
never n t to for from with at by on in into than then so but because if when while where as about after before until
since goes go went gets got get wants want needs need takes take makes made says said likes like loves hates"""
NO_MEMBER = frozenset(_NO_MEMBER.split())
MOST_WORDS = 4  # of a member that was not found as a value
LONGEST_GAP = 120  # characters between two values of one enumeration
MODIFIERS = 2  # words in front of one that was found without them: "felt" of "felt brooches"
INFLECTED = re.compile(r"(?:ed|ing|es|s|ly)$")  # "collects stamps" is no stamp
CAPITALISED = re.compile(r"(?:[A-ZÀ-Þ][\w'’-]*\s+)*[A-ZÀ-Þ][\w'’-]*$")
LAST_NAME = re.compile(r"\b(?:for|from|with|by|of|is|are) ([A-ZÀ-Þ][\w'’-]*)$")
OUTSIDE_COMMA = re.compile(r"\s*(?:,\s|[;&+]|\b(?:and|plus)\b)", re.IGNORECASE)
PLAIN_WORD = re.compile(r"[^\W_]+")


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
    for value in _completed(understood.text, [value for value in understood.values if value.span not in subjects]):
        gap = understood.text[runs[-1][-1].span[1] : value.span[0]] if runs else ""
        if runs and SEPARATOR.fullmatch(gap) and _may_share(runs[-1], value):
            runs[-1].append(value)
        else:
            runs.append([value])
    found: list[Listed] = []
    for run in runs:
        lead = _lead(run) if len(run) > 1 else None
        members = [part for value in run for part in _parts(value)] if lead or _is_list(run[0]) else run
        lead = lead or (replace(run[0], span=members[0].span, words=members[0].words) if len(members) > 1 else None)
        found += [Listed(member, lead) for member in members]
    return found


def _completed(text: str, values: Sequence[Value]) -> list[Value]:
    """The values with what was missed between two of them ("Beloved" of "Middlemarch, Beloved and The Leopard"), in
    front of one ("felt brooches") and in front of the first ("Mum, Dad and Rosalind"), where they are enumerated.
    """
    found: list[Value] = []
    for value in values:
        start = value.span[0]
        between = _between(text, found[-1].span[1], start) if found else []
        if between and between[-1][1] == start:
            grown = between.pop()[0]
            start = start if text[start].isdigit() else grown  # "weight 84 kilos" is another fact
        found += [_cut(value, *span, text) for span in between]
        if _goes_on(text, found, start):
            found[-1] = _cut(found[-1], found[-1].span[0], value.span[1], text)
        else:
            found.append(_cut(value, start, value.span[1], text))
    if len(found) > 1 and SEPARATOR.fullmatch(text[found[0].span[1] : found[1].span[0]]):
        found[0] = _without_lead(found[0], found[1], text)
        start, end = _before_first(text, found[0].span[0])
        found[:0] = [_cut(found[0], start, end, text)] if start < end else []
    return found


def _cut(value: Value, start: int, end: int, text: str) -> Value:
    return value if (start, end) == value.span else replace(value, span=(start, end), words=text[start:end])


def _goes_on(text: str, found: Sequence[Value], start: int) -> bool:
    """Whether a plain word right behind the last member of an enumeration belongs to it: "two Tallis anthems"."""
    if len(found) < 2 or text[found[-1].span[1] : start] != " " or not text[start].islower():
        return False
    return SEPARATOR.fullmatch(text[found[-2].span[1] : found[-1].span[0]]) is not None


def _without_lead(first: Value, second: Value, text: str) -> Value:
    """The first of several names, without what is said of all: "no dairy for Ebba, Kofi and Lachlan"."""
    name = LAST_NAME.search(first.words)
    if name is None or not CAPITALISED.fullmatch(second.words):
        return first
    return _cut(first, first.span[0] + name.start(1), first.span[1], text)


def _between(text: str, start: int, end: int) -> list[Span]:
    """Members between two values; one that reaches `end` is the beginning of the second value. Empty where anything
    else stands between them."""
    gap = text[start:end]
    if len(gap) > LONGEST_GAP or not OUTSIDE_COMMA.match(gap) or SEPARATOR.fullmatch(gap):
        return []
    pieces: list[Span] = []
    at = start
    for match in [*SEPARATOR.finditer(text, start, end), None]:
        until = match.start() if match else end
        if text[at:until].strip():
            pieces.append((at, until))
        at = match.end() if match else end
    front = [pieces.pop()] if pieces and pieces[-1][1] == end else []
    if any(not _may_be_member(text[left:right], MOST_WORDS) for left, right in pieces):
        return []
    modifier = text[slice(*front[0])].strip() if front else ""
    if front and (INFLECTED.search(modifier) or not _may_be_member(modifier, MODIFIERS)):
        return []
    return [*pieces, *((left, end) for left, _ in front)]


def _before_first(text: str, start: int) -> Span:
    """A name, or what a colon opens, that is separated from the first value by nothing but a comma or "and"."""
    near = max(0, start - LONGEST_GAP)
    separators = [match for match in SEPARATOR.finditer(text, near, start) if match.end() == start]
    if not separators or not OUTSIDE_COMMA.match(separators[0].group()):
        return start, start
    end = separators[0].start()
    lead = text[near:end]
    colon = lead.rfind(":") + 1
    if colon and _may_be_member(lead[colon:], MOST_WORDS):
        return end - len(lead[colon:].lstrip()), end
    name = CAPITALISED.search(lead)
    if name is None or not text[: near + name.start()].strip() or not _may_be_member(name.group(), MOST_WORDS):
        return start, start
    return near + name.start(), end


def _may_be_member(words: str, most: int) -> bool:
    plain = [word.casefold() for word in PLAIN_WORD.findall(words)]
    return 0 < len(plain) <= most and not NO_MEMBER & set(plain) and not any(end in words for end in ".!?:()")


def _is_list(value: Value) -> bool:
    """Whether what was found as one value is several, of which a slot may hold many: "shepherds: Tobiah, Wilf"."""
    parts = COMMA.split(value.words)
    return (
        not value.single
        and len(parts) > 1
        and all(_may_be_member(part, MOST_WORDS) for part in parts)
        and not any(character.isdigit() for character in value.words)
    )


def _may_share(run: Sequence[Value], value: Value) -> bool:
    together = (*run, value)
    if len({any(character.isdigit() for character in one.words) for one in together}) > 1 and not value.slot.endswith(
        LIST_SLOT
    ):
        return False  # "100 micrograms, every morning, empty stomach"
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
