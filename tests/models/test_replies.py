"""What the specialists say: every value comes from a tool's result, the rest is fixed English."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.agent.grounding import plain, unsupported
from memagent.conversation import ToolResult
from memagent.models import replies
from memagent.models.answers import Found, Kind
from memagent.models.evidence import USER, Evidence
from memagent.models.rivals import Candidate

WORDS = st.text(st.sampled_from("abcdeXYZ é019-'"), min_size=1, max_size=14).filter(lambda text: bool(text.strip()))
KEY = st.text(max_size=20)


def result(ok: bool = True, **content: Any) -> ToolResult:
    return ToolResult("1", "memory_add", ok, content, "")


def candidate(words: str, text: str = "", date: str = "2 March 2026", **hit: Any) -> Candidate:
    data = {"id": 1, "kind": "fact", "text": text or words, "score": 1.0, "said_at": "", "date": date, **hit}
    return Candidate(Evidence(data), words, 0.9, {"yes": 0.5, "no": 0.5}, 0, len(words))


@st.composite
def stored_results(draw: st.DrawFn) -> ToolResult:
    if draw(st.integers(0, 4)) == 0:
        return result(False, error=draw(WORDS))
    action = draw(st.sampled_from(["added", "repeated", "superseded", "queued"]))
    content = {name: draw(WORDS) for name in ("attribute", "value")} | {
        "subject": draw(st.one_of(st.just(USER), WORDS))
    }
    content |= {"action": action, "before": draw(st.none() | WORDS), "also": draw(st.lists(WORDS, max_size=2))}
    if draw(st.booleans()):
        content["when"] = draw(WORDS)
    return result(**content)


@st.composite
def found(draw: st.DrawFn) -> Found:
    kind = draw(st.sampled_from(get_args(Kind)))
    asked = draw(st.one_of(st.just(USER), st.just(""), WORDS))
    times = [{"text": draw(WORDS), "start": draw(st.integers(0, 5)), "end": 9, "means": draw(WORDS)}]
    candidates = tuple(
        candidate(draw(WORDS), draw(WORDS), draw(WORDS), times=draw(st.sampled_from([[], times])))
        for _ in range(draw(st.integers(1, 3)))
    )
    return Found(kind, () if kind == "nothing" else candidates, asked=asked)


def texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return texts(list(value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [text for item in value for text in texts(item)]
    return [str(value)]


@given(st.lists(stored_results(), max_size=4), KEY)
def test_what_was_stored_is_said_in_the_words_of_the_results(results: list[ToolResult], key: str) -> None:
    sentence = " ".join([key, *(str(item.content.get("value", "")) for item in results)])
    reply = replies.stored(results, sentence)
    assert unsupported(reply, [*texts([item.content for item in results]), replies.your_words(sentence)]) == []
    for item in results:
        assert plain(str(item.content["value"] if item.ok else item.content["error"])).strip(" .!,;") in plain(reply)


@given(found(), KEY)
def test_an_answer_is_made_of_evidence(answer: Found, key: str) -> None:
    evidence = texts([[item.words, item.evidence.hit] for item in answer.candidates])
    evidence += [str(len(answer.candidates)), answer.asked]
    reply = replies.answered(answer, key)
    assert unsupported(reply, evidence) == []
    if answer.kind in ("value", "values", "count", "yes", "no", "previous"):
        wanted = answer.candidates if answer.kind in ("values", "count") else answer.candidates[:1]
        assert all(plain(item.words) in plain(reply) for item in wanted)
    if answer.kind == "nothing":
        assert "told me" in reply


@given(st.lists(stored_results(), max_size=3), KEY)
def test_what_was_erased_is_not_repeated(results: list[ToolResult], key: str) -> None:
    assert unsupported(replies.erased(results, key), [str(len([item for item in results if item.ok]))]) == []


@given(st.lists(WORDS, min_size=1, max_size=5))
def test_a_list_is_joined_with_all_its_items(items: list[str]) -> None:
    joined = replies.joined(items)
    assert all(item in joined for item in items)
    assert len(joined) == sum(map(len, items)) + (2 * (len(items) - 2) + 5 if len(items) > 1 else 0)


@given(st.text(max_size=120))
def test_streaming_loses_nothing_but_leading_space(text: str) -> None:
    assert "".join(replies.stream(text)) == text.lstrip()


def test_the_same_message_gets_the_same_words_and_wording_varies() -> None:
    said = {replies.talked(f"hello {number}") for number in range(30)}
    assert 1 < len(said) <= len(replies.GREETING)
    assert replies.talked("hello 1") == replies.talked("hello 1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"action": "added", "value": "Porto"}, "you live in Porto with your cat, and you're glad."),
        ({"action": "added", "value": "Porto", "when": "March 2026"}, "you're glad (March 2026)."),
        ({"action": "superseded", "value": "Porto", "before": "Leeds"}, "your home city: Porto, no longer Leeds."),
        ({"action": "repeated", "value": "Porto"}, "your home city: Porto (you had told me)."),
        ({"action": "queued", "value": "Porto", "also": ["Leeds", "Hull"]}, "Porto (beside Leeds and Hull)."),
    ],
)
def test_what_is_said_of_a_write(content: dict[str, Any], said: str) -> None:
    sentence = "I live in Porto with my cat, and I'm glad."
    assert replies.stored([result(subject=USER, attribute="home city", **content)], sentence).endswith(said)


def test_a_write_whose_result_was_cut_to_fit_the_window_is_said_in_the_words_of_the_tool() -> None:
    cut = ToolResult("1", "memory_add", True, {"cut": '{"action": "ad…'}, "remembered Ilse: birthday = 16 feb · id 1")
    assert "Ilse" in replies.stored([cut], "Ilse 16 feb")


def test_a_write_that_failed_and_a_message_without_a_fact_are_admitted() -> None:
    assert "could not store that (the value is empty)" in replies.stored(
        [result(False, error="the value is empty")], ""
    )
    assert replies.stored([], "k") in replies.NO_FACT


@pytest.mark.parametrize(
    ("words", "times", "said"),
    [
        ("tomorrow", [("tomorrow", "3 March 2026")], "3 March 2026 (“tomorrow”, told on 2 March 2026)."),
        ("3 March", [("3 March", "3 March 2026")], "3 March 2026; you told me on 2 March 2026."),
        ("at 9:30", [], "At 9:30; you told me on 2 March 2026."),
        ("before breakfast", [], "Before breakfast; you told me on 2 March 2026."),
        ("soon", [], "You didn't say when, but you told me on 2 March 2026."),
    ],
)
def test_when_is_answered_with_a_date_that_code_resolved(words: str, times: list[tuple[str, str]], said: str) -> None:
    named = [{"text": text, "start": 0, "end": len(text), "means": means} for text, means in times]
    assert replies.answered(Found("when", (candidate(words, times=named),)), "k") == said


def test_an_hour_keeps_the_word_before_it() -> None:
    closing = Found("when", (candidate("4", "they close at 4 on fridays"),))
    assert replies.answered(closing, "k") == "At 4; you told me on 2 March 2026."


@pytest.mark.parametrize(
    ("question", "told", "said"),
    [
        ("where does the honey go?", "it goes to the farm shop at Dunning", "The farm shop at Dunning"),
        ("what sells the honey?", "it goes to the farm shop at Dunning", "The farm shop"),
        ("where does the honey go?", "it goes to the farm shop at weekends", "The farm shop"),
    ],
)
def test_where_is_answered_with_the_place_that_is_named_behind(question: str, told: str, said: str) -> None:
    reply = replies.answered(Found("value", (candidate("the farm shop", told),)), question)
    assert re.match(rf"{said}(;| \()", reply)


def test_two_questions_at_once_are_answered_with_the_sentence() -> None:
    told = candidate("Renuka", "Renuka is learning for midwife with my aunt")
    reply = replies.answered(Found("value", (told,)), "who of my colleagues studies, and what for?")
    assert reply == "Renuka is learning for midwife with your aunt (you told me on 2 March 2026)."


def test_a_long_text_is_not_said_back_whole() -> None:
    long = candidate("Renuka", "Renuka is learning for midwife " * 20)
    assert replies.answered(Found("value", (long,)), "who studies, and what for?").startswith("Renuka")
    assert len(replies.answered(Found("value", (long,)), "who studies, and what for?")) < 60


def test_codes_and_names_keep_their_letters() -> None:
    for words, shown in (("hartnell", "Hartnell"), ("b7x", "b7x"), ("iPhone", "iPhone"), ("McCoy", "McCoy"), ("", "")):
        assert replies.answered(Found("value", (candidate(words),)), "k").startswith(shown)


def test_what_ended_is_said_with_what_it_was_of() -> None:
    ended = {"action": "ended", "subject": "post rammer", "attribute": "borrower", "value": "Gethin"}
    assert "post rammer: no longer Gethin" in replies.stored([result(**ended)], "gethin brought it back")
    assert "post rammer" not in replies.stored([result(**ended | {"subject": USER})], "gethin brought it back")


def test_a_calculation_says_its_value_or_why_there_is_none() -> None:
    assert replies.calculated(result(False)) == "I can't calculate that."
    assert replies.calculated(result(value="12.6")) == "12.6."
    assert (
        replies.calculated(result(False, error="it divides by zero")) == "I can't calculate that: it divides by zero."
    )
