"""Learns how much each feature of a search counts (`memagent.memory.retrieval.LEARNED`).

    python -m memagent.training.rank [--held d1,e1]

Every written conversation is kept in a store of its own, as a chat is, and every question is asked of it; a linear
model is fitted so that the answering turns come first (softmax over the candidates of a question, as in ListNet: Cao
et al. 2007, "Learning to Rank"). A fifth of the questions are asked a second time with the month of their evidence
added, for few were written with one. Prints the weights, scaled so that the positive ones add up to 1, and recall on
what was held out. Learn only from conversations that the embedder has not seen, for it is too sure of the others.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from memagent.memory.features import FEATURES
from memagent.memory.question import read_question
from memagent.memory.records import SearchQuery
from memagent.memory.retrieval import gather
from memagent.memory.store import MemoryStore
from memagent.models.embedder import MiniLMEmbedder
from memagent.training.conversations import Asked, Conversation, load_conversations

DECAY = 3e-3  # of the squared weights of standardised features
MONTHS_ADDED = 0.2


@dataclass(frozen=True)
class Ranking:
    """The candidates of one question: `values` of shape (candidates, features), the rows that answer, and how many
    answering turns there are, found or not."""

    category: str
    values: NDArray[np.float64]
    gold: tuple[int, ...]
    wanted: int


class ScriptClock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        self.at += timedelta(seconds=20)
        return self.at


def rankings(conversation: Conversation, embedder: MiniLMEmbedder, rng: random.Random) -> list[Ranking]:
    """One for each question that has evidence."""
    clock = ScriptClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"
        with MemoryStore.open(url, clock=clock, data_dir=Path(folder)) as store:
            ids: dict[str, int] = {}
            said: dict[str, datetime] = {}
            for sitting in conversation.sittings:
                clock.at = sitting.date.replace(tzinfo=UTC)
                session = store.start_session()
                for turn in sitting.turns:
                    message = store.add_message(session.id, "user", turn.text, speaker=turn.speaker)
                    ids[turn.id], said[turn.id] = message.id, sitting.date
            store.attach_embedder(embedder)
            store.drain()
            found = []
            for asked in conversation.questions:
                if not asked.evidence or (asked.category == "adversarial"):
                    continue
                for text in _forms(asked, said, rng):
                    found.append(_ranking(store, embedder, asked, text, ids, clock.at))
            return found


def _forms(asked: Asked, said: dict[str, datetime], rng: random.Random) -> list[str]:
    """The question, and at times the same with a month."""
    forms = [asked.question]
    if asked.category == "single" and rng.random() < MONTHS_ADDED:
        month = said[asked.evidence[0]].strftime(rng.choice((" in %B", " in %B %Y", " in %B, %Y")))
        forms.append(asked.question.rstrip("? ") + month + "?")
    return forms


def _ranking(
    store: MemoryStore, embedder: MiniLMEmbedder, asked: Asked, text: str, ids: dict[str, int], now: datetime
) -> Ranking:
    dense = store.dense
    assert dense is not None
    with store.database.read() as connection:
        question = read_question(connection, text, store.space_id, now)
        query = SearchQuery(text, scope="conversation", limit=10)
        encoded = embedder.encode_query(question.words)
        pool = gather(connection, query, question, encoded, space_id=store.space_id, dense=dense)
    gold = {("message", ids[turn]) for turn in asked.evidence}
    rows = tuple(row for row, owner in enumerate(pool.owners) if owner in gold)
    return Ranking(asked.category, pool.values, rows, len(gold))


def fit(groups: Sequence[Ranking], decay: float = DECAY) -> NDArray[np.float64]:
    """Weights of shape (features,) on the raw features."""
    groups = [group for group in groups if group.gold]
    rows = np.concatenate([group.values for group in groups])
    centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    longest = max(len(group.values) for group in groups)
    values = torch.zeros(len(groups), longest, len(FEATURES), dtype=torch.float64)
    padding = torch.ones(len(groups), longest, dtype=torch.bool)
    answers = torch.zeros(len(groups), longest, dtype=torch.float64)
    for row, group in enumerate(groups):
        values[row, : len(group.values)] = torch.from_numpy((group.values - centre) / spread)
        padding[row, : len(group.values)] = False
        answers[row, list(group.gold)] = 1.0 / len(group.gold)
    weights = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        scores = torch.log_softmax((values @ weights).masked_fill(padding, -1e9), dim=1)
        loss = -(scores * answers).sum(dim=1).mean() + decay * (weights**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return weights.detach().numpy() / spread


def recall(groups: Sequence[Ranking], weights: NDArray[np.float64], k: int) -> float:
    """The share of a question's answering turns among its first `k`, averaged."""
    shares = []
    for group in groups:
        first = set(np.argsort(-(group.values @ weights), kind="stable")[:k].tolist())
        shares.append(len(first & set(group.gold)) / group.wanted)
    return float(np.mean(shares)) if shares else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", default="", help="ids of conversations that are not learned from, with commas")
    parser.add_argument("--decay", type=float, default=DECAY)
    arguments = parser.parse_args()
    rng, embedder = random.Random(0), MiniLMEmbedder()
    held = set(filter(None, arguments.held.split(",")))
    learned: list[Ranking] = []
    kept: list[Ranking] = []
    for conversation in load_conversations():
        (kept if conversation.id in held else learned).extend(rankings(conversation, embedder, rng))
    weights = fit(learned, arguments.decay)
    weights /= weights[weights > 0].sum()
    for name, groups in (("learned from", learned), ("held out", kept)):
        shares = "  ".join(f"R@{k} {100 * recall(groups, weights, k):.1f}" for k in (1, 5, 10))
        print(f"{name}: {len(groups)} questions  {shares}")
    for name, weight in zip(FEATURES, weights, strict=True):
        print(f'    "{name}": {weight:.3f},')


if __name__ == "__main__":
    main()
