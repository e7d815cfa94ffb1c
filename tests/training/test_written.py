"""Hand-written lines become labelled examples; what is not in its text is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memagent.errors import InputError
from memagent.models.evidence import bridged
from memagent.training import written
from memagent.training.reading import Group
from memagent.training.written import load_hops, load_messages, load_pairs, load_readings

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts lines into a folder that stands in for the packs."""
    monkeypatch.setattr(written, "FOLDER", tmp_path)

    def put(name: str, *lines: dict[str, Any]) -> None:
        text = "\n".join(json.dumps(line) for line in lines)
        (tmp_path / f"{name}_a.jsonl").write_text(f"{text}\n\n", encoding="utf-8")

    return put


def answers(group: Group) -> dict[str, str]:
    """The answering windows with their words."""
    return {window.text: window.text[slice(*window.answer)] for window in group.windows if window.answer is not None}


def windows_of(groups: list[Group]) -> set[frozenset[str]]:
    return {frozenset(window.text for window in group.windows) for group in groups}


WINDOWS = ["the boots cost £189", "it rains", "the coat cost £108"]


@pytest.mark.parametrize(
    ("at", "answer", "found"),
    [
        (0, "£189", {WINDOWS[0]: "£189"}),
        ([0, 2], ["£189", "£108"], {WINDOWS[0]: "£189", WINDOWS[2]: "£108"}),
        (None, None, {}),
    ],
)
def test_one_window_several_or_none_answer(write: Write, at: Any, answer: Any, found: dict[str, str]) -> None:
    write("readings", {"question": "how much?", "windows": WINDOWS, "in": at, "answer": answer})
    (group,) = load_readings()
    assert group.question == "how much?" and [window.text for window in group.windows] == WINDOWS
    assert answers(group) == found
    assert all((window.kind == "span") == (window.answer is not None) for window in group.windows)


HOP = {
    "question": "where does my sister live?",
    "links": ["my sister is Ana.", "my cousin is Eva"],
    "targets": ["Ana lives in Oslo", "Eva lives in Oslo", "Ana likes tea"],
}


def test_of_a_hop_only_the_right_pair_answers(write: Write) -> None:
    write("hops", HOP | {"right": [0, 0], "answer": "Oslo"})
    (group,) = load_hops()
    texts = [bridged(link, target) for link in HOP["links"] for target in HOP["targets"]]
    assert [window.text for window in group.windows] == [*texts, "Ana lives in Oslo"]
    assert answers(group) == {"my sister is Ana. Ana lives in Oslo": "Oslo"}


def test_the_span_of_a_hop_is_in_the_second_message(write: Write) -> None:
    hop = {"question": "sister's city?", "links": ["my sister Ana hates Oslo"], "targets": ["she is in Oslo"]}
    write("hops", hop | {"right": [0, 0], "answer": "Oslo"})
    (group,) = load_hops()
    (window,) = (window for window in group.windows if window.answer is not None)
    assert window.answer is not None and window.answer[0] > len("my sister Ana hates Oslo. ")


def test_a_hop_without_a_right_pair_answers_nothing(write: Write) -> None:
    write("hops", HOP | {"right": None, "answer": None})
    (group,) = load_hops()
    assert len(group.windows) == 6 and answers(group) == {}


def test_pairs_have_the_spans_of_their_values(write: Write) -> None:
    line = {"new": "Tariq is my boss", "new_value": "Tariq", "old": "my boss is Helen", "old_value": "Helen"}
    write("pairs", line | {"label": "replaces"})
    (pair,) = load_pairs()
    assert (pair.new[slice(*pair.new_value)], pair.old[slice(*pair.old_value)]) == ("Tariq", "Helen")
    assert pair.label == "replaces"


FACT = {"subject": "user", "value": "Oslo", "slot": "home city", "kind": "fact", "single": True}


def test_the_subject_of_a_message_is_the_person_or_in_the_text_or_in_its_context(write: Write) -> None:
    write(
        "messages",
        {"text": "I live in Oslo", "act": "state", "facts": [FACT]},
        {"text": "Ana lives in Oslo", "act": "state", "facts": [FACT | {"subject": "Ana"}]},
        {"text": "she lives in Oslo", "act": "state", "context": "my Ana", "facts": [FACT | {"subject": "Ana"}]},
    )
    subjects = [fact.subject for example in load_messages() for fact in example.facts]
    assert subjects == [None, (0, (0, 3)), (1, (3, 6))]
    assert all(example.text[slice(*fact.value)] == "Oslo" for example in load_messages() for fact in example.facts)


@pytest.mark.parametrize(
    ("name", "load", "line"),
    [
        ("readings", load_readings, {"question": "?", "windows": WINDOWS, "in": 1, "answer": "£189"}),
        ("readings", load_readings, {"question": "?", "windows": WINDOWS, "in": [0, 2], "answer": ["£189", "£99"]}),
        ("hops", load_hops, HOP | {"right": [0, 2], "answer": "Oslo"}),
        ("hops", load_hops, HOP | {"right": [0, 0], "answer": "sister"}),
        ("pairs", load_pairs, {"new": "a", "new_value": "b", "old": "c", "old_value": "c", "label": "same"}),
        ("pairs", load_pairs, {"new": "a", "new_value": "a", "old": "c", "old_value": "d", "label": "same"}),
        ("messages", load_messages, {"text": "I live in Hull", "act": "state", "facts": [FACT]}),
        ("messages", load_messages, {"text": "in Oslo", "act": "state", "facts": [FACT | {"subject": "Ana"}]}),
        ("messages", load_messages, {"text": "where is she?", "act": "ask", "subject": "Ana"}),
        ("messages", load_messages, {"text": "hello", "act": "shout"}),
        ("messages", load_messages, {"text": "where is it?", "act": "ask", "mode": "shout"}),
    ],
)
def test_a_label_that_is_not_in_its_text_is_noticed(
    write: Write, name: str, load: Callable[[], list[Any]], line: dict[str, Any]
) -> None:
    if line.get("answer") == ["£189", "£1"]:
        line = line | {"answer": ["£189", "£99"]}
    write(name, line)
    with pytest.raises(InputError):
        load()


def test_what_is_held_is_not_learned_and_nothing_is_left_out() -> None:
    held, learned, every = load_readings(held=True), load_readings(held=False), load_readings()
    assert len(held) + len(learned) == len(every) and {*held, *learned} == set(every)
    assert set(held).isdisjoint(learned) and windows_of(held).isdisjoint(windows_of(learned))
    assert 0.1 < len(held) / len(every) < 0.3


def test_groups_with_the_same_windows_are_on_one_side(write: Write) -> None:
    sets = [[f"the {thing} is {n}", f"{n} is a number", "it rains"] for n in range(20) for thing in ("car", "hut")]
    lines = [
        {"question": question, "windows": windows, "in": None, "answer": None}
        for several in sets
        for question, windows in (("first?", several), ("second?", several[::-1]))
    ]
    write("readings", *lines)
    held, learned = load_readings(held=True), load_readings(held=False)
    assert held and learned and windows_of(held).isdisjoint(windows_of(learned))
    assert len(held) + len(learned) == len(lines)
