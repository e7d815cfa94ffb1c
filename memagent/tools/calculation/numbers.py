"""Exact numbers within bounds."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

from memagent.errors import InputError

DIGITS = 1000  # of a numerator or denominator, at most
PLACES = 10  # decimal places of a result that has no end
_BITS = int(DIGITS * 3.33)


def bounded(value: Fraction) -> Fraction:
    """The value itself. Raises InputError when it has more than `DIGITS` digits."""
    if value.numerator.bit_length() > _BITS or value.denominator.bit_length() > _BITS:
        raise too_large()
    return value


def too_large() -> InputError:
    """The error for a number beyond the bounds."""
    return InputError(f"the result has more than {DIGITS} digits", "use smaller numbers")


def power(base: Fraction, exponent: Fraction) -> tuple[Fraction, bool]:
    """`base ** exponent`, and whether it is exact. Raises InputError for what is undefined or too large."""
    if exponent.denominator != 1:
        whole = root(base, exponent.denominator)
        if whole is not None:
            return power(whole, Fraction(exponent.numerator))
        return _approximate_power(base, exponent)
    n = exponent.numerator
    if n < 0:
        if base == 0:
            raise InputError("division by zero", "the base of a negative power cannot be 0")
        base, n = 1 / base, -n
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(base) not in (0, 1) and (n > _BITS * 2 or (bits - 1) * n > _BITS):
        raise too_large()
    if abs(base) in (0, 1):
        return (Fraction(1) if n % 2 == 0 and (base or n == 0) else base), True
    return bounded(base**n), True


def root(value: Fraction, degree: int) -> Fraction | None:
    """The exact root of that degree, or None where there is none among the fractions."""
    if degree < 1 or degree > 100 or (value < 0 and degree % 2 == 0):
        return None
    numerator, denominator = _integer_root(abs(value.numerator), degree), _integer_root(value.denominator, degree)
    if numerator is None or denominator is None:
        return None
    return Fraction(numerator, denominator) * (-1 if value < 0 else 1)


def _integer_root(value: int, degree: int) -> int | None:
    if degree == 2:
        guess = math.isqrt(value)
        return guess if guess * guess == value else None
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= value:
            low = middle
        else:
            high = middle - 1
    return low if low**degree == value else None


def _approximate_power(base: Fraction, exponent: Fraction) -> tuple[Fraction, bool]:
    if base < 0 and exponent.denominator % 2 == 0:
        raise InputError("an even root of a negative number is not a real number", "take the root of a positive number")
    if base == 0:
        if exponent < 0:
            raise InputError("division by zero", "the base of a negative power cannot be 0")
        return base, True
    if abs(float(exponent)) * max(base.numerator.bit_length(), base.denominator.bit_length()) > _BITS:
        raise too_large()
    with localcontext() as context:
        context.prec = 40
        context.Emax, context.Emin = 999999, -999999
        size = _decimal(abs(base)) ** _decimal(exponent)
    result = bounded(Fraction(size))
    return (-result if base < 0 and exponent.numerator % 2 else result), False


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def factorial(value: Fraction) -> Fraction:
    """Raises InputError for what is not a whole number from 0 to 440."""
    if value.denominator != 1 or value < 0:
        raise InputError("a factorial needs a whole number", "write it as 5!")
    if value > 440:
        raise too_large()
    return Fraction(math.factorial(value.numerator))


def is_finite_decimal(value: Fraction, places: int = PLACES) -> bool:
    """Whether the value can be written exactly with that many decimal places."""
    return int(10**places) % value.denominator == 0


def write(value: Fraction) -> str:
    """Digits: exact where at most `PLACES` decimals do it, else rounded, half to even."""
    if value.denominator == 1:
        return str(value.numerator)
    if is_finite_decimal(value):
        return _fixed(value, PLACES)
    places = PLACES
    if abs(value) < Fraction(1, 1000):
        places = min(PLACES + len(str(value.denominator // max(1, abs(value.numerator)))), DIGITS)
    return _fixed(value, places)


def _fixed(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def write_money(value: Fraction, symbol: str) -> str:
    """Two decimals unless the amount is whole; rounded half to even."""
    cents = round(value * 100)
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{symbol}{whole}" + (f".{rest:02d}" if rest else "")
