"""Questions about hand-written messages: they ask for one told value, or for what none of the messages tells."""

from __future__ import annotations

from memagent.training.examples import Composer
from memagent.training.packs import load_packs
from memagent.training.told import Told
from memagent.training.written import load_messages


def drawn(count: int, seed: int = 5) -> list[tuple[str, tuple[str, ...], list[str]]]:
    told = Told(Composer(load_packs(), seed), load_messages())
    groups = [told.draw() for _ in range(count)]
    return [
        (g.question, tuple(w.text for w in g.windows), [w.text[slice(*w.answer)] for w in g.windows if w.answer])
        for g in groups
    ]


def test_one_message_answers_or_none_does() -> None:
    groups = drawn(300)
    answers = [words for _, _, words in groups]
    assert all(len(words) <= 1 for words in answers)
    untold = sum(not words for words in answers)
    assert 60 < untold < 170
    assert all(3 <= len(windows) <= 6 and len(set(windows)) == len(windows) for _, windows, _ in groups)


def test_the_same_seed_draws_the_same_questions() -> None:
    assert drawn(20) == drawn(20)
    assert drawn(20) != drawn(20, seed=6)


def test_held_messages_are_a_fifth_and_apart_from_the_others() -> None:
    held, learned = load_messages(held=True), load_messages(held=False)
    assert not {message.text for message in held} & {message.text for message in learned}
    assert len(held) + len(learned) == len(load_messages())
    assert 0.15 < len(held) / len(load_messages()) < 0.25
