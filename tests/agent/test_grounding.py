"""Names, numbers and dates of a reply must have been said; ordinary words are free."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.agent.grounding import unsupported


@pytest.mark.parametrize(
    ("reply", "evidence", "missing"),
    [
        ("It is Hartnell.", "the boiler is serviced by Hartnell", []),
        ("It is Hartnell.", "the boiler is serviced by Vaillant", ["Hartnell"]),
        ("It is Hartnell.", "nothing", ["Hartnell"]),
        ("She lives in São Paulo.", "my sister moved to sao paulo", []),
        ("She lives in Sao Paulo.", "my sister moved to São Paulo", []),
        ("Your boss is Zoë.", "my boss is Zoe", []),
        ("You mean Ana's flat.", "ana packed up her flat", []),
        ("Your sister is Ana.", "Ana's all settled in Porto", []),
        ("Your sister is Ana.", "Ana’s all settled in Porto", []),
        ("He is called O'Brien.", "the vet is o’brien", []),
        ("It is 'Hartnell'.", "{'value': 'Hartnell'}", []),
        ("You paid 1,200 pounds.", "it was 1200", []),
        ("You paid 1200.", "it was 1,200.", []),
        ("You paid 1300.", "it was 1,200", ["1300"]),
        ("The code is 7-1-9-4.", "my bike lock is 7-1-9-4, dont lose that", []),
        ("The code is 7-1-9-5.", "my bike lock is 7-1-9-4", ["7-1-9-5"]),
        ("you told me on 12 March 2026", "[1] 12 March 2026, said: hi", []),
        ("you told me on 13 March 2026", "[1] 12 March 2026, said: hi", ["13"]),
        ("you told me on 12 April 2026", "[1] 12 March 2026, said: hi", ["April"]),
        ("That was 2026-03-12.", "on 2026-03-12", []),
        ("at 9:30 it starts", "it starts at 9:30.", []),
        ("at 9:45 it starts", "it starts at 9:30", ["9:45"]),
        ("part 4 of 40", "40", ["4"]),
        ("Hamburg.", "nothing", ["Hamburg"]),
        ("Hamburg.", "she lives in hamburg", []),
        ("I am sure: Brunhilde.", "what is she called?", ["Brunhilde"]),
        ("Hello! It is known: The answer is no.", "nothing", []),
    ],
)
def test_what_was_said_is_supported_and_nothing_else(reply: str, evidence: str, missing: list[str]) -> None:
    assert unsupported(reply, [evidence]) == missing


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I don't know: nothing in memory supports an answer.",
        "Noted. Thanks! Really? Yes: Fine\nAnd so on",
        "“Quoted words” (Or in brackets) are the start of a sentence too.",
        "I'm sure I've said that I'd look and I'll look.",
        "OK, the SQL is fine.",
        "Noted: You're off again. Got it: You've been there. Noted: You'll be late. Got it: You'd rather not.",
        "the quick brown fox",
    ],
)
def test_ordinary_words_and_sentence_starts_are_free(reply: str) -> None:
    assert unsupported(reply, []) == []


def test_all_evidence_counts_and_missing_words_come_in_order() -> None:
    reply = "it was Ana, not Bea, who paid 40 to Carla in 2019"
    assert unsupported(reply, ["Ana", "40"]) == ["2019", "Bea", "Carla"]
    assert unsupported(reply, ["bea 2019", "ana", "CARLA: 40"]) == []


@given(st.text(max_size=200))
def test_a_text_supports_itself(text: str) -> None:
    assert unsupported(text, [text]) == []


@given(st.text(max_size=100), st.lists(st.text(max_size=30), max_size=4))
def test_what_is_missing_comes_from_the_reply(reply: str, evidence: list[str]) -> None:
    assert all(word in reply for word in unsupported(reply, evidence))
