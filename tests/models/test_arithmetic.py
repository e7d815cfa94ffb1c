"""Amounts in the words of a person become what the calculator takes, or nothing where they do not fit together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memagent.models.arithmetic import Amount, Operation, amount, expression
from memagent.tools.calculator import evaluate

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "number", "sign", "unit"),
    [
        ("189", "189", "", ""),
        ("£189", "189", "£", ""),
        ("$ 40", "40", "$", ""),
        ("€5.50", "5.50", "€", ""),
        ("£1,250.50", "1250.50", "£", ""),
        ("10,000,000", "10000000", "", ""),
        ("12k", "12000", "", ""),
        ("£2K", "2000", "£", ""),
        ("30k steps", "30000", "", "steps"),
        ("fifty", "fifty", "", ""),
        ("Twelve eggs", "Twelve", "", "eggs"),
        ("3 km", "3", "", "km"),
        ("5KG", "5", "", "kg"),
        ("about 3.5 hours", "3.5", "", "hours"),
        ("40%", "40", "", "%"),
        ("it was £30.", "30", "£", ""),
    ],
)
def test_the_amount_in_some_words(words: str, number: str, sign: str, unit: str) -> None:
    assert amount(words) == Amount(number, sign, unit)


@pytest.mark.parametrize("words", ["", "lots", "none", "the phone", "someone else"])
def test_words_without_an_amount(words: str) -> None:
    assert amount(words) is None


def test_money_goes_before_other_numbers_and_the_first_before_the_next() -> None:
    assert amount("the 2 tickets were £60") == Amount("60", "£", "")
    assert amount("4 nights, 2 rooms") == Amount("4", "", "nights")


@pytest.mark.parametrize(
    ("operation", "words", "question", "value", "unit"),
    [
        ("sum", ["£189", "£108"], "", "£297", ""),
        ("sum", ["€20", "€5.50", "€1"], "", "€26.50", ""),
        ("sum", ["$1,250.50", "$2k"], "", "$3250.50", ""),
        ("sum", ["£189", "108"], "", "£297", ""),
        ("sum", ["108", "£189"], "", "£297", ""),
        ("sum", ["£20", "fifty"], "", "£70", ""),
        ("sum", ["twenty", "thirty"], "", "50", ""),
        ("sum", ["3 km", "4 km"], "", "7", "km"),
        ("sum", ["fifty minutes", "Ten Minutes"], "", "60", "minutes"),
        ("sum", ["40%", "10%"], "", "50", "%"),
        ("sum", ["£20 a month", "£5 in all"], "", "£25", ""),
        ("difference", ["£50", "£12"], "", "£38", ""),
        ("difference", ["£12", "£50"], "", "£38", ""),
        ("difference", ["£1,200", "£1,000.50"], "", "£199.50", ""),
        ("difference", ["12 miles", "5 miles", "3 miles"], "", "7", "miles"),
        ("difference", ["£12"], "how much change from fifty?", "£38", ""),
        ("difference", ["£12"], "how much is left of £50?", "£38", ""),
        ("difference", ["£12", "£50"], "is that more than 500?", "£38", ""),
    ],
)
def test_the_calculator_takes_what_comes_out(
    operation: Operation, words: list[str], question: str, value: str, unit: str
) -> None:
    found = expression(operation, words, question)
    assert found is not None and found[1] == unit
    assert evaluate(found[0], NOW).value_text == value


@pytest.mark.parametrize(
    ("operation", "words", "question"),
    [
        ("sum", [], ""),
        ("sum", ["£20"], ""),
        ("sum", ["£20", "lots"], ""),
        ("sum", ["£20"], "and with £30 more?"),
        ("difference", [], "what is left of 50 after 20?"),
        ("difference", ["£20"], "how much is left?"),
        ("difference", ["a bit"], "how much is left of fifty?"),
    ],
)
def test_fewer_than_two_amounts_are_not_calculated(operation: Operation, words: list[str], question: str) -> None:
    assert expression(operation, words, question) is None


@pytest.mark.parametrize("operation", ["sum", "difference"])
def test_two_currencies_are_not_calculated(operation: Operation) -> None:
    assert expression(operation, ["£20", "$20"], "") is None
    assert expression("difference", ["£20"], "what is left of $50?") is None


def test_a_word_that_is_no_unit_is_not_said_as_one() -> None:
    assert expression("sum", ["30 a month", "12 a month"], "") == ("30 + 12", "")
    assert expression("sum", ["7 km", "12 km"], "") == ("7 + 12", "km")
