"""The small talk of a run, prepared once: counted and embedded before the first session that needs it.

All scenarios of a run hear the same talk, each from its beginning. What is known of it beforehand (tokens, vectors) is
a function of its words alone, so a session that is handed it knows nothing of another session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from memagent.embedding import Embedder, Encoded, EncodedQuery, Passage
from memagent.evals.filler import Exchange, exchanges
from memagent.memory.base import passage_of
from memagent.models.chat_model import ChatModel

AT_ONCE = 64  # passages between two reports of progress


@dataclass(frozen=True)
class Counted:
    """An exchange, and the tokens of what was said and of the reply."""

    exchange: Exchange
    said_tokens: int
    reply_tokens: int

    @property
    def tokens(self) -> int:
        return self.said_tokens + self.reply_tokens


class SmallTalk:
    """Endless talk from a seed, counted by a model; made as far as it is asked for."""

    def __init__(self, seed: int, model: ChatModel) -> None:
        self._source = exchanges(seed)
        self._model = model
        self._made: list[Counted] = []

    def part(self, before: Sequence[int], tokens: int) -> list[Counted]:
        """At least `tokens` tokens and hardly more, after the parts of so many tokens that were taken `before`."""
        stream = self._from_the_start()
        for amount in before:
            _take(stream, amount)
        return _take(stream, tokens)

    def _from_the_start(self) -> Iterator[Counted]:
        index = 0
        while True:
            if index == len(self._made):
                exchange = next(self._source)
                said, reply = self._model.count_tokens([exchange.said, exchange.reply])
                self._made.append(Counted(exchange, said, reply))
            yield self._made[index]
            index += 1


def _take(stream: Iterator[Counted], tokens: int) -> list[Counted]:
    taken: list[Counted] = []
    size = 0
    while size < tokens:
        taken.append(next(stream))
        size += taken[-1].tokens
    return taken


class RememberingEmbedder:
    """An embedder that need not encode again what it was told to remember."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[Passage, Encoded] = {}
        self.name = embedder.name
        self.dimension = embedder.dimension
        self.token_dimension = embedder.token_dimension

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        """One result a passage, in order. Raises ModelError."""
        if any(passage not in self._known for passage in passages):
            return self._embedder.encode(passages)
        return [self._known[passage] for passage in passages]

    def encode_query(self, text: str) -> EncodedQuery:
        """Raises ModelError."""
        return self._embedder.encode_query(text)

    def remember(self, talk: Sequence[Counted], progress: Callable[[int, int], None]) -> None:
        """Encode a conversation now, for later; `progress` gets how many messages are done and how many there are."""
        said = [text for part in talk for text in (part.exchange.said, part.exchange.reply)]
        passages = [passage_of(text, before) for before, text in zip(["", *said], said, strict=False)]
        for done, passage in enumerate(passages, 1):
            if passage not in self._known:
                self._known[passage] = self._embedder.encode([passage])[0]
            if done % AT_ONCE == 0 or done == len(passages):
                progress(done, len(passages))
