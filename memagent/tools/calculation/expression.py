"""A recursive-descent parser for arithmetic on exact fractions, percentages and quantities with units.

sum      = product (("+" | "-") product)*        84 + 15% adds 15 % of 84
product  = signed (("*" | "/" | "mod" | "of" | "off") signed)*
signed   = ("+" | "-") signed | power
power    = postfix ("^" signed)?                 to the right: 2 ^ 3 ^ 2 is 2 ^ 9
postfix  = primary ("!" | "%" | unit)*           5 feet 11 and 12 stone 4 are one quantity each
primary  = number | "(" sum ")" | function arguments | "pi"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from memagent.errors import InputError
from memagent.tools.calculation.numbers import bounded, factorial, power
from memagent.tools.calculation.units import UNIT_PATTERN, Unit, convert, unit_named

_DEPTH = 40
_TOKENS = 400
_PI = Fraction("3.14159265358979323846264338327950288419716939937510")
_HINT = "write it in symbols, such as 15% of 84, (3 + 4) * 2 or 5 km in miles"
_PATTERN = re.compile(
    rf"""\s*(?:(?P<number>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+|\d+\.(?!\d)|\.\d+|\d+)(?P<exponent>e[+-]?\d{{1,3}}(?![\w.]))?|
    (?P<op>\*\*|[-+*/^%!(),])|(?P<word>mod|of|off|and|pi|sqrt|cbrt|abs|round|floor|ceil|(?:min|max)(?=\s*\(|\s+of\b)|factorial|gcd|lcm|
    average|mean|sum)(?!\w)|(?P<unit>{UNIT_PATTERN}))""",
    re.VERBOSE,
)
_NEXT_DOWN = {"foot": "inch", "stone": "pound", "pound": "ounce"}  # 5 feet 11, 12 stone 4: the unit that is left unsaid


@dataclass(frozen=True)
class Value:
    """An exact (or marked inexact) number; `unit` None for a bare one; `percent` for a literal such as 15%."""

    number: Fraction
    unit: Unit | None = None
    percent: bool = False
    exact: bool = True


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    number: Fraction = Fraction(0)


def calculate(text: str) -> Value:
    """The value of an expression in symbols. Raises InputError for anything else."""
    parser = _Parser(_tokens(text), text)
    value = parser.sum()
    parser.finish()
    return value


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _PATTERN.match(text, at)
        if match is None:
            word = re.match(r"\s*(\w+|.)", text[at:])
            raise InputError(f"cannot calculate with {(word[1] if word else text[at])[:40]!r}", _HINT)
        if match["number"]:
            number = Fraction(match["number"].replace(",", "").rstrip("."))
            if match["exponent"]:
                number *= Fraction(10) ** int(match["exponent"][1:])
            tokens.append(_Token("number", match["number"], bounded(number)))
        elif match["unit"]:
            tokens.append(_Token("unit", match["unit"]))
        else:
            tokens.append(_Token("op", (match["op"] or match["word"]).replace("**", "^")))
        at = match.end()
        if len(tokens) > _TOKENS:
            raise InputError("the expression is too long", "calculate it in parts")
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0
        self._depth = 0

    def finish(self) -> None:
        if self._at < len(self._tokens):
            raise self._unexpected()

    def sum(self) -> Value:
        left = self._product()
        while operator := self._take("+", "-"):
            right = self._product()
            left = _add(left, right, 1 if operator == "+" else -1)
        return left

    def _product(self) -> Value:
        left = self._signed()
        while operator := self._take("*", "/", "mod", "of", "off") or ("*" if self._peek("(") else ""):
            left = _OPERATIONS[operator](left, self._signed())
        return left

    def _signed(self) -> Value:
        self._deeper()
        try:
            sign = self._take("-", "+")
            if not sign:
                return self._power()
            value = self._signed()
            return replace(value, number=-value.number) if sign == "-" else value
        finally:
            self._depth -= 1

    def _power(self) -> Value:
        base = self._postfix()
        if not self._take("^"):
            return base
        exponent = self._signed()
        if base.unit or exponent.unit or exponent.percent:
            raise InputError("a power needs plain numbers", "leave out the units")
        number, exact = power(base.number, exponent.number)
        return Value(number, None, False, exact and base.exact and exponent.exact)

    def _postfix(self) -> Value:
        value = self._primary()
        while True:
            if self._peek("%") and not self._begins_number(self._at + 1) and value.unit is None:
                self._at += 1
                value = Value(value.number / 100, None, True, value.exact)
            elif self._take("%"):
                value = _modulo(value, self._signed())
            elif self._take("!"):
                if value.unit or value.percent:
                    raise InputError("a factorial needs a whole number", "write it as 5!")
                value = Value(factorial(value.number))
            elif self._at < len(self._tokens) and self._tokens[self._at].kind == "unit" and value.unit is None:
                value = self._compound(value)
            else:
                return value

    def _compound(self, value: Value) -> Value:
        """`5 feet 11`, `3 h 25 min`, `12 stone 4`."""
        unit = self._unit()
        if value.percent:
            raise self._unexpected()
        total, smallest = value.number, unit
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "number":
            following = self._tokens[self._at + 1] if self._at + 1 < len(self._tokens) else None
            more = unit_named(following.text) if following and following.kind == "unit" else None
            if more is None and following is None and smallest.name in _NEXT_DOWN:
                more = unit_named(_NEXT_DOWN[smallest.name])
            if more is None or more.dimension != unit.dimension or more.factor >= smallest.factor or more.offset:
                break
            total += convert(self._tokens[self._at].number, more, unit)
            smallest = more
            self._at = min(self._at + 2, len(self._tokens))
        return Value(total, unit, False, value.exact)

    def _unit(self) -> Unit:
        unit = unit_named(self._tokens[self._at].text)
        if unit is None:
            raise self._unexpected()
        self._at += 1
        return unit

    def _primary(self) -> Value:
        if self._at >= len(self._tokens):
            raise InputError("the expression ends too early", _HINT)
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "number":
            return Value(token.number)
        if token.text == "(":
            self._deeper()
            value = self.sum()
            self._depth -= 1
            if not self._take(")"):
                raise InputError("a bracket is not closed", "put ) where the part in brackets ends")
            return value
        if token.text == "pi":
            return Value(_PI, None, False, False)
        if token.text in _FUNCTIONS:
            return _call(token.text, self._arguments(token.text))
        self._at -= 1
        raise self._unexpected()

    def _arguments(self, function: str) -> list[Value]:
        """`max(1, 2)`, `average of 3, 5 and 10`, `sqrt 16`."""
        self._take("of")
        if function in ("sqrt", "cbrt", "factorial", "abs") and not self._peek("("):
            self._deeper()
            value = self._postfix()
            self._depth -= 1
            return [value]
        bracket = self._take("(")
        values = [self.sum()]
        while self._take(",", "and"):
            self._take("and")
            values.append(self.sum())
        if bracket and not self._take(")"):
            raise InputError("a bracket is not closed", "put ) where the part in brackets ends")
        return values

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise InputError("the expression is nested too deeply", "calculate it in parts")

    def _begins_number(self, at: int) -> bool:
        return at < len(self._tokens) and (self._tokens[at].kind == "number" or self._tokens[at].text == "(")

    def _peek(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == _Token("op", text)

    def _take(self, *texts: str) -> str:
        if (
            self._at < len(self._tokens)
            and self._tokens[self._at].kind == "op"
            and self._tokens[self._at].text in texts
        ):
            self._at += 1
            return self._tokens[self._at - 1].text
        return ""

    def _unexpected(self) -> InputError:
        if self._at >= len(self._tokens):
            return InputError("the expression ends too early", _HINT)
        return InputError(f"{self._tokens[self._at].text[:40]!r} does not fit where it stands", _HINT)


def _add(left: Value, right: Value, sign: int) -> Value:
    exact = left.exact and right.exact
    if right.percent and not left.percent:
        return Value(bounded(left.number * (1 + sign * right.number)), left.unit, False, exact)
    if left.percent != right.percent or (left.unit is None) != (right.unit is None):
        raise InputError("numbers with and without a unit cannot be added", "give both the same unit")
    number = right.number
    if left.unit and right.unit:
        if left.unit.dimension == "temperature" and left.unit is not right.unit:
            raise InputError("temperatures of two scales cannot be added", "convert one of them first")
        number = convert(right.number, right.unit, left.unit)
    return Value(bounded(left.number + sign * number), left.unit, left.percent, exact)


def _multiply(left: Value, right: Value) -> Value:
    if left.unit and right.unit:
        raise InputError(f"{left.unit.plural} times {right.unit.plural} is not supported", "multiply by a plain number")
    return Value(bounded(left.number * right.number), left.unit or right.unit, False, left.exact and right.exact)


def _divide(left: Value, right: Value) -> Value:
    exact = left.exact and right.exact
    if right.number == 0:
        raise InputError("division by zero", "divide by another number")
    if right.unit and left.unit:
        return Value(bounded(left.number / convert(right.number, right.unit, left.unit)), None, False, exact)
    if right.unit:
        raise InputError(f"a number cannot be divided by {right.unit.plural}", "divide by a plain number")
    return Value(bounded(left.number / right.number), left.unit, left.percent and not right.percent, exact)


def _modulo(left: Value, right: Value) -> Value:
    if left.unit or right.unit:
        raise InputError("a remainder needs plain numbers", "leave out the units")
    if right.number == 0:
        raise InputError("division by zero", "divide by another number")
    return Value(bounded(left.number % right.number), None, False, left.exact and right.exact)


def _off(left: Value, right: Value) -> Value:
    """`20% off 45`, `5 off 20`."""
    return _add(right, left, -1)


_OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "*": _multiply,
    "of": _multiply,
    "/": _divide,
    "mod": _modulo,
    "off": _off,
}
_ROUNDINGS: dict[str, Callable[[Fraction], Fraction | int]] = {
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda value: round(value),
}
_FUNCTIONS = frozenset(
    ("sqrt", "cbrt", "abs", "round", "floor", "ceil", "min", "max", "factorial", "gcd", "lcm", "average", "mean", "sum")
)


def _call(name: str, values: list[Value]) -> Value:
    first = values[0]
    exact = all(value.exact for value in values)
    if name in ("sqrt", "cbrt"):
        if first.unit or first.percent or len(values) > 1:
            raise InputError("a root needs one plain number", "leave out the units")
        number, is_exact = power(first.number, Fraction(1, 2 if name == "sqrt" else 3))
        return Value(number, None, False, exact and is_exact)
    if name == "round" and len(values) == 2 and values[1].number.denominator == 1 and abs(values[1].number) <= 50:
        return replace(first, number=Fraction(round(first.number, int(values[1].number))), exact=exact)
    if name in ("abs", "floor", "ceil", "round", "factorial"):
        if len(values) != 1:
            raise InputError(f"{name} takes one number", f"write it as {name}(2.5)")
        if name == "factorial":
            return Value(factorial(first.number))
        function = _ROUNDINGS[name]
        return replace(first, number=Fraction(function(first.number)))
    if name in ("gcd", "lcm"):
        return _common(name, values)
    numbers = [_same_unit(value, first) for value in values]
    if name in ("min", "max"):
        return replace(first, number=min(numbers) if name == "min" else max(numbers), exact=exact)
    total = bounded(sum(numbers, Fraction(0)))
    return replace(first, number=total if name == "sum" else total / len(numbers), exact=exact)


def _same_unit(value: Value, first: Value) -> Fraction:
    if (value.unit is None) != (first.unit is None):
        raise InputError("numbers with and without a unit cannot be compared", "give all the same unit")
    return convert(value.number, value.unit, first.unit) if value.unit and first.unit else value.number


def _common(name: str, values: list[Value]) -> Value:
    if any(value.unit or value.number.denominator != 1 for value in values):
        raise InputError(f"{name} needs whole numbers", f"write it as {name}(12, 18)")
    numbers = [int(value.number) for value in values]
    return Value(bounded(Fraction(math.gcd(*numbers) if name == "gcd" else math.lcm(*numbers))))
