"""From remembered amounts to a calculation: "what did both cost me together" becomes "£189 + £108"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Operation = Literal["sum", "difference"]

_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen \
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
_AMOUNT = re.compile(
    rf"(?P<sign>[£$€])?\s?(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?|\b(?:{'|'.join(_WORDS.split())})\b(?![- ]of\b))"
    r"(?P<thousands>k\b)?[-\s]?(?P<unit>%|[^\W\d_]+)?",
    re.IGNORECASE,
)
_SCALES = frozenset({*_WORDS.split(), "hundred", "thousand", "million", "billion", "bn", "mn"})
_NO_UNITS = frozenset("a an and at each for from in is of on or per the to was with".split())  # noqa: SIM905


@dataclass(frozen=True)
class Amount:
    """A number in somebody's words, with its currency sign and the word behind it."""

    number: str
    sign: str
    unit: str


def amount(words: str) -> Amount | None:
    """The first amount in some words, preferably one of money; None for those in several words ("two hundred")."""
    found = sorted(_AMOUNT.finditer(words), key=lambda match: match["sign"] is None)
    if not found:
        return None
    first = found[0]
    unit = (first["unit"] or "").casefold()
    if unit in _SCALES or (first["sign"] and unit == "m"):
        return None
    number = first["number"].replace(",", "")
    if first["thousands"]:
        number = f"{Decimal(number) * 1000:f}" if number[0].isdigit() else f"{number}000"
    return Amount(number, first["sign"] or "", "" if unit in _NO_UNITS else unit)


def expression(operation: Operation, words: Sequence[str], question: str) -> tuple[str, str] | None:
    """What to calculate, and the unit that all amounts share ("" without one).

    A difference is between the first two; where memory has but one, the question may name the other ("change from
    fifty"). None with fewer than two amounts, where some words hold none, and for mixed currencies or units.
    """
    used = list(words[:2]) if operation == "difference" else list(words)
    if operation == "difference" and len(used) == 1:
        used.append(question)
    amounts = [found for text in used if (found := amount(text)) is not None]
    if len(amounts) < max(2, len(used)):
        return None
    units = {found.unit for found in amounts}
    if len({found.sign for found in amounts} - {""}) > 1 or (
        len(units - {""}) > 1 and not all(a.sign for a in amounts)
    ):
        return None
    sign = max(found.sign for found in amounts)
    numbers = [f"{sign}{found.number}" if found.number[0].isdigit() else found.number for found in amounts]
    unit = units.pop() if len(units) == 1 and not sign else ""
    if operation == "sum":
        return " + ".join(numbers), unit
    return f"abs({' - '.join(numbers)})", unit
