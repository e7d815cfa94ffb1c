"""What the embedder's training draws."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from memagent.embedding import Passage
from memagent.training.conversations import load_conversations
from memagent.training.public import Qamr
from memagent.training.searches import HARD_DRAWN, Talks, load_mixture, spoken_of
from tests.training.small_sets import READINGS, conversation, write_public_sets


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_public_sets(tmp_path)
    return tmp_path


def rising(passages: Sequence[Passage], questions: Sequence[str]) -> NDArray[np.float32]:
    """Scores by which the last passages are the nearest."""
    return np.tile(np.arange(len(passages), dtype=np.float32), (len(questions), 1))


def test_a_conversation_gives_passages_in_context_and_questions_without_names() -> None:
    spoken = spoken_of(conversation())
    assert spoken.passages[:2] == (Passage("hello"), Passage("my canoe sank", "hello"))
    assert spoken.passages[8] == Passage("hi again")  # nothing was said before it that day
    assert [(asking.question, asking.right) for asking in spoken.askings] == [
        ("What sank day?", (1,)),
        ("Which boats did have?", (1, 9)),
    ]


def test_mined_turns_are_the_first_ones_and_never_right() -> None:
    spoken = spoken_of(conversation())
    talks = Talks([spoken])
    talks.mine(rising)
    rng = random.Random(0)
    drawn = [talks.draw(rng) for _ in range(60)]
    assert {search.right for search in drawn} == {spoken.passages[1], spoken.passages[9]}
    for search in drawn:
        right = next(asking.right for asking in spoken.askings if asking.question == search.question)
        assert len(search.wrong) == len(set(search.wrong)) == HARD_DRAWN
        assert not {spoken.passages[row] for row in right} & set(search.wrong)


def test_all_sources_are_drawn_in_their_shares(data: Path) -> None:
    first = load_mixture(data, READINGS, [])
    assert first.talks is None and sum(share for _, share in first.sources) == pytest.approx(1)
    second = load_mixture(data, READINGS, [spoken_of(conversation())])
    assert second.talks is not None and sum(share for _, share in second.sources) == pytest.approx(1)
    second.talks.mine(rising)
    drawn = second.draw(random.Random(0), 400)
    assert drawn == second.draw(random.Random(0), 400)
    talks = [search for search in drawn if search.question in ("What sank day?", "Which boats did have?")]
    assert 0.5 < len(talks) / 400 < 0.7
    for search in drawn:
        assert search.right.text and search.right not in search.wrong
    utterance = next(search for search in drawn if search.question == "How?")
    assert utterance.right == Passage("mount it with fstab 2", "mount it with fstab 1")  # without the speaker
    assert not any(search.question == "Who?" for search in drawn)
    sentence = next(search for search in drawn if search.question.startswith("What lives") and search.wrong)
    assert "sponge" in sentence.wrong[0].text and len(Qamr(data / "qamr").questions) == 12


def test_every_written_conversation_can_be_learned_from() -> None:
    for one in load_conversations():
        spoken = spoken_of(one)
        assert len(spoken.askings) >= 5 and len(spoken.passages) > 50
        assert all(0 <= row < len(spoken.passages) for asking in spoken.askings for row in asking.right)
        assert all(asking.right and asking.question for asking in spoken.askings)
