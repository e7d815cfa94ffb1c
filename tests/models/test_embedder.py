"""The shipped embedder: vectors and token states of passages, and what it makes of questions."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from memagent.embedding import MAX_TOKEN_BYTES, Encoded, EncodedQuery, Passage
from memagent.models.embedder import (
    KEPT_TOKENS,
    MAX_TOKENS,
    QUERY_TOKENS,
    MiniLMEmbedder,
    passage_tokens,
    quantised,
    query_tokens,
)

ODD = ["hi", "", " ", "word " * 3000, "人 🙂 \x1b[31m", "x" * 20_000, "\u200b", "?!"]


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


def unit(states: NDArray[np.int8]) -> NDArray[np.float32]:
    rows = states.astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def nearness(query: EncodedQuery, made: Encoded) -> float:
    """Late interaction, by definition."""
    assert query.tokens is not None and query.weights is not None and made.tokens is not None
    return float(query.weights @ (query.tokens @ unit(made.tokens).T).max(axis=1))


def same(one: Encoded, other: Encoded) -> None:
    """Equal but for the last bits: a state may be rounded to the next step of int8."""
    assert np.abs(one.vector - other.vector).max() < 1e-5
    assert one.tokens is not None and other.tokens is not None and one.tokens.shape == other.tokens.shape
    assert np.abs(one.tokens.astype(int) - other.tokens.astype(int)).max() <= 1


def passages(*texts: str) -> list[Passage]:
    return [Passage(text) for text in texts]


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text[:8]))
def test_passages_have_unit_vectors_and_small_states(embedder: MiniLMEmbedder, text: str) -> None:
    for before in ("", "what is it called?", "word " * 3000):
        (made,) = embedder.encode([Passage(text, before)])
        assert made.vector.shape == (embedder.dimension,) and made.vector.dtype == np.float32
        assert abs(float(np.linalg.norm(made.vector)) - 1) < 1e-5
        assert made.tokens is not None and made.tokens.dtype == np.int8 and made.tokens.nbytes <= MAX_TOKEN_BYTES
        assert made.tokens.shape[1] == embedder.token_dimension and 1 <= len(made.tokens) <= KEPT_TOKENS
        assert (np.abs(made.tokens.astype(int)).max(axis=1) == 127).all()


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text[:8]))
def test_questions_have_unit_states_with_weights(embedder: MiniLMEmbedder, text: str) -> None:
    query = embedder.encode_query(text)
    assert query.tokens is not None and query.weights is not None
    assert abs(float(np.linalg.norm(query.vector)) - 1) < 1e-5
    assert query.tokens.dtype == np.float32 and query.tokens.shape == (len(query.weights), embedder.token_dimension)
    assert 1 <= len(query.tokens) <= QUERY_TOKENS
    assert np.abs(np.linalg.norm(query.tokens, axis=1) - 1).max() < 1e-5
    assert abs(float(query.weights.sum()) - 1) < 1e-5 and (query.weights > 0).all()


def test_nothing_gives_nothing(embedder: MiniLMEmbedder) -> None:
    assert embedder.encode([]) == []


@settings(max_examples=10)
@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=40)), min_size=1, max_size=5))
def test_what_is_made_does_not_depend_on_the_batch(embedder: MiniLMEmbedder, texts: list[tuple[str, str]]) -> None:
    asked = [Passage(text, before) for text, before in texts]
    long = Passage("the boiler is serviced by Hartnell, who come every March " * 12)
    together = embedder.encode([long, *asked, Passage("hi")])[1:-1]
    for passage, made in zip(asked, together, strict=True):
        same(made, embedder.encode([passage])[0])


def test_a_large_batch_is_cut_and_keeps_its_order(embedder: MiniLMEmbedder) -> None:
    asked = passages(*(f"note {number} " + "about the boiler " * (number % 17) for number in range(120)))
    together = embedder.encode(asked)
    for row in (0, 16, 57, 119):
        same(together[row], embedder.encode([asked[row]])[0])


def test_what_was_said_before_changes_the_states_but_has_none(embedder: MiniLMEmbedder) -> None:
    alone, dog, house = embedder.encode(
        [Passage("Biscuit", before) for before in ("", "what is your dog called?", "what did you eat for breakfast?")]
    )
    assert alone.tokens is not None and dog.tokens is not None and house.tokens is not None
    assert alone.tokens.shape == dog.tokens.shape == house.tokens.shape
    for one, other in ((alone, dog), (dog, house)):
        assert one.tokens is not None and other.tokens is not None
        assert float((unit(one.tokens) * unit(other.tokens)).sum(axis=1).min()) < 0.98
        assert float(one.vector @ other.vector) < 0.98


def test_only_the_end_of_what_was_said_before_counts(embedder: MiniLMEmbedder) -> None:
    end = "and then she told me all about the greyhound that they had adopted from the shelter in spring, " * 2
    one, other = embedder.encode([Passage("yes", "A. " * 50 + end), Passage("yes", "B! " * 50 + end)])
    same(one, other)


def test_input_is_cut_to_what_the_model_reads() -> None:
    for text, before in (("word " * 3000, ""), ("word " * 3000, "word " * 3000)):
        ids, segments, start, end = passage_tokens(Passage(text, before))
        assert len(ids) == len(segments) == MAX_TOKENS and end == MAX_TOKENS - 1
        assert set(segments[start:]) == {1 if before else 0}
    ids, _, start, end = passage_tokens(Passage("word " * 3000, "said before"), 10)
    assert end - start == 10 and len(ids) == end + 1
    ids, _, start, end = query_tokens("word " * 3000)
    assert (start, end) == (1, QUERY_TOKENS + 1)


def test_of_a_long_text_neighbouring_tokens_share_a_state(embedder: MiniLMEmbedder) -> None:
    text = "we went for a walk along the river and talked about the weather, " * 12
    late = text + "and the code of the bicycle lock is 7194"
    long, longer = embedder.encode(passages(text, late))
    assert long.tokens is not None and len(long.tokens) == KEPT_TOKENS
    query = embedder.encode_query("what is the code of the bike lock?")
    assert nearness(query, longer) > nearness(query, long) + 0.05


def test_directions_survive_in_int8() -> None:
    states = np.random.default_rng(0).standard_normal((200, 96)).astype(np.float32)
    exact = states / np.linalg.norm(states, axis=1, keepdims=True)
    assert float((unit(quantised(states)) * exact).sum(axis=1).min()) > 0.9995
    assert quantised(states * 1e-6).tobytes() == quantised(states).tobytes()
    assert not quantised(np.zeros((1, 96), np.float32)).any()


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("who looks after the boiler?", "the boiler is serviced by Hartnell", "my sister lives in Porto"),
        ("what am I allergic to?", "peanuts make me ill, I can't have them", "the car is on Dunmail Street"),
        ("where does my sister live", "Ana's flat is in Porto, I visited my sister", "the bike lock code is 7194"),
        ("when is the dentist?", "teeth cleaning is on Friday at 9", "I'm halfway through Wolf Hall"),
    ],
)
def test_what_answers_is_nearer_than_what_does_not(
    embedder: MiniLMEmbedder, question: str, near: str, far: str
) -> None:
    query = embedder.encode_query(question)
    answer, other = embedder.encode(passages(near, far))
    assert float(query.vector @ answer.vector) > float(query.vector @ other.vector) + 0.1
    assert nearness(query, answer) > nearness(query, other) + 0.1


def test_a_short_answer_is_understood_by_the_question_before_it(embedder: MiniLMEmbedder) -> None:
    query = embedder.encode_query("what is the name of the cat?")
    with_question, alone, other = embedder.encode(
        [
            Passage("Whiskers, after my gran", "what is your cat called?"),
            Passage("Whiskers, after my gran"),
            Passage("Porto, by the river", "where does your sister live?"),
        ]
    )
    assert nearness(query, with_question) > nearness(query, alone)
    assert nearness(query, with_question) > nearness(query, other)


def test_threads_share_one_embedder(embedder: MiniLMEmbedder) -> None:
    asked = passages("the boiler is serviced by Hartnell", "hi", "my sister lives in Porto")
    expected, query = embedder.encode(asked), embedder.encode_query("who services the boiler?")
    equal: list[bool] = []

    def work() -> None:
        made, again = embedder.encode(asked), embedder.encode_query("who services the boiler?")
        vectors = all(np.array_equal(one.vector, two.vector) for one, two in zip(made, expected, strict=True))
        states = all(np.array_equal(one.tokens, two.tokens) for one, two in zip(made, expected, strict=True))  # type: ignore[arg-type]
        equal.append(vectors and states and np.array_equal(again.vector, query.vector))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert equal == [True] * 4


def test_more_threads_of_its_own_change_nothing(embedder: MiniLMEmbedder) -> None:
    asked = passages("the boiler is serviced by Hartnell", "hi")
    for one, other in zip(embedder.encode(asked), MiniLMEmbedder(threads=2).encode(asked), strict=True):
        same(one, other)
