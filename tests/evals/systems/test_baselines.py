"""Each baseline remembers what its name says, and no more."""

from __future__ import annotations

import pytest

from memagent.evals.benchmarks.conversation import Turn
from memagent.evals.systems import baselines
from memagent.evals.systems.index import EVERYTHING, IndexSystem, Vectors, spoken
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.encoder import tokenizer
from tests.evals.systems.conversations import SAID, conversation, found


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(MiniLMEmbedder())


@pytest.fixture(params=["bm25", "dense"])
def ranking(request: pytest.FixtureRequest, vectors: Vectors) -> IndexSystem:
    return baselines.bm25() if request.param == "bm25" else baselines.dense(vectors)


def test_a_ranking_puts_the_turn_that_answers_first_with_all_that_is_known_of_it(ranking: IndexSystem) -> None:
    first, *rest = found(ranking, "Which dog did Odile adopt?" if ranking.name == "dense" else "greyhound?")
    assert (first.turn, first.sitting, first.speaker) == ("t1", "s1", "Odile")
    assert first.text == SAID[0][2] and first.said_at == conversation().sittings[0].date
    assert all(first.score > hit.score for hit in rest)


def test_a_turn_said_twice_is_found_twice(ranking: IndexSystem) -> None:
    assert {hit.turn for hit in found(ranking, "the sailing boat", 2)} == {"t2", "t3"}


@pytest.mark.parametrize("question", ["", "?!", '"NEAR(" OR * -', "the of and", "\x00\ud800"])
def test_whatever_is_asked_breaks_nothing(ranking: IndexSystem, question: str) -> None:
    talk = conversation((*SAID, ("s3", "Br\ud800m", "\ud83d half an emoji"), ("s3", "", "plain")))
    assert len(found(ranking, question, 3, talk)) <= 3


def test_one_memory_knows_nothing_of_another(ranking: IndexSystem) -> None:
    found(ranking, "greyhound")
    other = conversation((("s1", "Bram", "It rained."),))
    assert [hit.text for hit in found(ranking, "rained greyhound", 5, other)] == ["It rained."]


def test_words_only_ranks_by_words_of_the_speaker_and_the_text() -> None:
    assert [hit.turn for hit in found(baselines.bm25(), "accordion")] == ["t5"]
    assert {hit.turn for hit in found(baselines.bm25(), "Odile")} == {"t1", "t4"}
    assert found(baselines.bm25(), "puppy") == []


def test_the_window_holds_the_last_tokens_and_the_full_context_everything() -> None:
    last_two = sum(len(tokenizer().encode(f"{who}: {text}", add_special_tokens=False).ids) for _, who, text in SAID[3:])
    for tokens, kept in ((last_two, ["t5", "t4"]), (last_two - 1, ["t5"]), (0, [])):
        assert [hit.turn for hit in found(baselines.window(tokens), "greyhound?", EVERYTHING)] == kept
    everything = found(baselines.full_context(), "greyhound?", EVERYTHING)
    assert [hit.turn for hit in everything] == ["t5", "t4", "t3", "t2", "t1"]
    assert found(baselines.no_memory(), "greyhound?", EVERYTHING) == []


def test_what_does_not_rank_is_not_taken_for_a_ranking() -> None:
    for system in (baselines.no_memory(), baselines.window(), baselines.full_context()):
        assert not system.ranks
    assert baselines.full_context().reads >= 1_000_000 and baselines.no_memory().reads == 0


def test_a_speaker_without_a_name_is_not_spoken_of() -> None:
    assert spoken(Turn("t", "Hello.", "Odile")) == "Odile: Hello." and spoken(Turn("t", "Hello.")) == "Hello."
