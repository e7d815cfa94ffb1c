"""Sentences about numbers, taken apart into expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from memagent.errors import InputError
from memagent.tools.calculation.expression import Value, calculate
from memagent.tools.calculation.numbers import is_finite_decimal, write, write_money
from memagent.tools.calculation.units import UNIT_PATTERN, convert, unit_named
from memagent.tools.calculation.words import to_symbols

_MONEY = re.compile(r"[£$€¥]|\b(?:gbp|usd|eur|quid|dollars?|euros?|bucks)\b")
_SIGNS = {"gbp": "£", "quid": "£", "usd": "$", "dollar": "$", "bucks": "$", "eur": "€", "euro": "€"}
_LEAD = re.compile(
    r"(?:(?:hey|ok|please|pls|so|and|um|quick)[, ]+|(?:can|could|would) you\s+(?:please\s+)?|"
    r"(?:what'?s|what is|whats|what are|what would|what does|what do|how much is|how much are|how much'?s|"
    r"how many is|"
    r"calculate|compute|work out|figure out|evaluate|tell me|find|give me|solve|convert|the (?:result|value|"
    r"answer) of|"
    r"i need|do you know)\s+)"
)
_TAIL = re.compile(
    r"(?:[\s,]*(?:please|pls|thanks|thank you|equals?|make|be|come to|in total|altogether|is how much|is what|"
    r"how much is that|what do i (?:get|pay)|each)|\s*[=?.:]|(?<![\d)!])!)+$"
)


@dataclass(frozen=True)
class Answer:
    """`text` is the value as a person would write it; `steps` says how it came about."""

    text: str
    steps: str
    exact: bool = True


def strip_wrapping(text: str) -> str:
    """The question without "what's ..." and "... please?"."""
    previous = None
    while previous != text:
        previous = text
        match = _LEAD.match(text)
        text = text[match.end() :] if match else text
        text = _TAIL.sub("", text).strip(" ,;")
    return text


def answer(text: str) -> Answer:
    """The answer to a `plain` text without wrapping. Raises InputError."""
    text, symbol = _without_money(text)
    for pattern, build in _SENTENCES:
        match = pattern.fullmatch(text)
        if match:
            found = build(match, symbol)
            if found is not None:
                return found
    found = _conversion(text)
    if found is not None:
        return found
    expression = _tidy(text)
    return _shown(expression, calculate(expression), symbol)


def _without_money(text: str) -> tuple[str, str]:
    signs = {_SIGNS.get(sign.rstrip("s") if sign != "bucks" else sign, sign) for sign in _MONEY.findall(text)}
    return re.sub(r"\s+", " ", _MONEY.sub("", text)).strip(), signs.pop() if len(signs) == 1 else ""


def _tidy(text: str) -> str:
    """Words that a sum is said in, to symbols."""
    text = to_symbols(text)
    text = re.sub(
        r"\b(?:plus|with|add|and|\+)?\s*(?:a\s+)?(?:vat|tax|tip|service charge|service)\s+(?:of|at)\s+(\S+\s?%)",
        r" + \1",
        text,
    )
    text = re.sub(r"\+\s*\+", "+", text)
    text = re.sub(r"(%)\s*(?:vat|tax|tip|service|commission|interest)?\s*\bon\b", r"\1 of", text)
    text = re.sub(
        r"^(.*\d)(?:\s+[a-z]+){0,2}\s+(?:with|at|less)\s+(\S+\s?%)\s*(?:off|discount)$", r"(\2) off (\1)", text
    )
    text = re.sub(r"(%)\s*(?:discount|reduction)\s+(?:on|of|from)\b", r"\1 off", text)
    text = re.sub(r"(%)\s*off\s+(?:of\s+|from\s+)?(?:an?\s+|the\s+)?", r"\1 off ", text)
    text = re.sub(r"(^|[(+*/^-]|\bof|\boff)\s*(?:an?|the)\s+(?=[\d(])", r"\1 ", text)
    return re.sub(r"\ban?\s+(?=" + UNIT_PATTERN + ")", "1 ", text)


def _value(text: str) -> Value:
    return calculate(_tidy(text))


def _number(text: str) -> Value:
    value = _value(text)
    if value.unit:
        raise InputError("a plain number was expected", "leave out the unit")
    return value


def _shown(expression: str, value: Value, symbol: str) -> Answer:
    text = _write(value, symbol)
    finite = value.exact and is_finite_decimal(value.number * (100 if value.percent else 1))
    fraction = value.number
    exactly = (
        f", exactly {fraction}" if value.exact and not finite and len(str(fraction)) < 40 and not value.percent else ""
    )
    sign = "=" if finite else "≈"
    return Answer(text, f"{re.sub(chr(32) + '+', ' ', expression).strip()} {sign} {text}{exactly}", finite)


def _write(value: Value, symbol: str) -> str:
    if value.percent:
        return write(value.number * 100) + "%"
    if value.unit:
        return f"{write(value.number)} {value.unit.name if value.number == 1 else value.unit.plural}"
    return write_money(value.number, symbol) if symbol else write(value.number)


_TARGET = rf"(?P<unit>{UNIT_PATTERN})"
_CONVERSIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:how many|how much|number of)\s+{_TARGET}\s+(?:is|are|in|are there in|are in|there are in|make|"
        rf"=)\s+(?P<of>.+)",
        rf"{_TARGET}\s+(?:in|per)\s+(?P<of>.+)",
        rf"(?P<of>.+?)\s+is\s+(?:what|how much)\s+in\s+{_TARGET}",
        rf"(?P<of>.+?)\s*(?:\b(?:in|to|into|as|is how many)\b|=)\s*(?:an?\s+)?{_TARGET}",
    )
)


def _conversion(text: str) -> Answer | None:
    """`5 feet 11 in cm`, `how many miles is 42 km`, `ounces in a kilogram and a half`, `220 celsius to fahrenheit`."""
    match = next((found for pattern in _CONVERSIONS if (found := pattern.fullmatch(text))), None)
    if not match:
        return None
    target = unit_named(match["unit"])
    quantity = re.sub(r"^an? (" + UNIT_PATTERN + r") and a (half|quarter)$", _and_a_part, match["of"])
    value = _value(re.sub(rf"^({UNIT_PATTERN})$", r"1 \1", quantity.strip()))
    if target is None or value.unit is None:
        raise InputError("a quantity with a unit was expected", "write it as 5 km in miles")
    result = Value(convert(value.number, value.unit, target), target, False, value.exact)
    return _shown(quantity.strip(), result, "")


def _and_a_part(match: re.Match[str]) -> str:
    return f"{'1.5' if match[2] == 'half' else '1.25'} {match[1]}"


def _ratio(part: Value, whole: Value, symbol: str) -> Answer:
    if whole.number == 0:
        raise InputError("nothing is a percentage of zero", "give another whole")
    number = part.number
    if part.unit and whole.unit:
        number = convert(part.number, part.unit, whole.unit)
    value = Value(number / whole.number, None, True, part.exact and whole.exact)
    return _shown(f"{write(number)} / {write(whole.number)}", value, symbol)


def _part_of(match: re.Match[str], symbol: str) -> Answer:
    return _ratio(_value(match["a"]), _value(match["b"]), symbol)


def _split(match: re.Match[str], symbol: str) -> Answer | None:
    total, count = _value(match["total"]), _number(match["count"]).number
    if count.denominator != 1 or count < 1:
        raise InputError("a whole number of shares was expected", "write it as split 126.40 between 4")
    share = total.number / count
    if total.unit or is_finite_decimal(share, 2):
        return _shown(f"{_write(total, symbol)} / {count}", Value(share, total.unit, False, total.exact), symbol)
    cents = share * 100 // 1
    left = total.number - Fraction(cents, 100) * count
    each, rest = write_money(Fraction(cents, 100), symbol), write_money(left, symbol)
    return Answer(f"{each} each, {rest} left over", f"{_write(total, symbol)} / {count} = {each}, remainder {rest}")


def _binary(operator: str) -> Callable[[re.Match[str], str], Answer]:
    def build(match: re.Match[str], symbol: str) -> Answer:
        expression = f"({_tidy(match['a'])}) {operator} ({_tidy(match['b'])})"
        return _shown(expression, calculate(expression), symbol)

    return build


def _change(match: re.Match[str], symbol: str) -> Answer:
    first, second = _number(match["a"]), _number(match["b"])
    return _ratio(Value(second.number - first.number), first, symbol)


def _bottles(match: re.Match[str], symbol: str) -> Answer | None:
    """`how many 750 ml bottles for 20 litres`: whole ones, rounded up."""
    size, total = _value(match["size"]), _value(match["total"])
    if size.unit is None or total.unit is None or size.number <= 0:
        return None
    needed = convert(total.number, total.unit, size.unit) / size.number
    count = -(-needed.numerator // needed.denominator)
    return Answer(str(count), f"{_write(total, '')} / {_write(size, '')} ≈ {write(needed)}, so {count}")


_A, _B = r"(?P<a>.+?)", r"(?P<b>.+)"
_WAYS = r"(?:ways?|people|persons?|friends|of us|parts?|shares?|times|heads)"
_PERCENT = r"(?:%|percent|per cent|percentage|pct)"
_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], Answer | None]], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (
            rf"(?:split|divide|share)\s+(?:a\s+)?(?:bill of\s+)?(?P<total>.+?)\s+(?:evenly\s+|equally\s+)?"
            rf"(?:between|among|amongst|by|into|over|with)\s+(?P<count>.+?)(?:\s+{_WAYS})?",
            _split,
        ),
        (rf"(?:split|divide|share)\s+(?P<total>.+?)\s+(?P<count>[\w-]+)\s+{_WAYS}", _split),
        (rf"(?P<total>.+?)\s+(?:split|divided|shared)\s+(?:between|among)\s+(?P<count>.+?)(?:\s+{_WAYS})?", _split),
        (
            rf"(?:what\s+)?{_PERCENT}\s+of\s+(?P<b>.+?)\s+is\s+(?P<a>.+)",
            _part_of,
        ),
        (rf"(?:what\s+)?{_PERCENT}\s+is\s+{_A}\s+of\s+{_B}", _part_of),
        (rf"{_A}\s+is\s+what\s+{_PERCENT}\s+of\s+{_B}", _part_of),
        (rf"{_A}\s+as\s+an?\s+{_PERCENT}\s+of\s+{_B}", _part_of),
        (
            rf"(?:the\s+)?{_PERCENT}\s+(?:change|increase|decrease|difference)\s+(?:from|between)\s+{_A}\s+"
            rf"(?:to|and)\s+{_B}",
            _change,
        ),
        (rf"(?:increase|raise|put up)\s+{_A}\s+by\s+{_B}", _binary("+")),
        (rf"(?:decrease|reduce|lower|cut)\s+{_A}\s+by\s+{_B}", _binary("-")),
        (rf"{_A}\s+(?:increased|raised)\s+by\s+{_B}", _binary("+")),
        (rf"{_A}\s+(?:decreased|reduced)\s+by\s+{_B}", _binary("-")),
        (rf"add\s+{_A}\s+(?:to|and)\s+{_B}", _binary("+")),
        (r"(?:subtract|take)\s+(?P<b>.+?)\s+(?:away\s+)?from\s+(?P<a>.+)", _binary("-")),
        (rf"multiply\s+{_A}\s+(?:by|and|with)\s+{_B}", _binary("*")),
        (r"(?:the\s+)?difference\s+between\s+(?P<b>.+?)\s+and\s+(?P<a>.+)", _binary("-")),
        (rf"(?:the\s+)?product\s+of\s+{_A}\s+and\s+{_B}", _binary("*")),
        (rf"(?:the\s+)?remainder\s+(?:of|when)\s+{_A}\s+(?:is\s+)?(?:divided\s+by|over|/)\s+{_B}", _binary("mod")),
        (
            r"(?:how many\s+)?(?P<size>.+?)\s+(?:bottles?|glasses|jars?|cans?|bags?|boxes|packs?|portions?)"
            r"(?:,?\s+(?:how many\s+)?"
            r"(?:do i need|are needed))?\s+(?:for|in|make|to fill)\s+(?P<total>.+)",
            _bottles,
        ),
    )
)
