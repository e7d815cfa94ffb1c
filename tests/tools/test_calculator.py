"""Exact arithmetic, against one clock: Wednesday 4 March 2026, 10:30 in Paris."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagent.errors import InputError
from memagent.tools.calculation.numbers import power, root, write
from memagent.tools.calculation.units import UNITS, convert, unit_named
from memagent.tools.calculator import evaluate
from tests.tools.calculator_cases import DATES, MONEY, NUMBERS, PERCENTAGES, REFUSED, UNIT_CASES

NOW = datetime(2026, 3, 4, 10, 30, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(("text", "value"), NUMBERS + PERCENTAGES + MONEY + UNIT_CASES + DATES)
def test_value(text: str, value: str) -> None:
    result = evaluate(text, NOW)
    assert result.value_text == value
    assert result.explanation and "\n" not in result.explanation


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_calculated_is_refused_in_one_line(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InputError) as refusal:
        evaluate(text, NOW)
    assert time.process_time() - started < 0.5
    assert refusal.value.hint and len(refusal.value.message) < 160 and "\n" not in refusal.value.message


def test_rounding_is_told() -> None:
    third = evaluate("1/3", NOW)
    assert not third.exact and "exactly 1/3" in third.explanation
    assert evaluate("1/4", NOW).exact
    assert not evaluate("sqrt(2)", NOW).exact


def test_every_unit_converts_to_its_kind_and_back() -> None:
    for unit in set(UNITS.values()):
        for target in set(UNITS.values()):
            if unit.dimension == target.dimension:
                assert convert(convert(Fraction(7, 3), unit, target), target, unit) == Fraction(7, 3)
    assert unit_named(" Square   Metres ") is unit_named("m²") and unit_named("parsec") is None


def test_conversion_factors_agree_with_pint() -> None:
    registry = pint.UnitRegistry(non_int_type=Fraction)
    pairs = [
        ("mile", "mile", "m", "meter"),
        ("stone", "stone", "kg", "kilogram"),
        ("ounce", "ounce", "kg", "kilogram"),
        ("us gallon", "gallon", "l", "liter"),
        ("imperial gallon", "imperial_gallon", "l", "liter"),
        ("imperial pint", "imperial_pint", "l", "liter"),
        ("fluid ounce", "fluid_ounce", "l", "liter"),
        ("cup", "cup", "l", "liter"),
        ("hectare", "hectare", "m²", "meter**2"),
        ("square mile", "mile**2", "m²", "meter**2"),
        ("mph", "mile/hour", "m/s", "meter/second"),
        ("knot", "knot", "m/s", "meter/second"),
        ("nautical mile", "nautical_mile", "m", "meter"),
        ("gib", "gibibyte", "byte", "byte"),
        ("kcal", "kilocalorie", "j", "joule"),
    ]
    for ours, theirs, base, their_base in pairs:
        unit, target = unit_named(ours), unit_named(base)
        assert unit is not None and target is not None
        expected = registry.Quantity(Fraction(1), theirs).to(their_base).magnitude
        assert float(convert(Fraction(1), unit, target)) == pytest.approx(float(expected), rel=1e-12), ours


_TERMS = st.fractions(min_value=-1000, max_value=1000, max_denominator=50)


@given(_TERMS, _TERMS, st.sampled_from("+-*/"))
def test_arithmetic_is_exact(left: Fraction, right: Fraction, operator: str) -> None:
    text = f"({left.numerator}/{left.denominator}) {operator} ({right.numerator}/{right.denominator})"
    if operator == "/" and right == 0:
        with pytest.raises(InputError):
            evaluate(text, NOW)
        return
    expected = {"+": left + right, "-": left - right, "*": left * right}.get(operator)
    expected = left / right if expected is None else expected
    assert evaluate(text, NOW).value_text == write(expected)


@given(st.fractions(min_value=0, max_value=1000, max_denominator=60), st.integers(1, 6))
def test_roots_invert_powers(value: Fraction, degree: int) -> None:
    assert root(value**degree, degree) == value
    assert power(value**degree, Fraction(1, degree)) == (value, True)


@given(st.dates(datetime(1, 1, 2).date(), datetime(9990, 1, 1).date()), st.integers(0, 3000))
def test_days_after_and_days_between_agree(day: object, count: int) -> None:
    from datetime import date, timedelta

    assert isinstance(day, date)
    later = day + timedelta(days=count)
    assert evaluate(f"days between {day} and {later}", NOW).value_text == f"{count} day{'' if count == 1 else 's'}"
    result = evaluate(f"{count} days after {day}", NOW).value_text
    assert result == f"{later:%A} {later.day} {later:%B} {later.year}"


_PIECES = st.sampled_from(
    [word for row in NUMBERS + PERCENTAGES + MONEY + UNIT_CASES + DATES for word in row[0].split()]
    + list("()+-*/^%!,.=£$'\"0123456789")
    + ["**", "9999999999", "e9", "born", "between", "of", "sqrt", "and"]
)


_PHRASES = st.lists(_PIECES, max_size=16)


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.lists(_PIECES, max_size=16).map(" ".join), st.lists(_PIECES, max_size=16).map("".join), st.text(max_size=80)
    )
)
def test_any_input_gives_a_value_or_an_input_error_in_time(text: str) -> None:
    started = time.process_time()
    try:
        result = evaluate(text, NOW)
    except InputError as error:
        assert error.hint
    else:
        assert result.value_text and len(result.value_text) < 3000
    assert time.process_time() - started < 1


LONG = (
    "a ",
    "1 ",
    "between ",
    "and ",
    "is ",
    "born ",
    "5 feet ",
    "days after ",
    "one hundred ",
    "half a ",
    "( ",
    "% of ",
)


@pytest.mark.parametrize("part", [*LONG, "% of ", "1 - ", "to ", "1 to ", "days between a and "])
def test_a_long_input_takes_bounded_time(part: str) -> None:
    started = time.process_time()
    with contextlib.suppress(InputError):
        evaluate(part * (500 // len(part)), NOW)
    assert time.process_time() - started < 1


def test_nothing_heavy_is_imported() -> None:
    program = (
        "import sys; import memagent.tools.calculator;"
        "print([name for name in ('pint', 'numpy', 'sympy', 'sqlalchemy', 'dateparser') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
