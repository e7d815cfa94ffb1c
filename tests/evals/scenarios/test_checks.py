"""What each check means, and what counts as declining to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from memagent.errors import QueryError
from memagent.evals.scenarios.checks import declines, failed_checks
from memagent.evals.scenarios.format import Checks, SqlCheck


def failing(reply: str, stored: int = 0, rows: Sequence[Sequence[Any]] = (), **checks: Any) -> list[str]:
    return list(failed_checks(Checks(**checks), reply, stored, lambda _: rows))


@pytest.mark.parametrize(
    ("reply", "checks", "held"),
    [
        ("It is Hartnell; you told me on 2 March.", {"expect": ("hartnell",)}, True),
        ("It is Vaillant.", {"expect": ("Hartnell",)}, False),
        ("Ana and Bea.", {"expect": ("ana", "BEA")}, True),
        ("Ana.", {"expect": ("Ana", "Bea")}, False),
        ("140 people", {"expect": ("40",)}, False),
        ("7194.", {"expect_any": ("7-1-9-4", "7194")}, True),
        ("7-1-9-5.", {"expect_any": ("7-1-9-4", "7194")}, False),
        ("Ana, Bea", {"expect": ("Ana",), "expect_any": ("Bob", "Bea")}, True),
        ("It is Nanook.", {"reject": ("Ted",)}, True),
        ("I started with Nanook.", {"reject": ("Ted",)}, True),
        ("Nanook, or Ted.", {"reject": ("Bob", "Ted")}, False),
        ("I don't know: you haven't told me that.", {"abstain": True}, True),
        ("It is Ted.", {"abstain": True}, False),
        ("I don't know.", {"abstain": False}, False),
        ("It is Ted.", {"abstain": False}, True),
        ("anything", {}, True),
    ],
)
def test_what_a_check_means(reply: str, checks: dict[str, Any], held: bool) -> None:
    assert failing(reply, **checks) == ([] if held else list(checks))


@pytest.mark.parametrize("checks", [{"reject": ("Ted",)}, {"abstain": True}, {"abstain": False}, {"expect": ("Ted",)}])
def test_silence_passes_no_check_of_the_reply(checks: dict[str, Any]) -> None:
    assert failing(" \n", **checks) == list(checks)


def test_stores_looks_at_memory_not_at_the_reply() -> None:
    assert failing("", stored=2, stores=2) == []
    assert failing("", stored=1, stores=2) == failing("", stored=1, stores=0) == ["stores"]
    assert failing("", stored=0, stores=0) == []


@pytest.mark.parametrize(
    ("wanted", "rows", "held"),
    [
        ((("Hartnell", 1),), [("Hartnell", 1)], True),
        ((("Hartnell", 1),), [["Hartnell", 1.0]], True),
        (((4719,),), [("4719",)], True),
        ((("4719",),), [(4719,)], True),
        (((None,),), [(None,)], True),
        (((None,),), [("",)], False),
        ((("Hartnell",),), [("hartnell",)], False),
        ((("a",), ("b",)), [("b",), ("a",)], False),
        ((("a",),), [("a",), ("a",)], False),
        ((("a",),), [("a", "b")], False),
        ((("a",),), [], False),
        ((), [], True),
        (2, [("a",), ("b",)], True),
        (2, [("a",)], False),
        (0, [], True),
    ],
)
def test_sql_compares_rows_in_order_or_their_number(wanted: Any, rows: list[Any], held: bool) -> None:
    assert failing("", rows=rows, sql=SqlCheck("select 1", wanted)) == ([] if held else ["sql"])


def test_a_query_that_fails_is_no_query_that_gives_nothing() -> None:
    def refuse(_: str) -> Sequence[Sequence[object]]:
        raise QueryError("there is no such table")

    with pytest.raises(QueryError):
        failed_checks(Checks(sql=SqlCheck("select 1 from nowhere", 0)), "", 0, refuse)


def test_all_failing_checks_are_named() -> None:
    assert failing("no", stored=1, expect=("yes",), reject=("no",), stores=0) == ["expect", "reject", "stores"]


def test_checks_are_told_in_words() -> None:
    checks = Checks(("Ana",), ("7", "seven"), ("Bob",), True, 1, SqlCheck("select 1", ((1,), (2,))))
    assert checks.in_words() == (
        "Ana",
        "7 or seven",
        "not Bob",
        "to decline",
        "1 fact stored",
        "[[1], [2]] from select 1",
    )
    assert Checks(sql=SqlCheck("select 1", 2)).in_words() == ("2 rows from select 1",)
    assert not Checks() and Checks(stores=0) and Checks(abstain=False)


@pytest.mark.parametrize(
    "reply",
    [
        "I don't know: you haven't told me that.",
        "I don’t know.",
        "You haven't told me that about hall, so I don't know.",
        "That isn't in my memory; you haven't told me that.",
        "I'm afraid I don't know that.",
        "Hmm. I don't know that one.",
        "I don't know, but you told me the cat goes to Ridgeway Vets.",
        "I have no record of that.",
        "There is no mention of a nephew.",
        "I'm not sure about that.",
        "I can't find anything about that.",
        "Sorry, I do not have that information.",
        "I don't have a record of your nephew's age.",
        "You never mentioned it.",
        "You've never told me your middle name.",
        "I wasn't told that.",
        "I have not been told that.",
        "It was never mentioned.",
        "Not said.",
        "I am unable to answer that.",
        "Nothing in my memory says so.",
    ],
)
def test_a_reply_that_declines(reply: str) -> None:
    assert declines(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "It is Ted.",
        "Whitby; you told me on 2 March.",
        "You told me: “I don't know Ted”.",
        "I'm not sure, but I think it's Whitby.",
        "I don't know for certain, but it is probably Whitby.",
        "You didn't say when, but you told me on 22 November 2026.",
        "You don't know how to swim; you told me on 2 March.",
        "You have no brothers; you told me on 2 March.",
        "She has no idea about the party; you told me on 4 May.",
        "Don't worry: it is Hartnell.",
        "It is not blue, it is red.",
        "Knot tying (you told me on 2 March).",
    ],
)
def test_a_reply_that_does_not_decline(reply: str) -> None:
    assert not declines(reply)
