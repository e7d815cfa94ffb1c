"""Tensors for the embedder's training: texts as the states of the layers that do not learn, each computed once a run.

A text takes about 20 KB of memory (float16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from memagent.embedding import Passage
from memagent.models.embedder import Tokens, passage_tokens, query_tokens
from memagent.models.encoder import WIDTH
from memagent.training.network import Embedding

PASSAGE_TOKENS = 64  # of the text itself; what a passage says beyond that teaches little and costs as much
QUESTION_TOKENS = 22
BATCH = 64

Text = Passage | str  # a passage, or a question


@dataclass
class LowerBatch:
    """Padded `states` (batch, tokens, WIDTH) with their `mask`, and `own`: which tokens are the text's own."""

    states: Tensor
    mask: Tensor
    own: Tensor


class LowerStates:
    """The states of texts below the layers that learn; the network must not be replaced meanwhile."""

    def __init__(self, network: Embedding) -> None:
        self._network = network
        self._kept: dict[Text, tuple[Tensor, int, int]] = {}  # states, and where the text itself begins and ends

    def batch(self, texts: Sequence[Text]) -> LowerBatch:
        """The texts in order, padded to the longest."""
        self._compute([text for text in dict.fromkeys(texts) if text not in self._kept])
        found = [self._kept[text] for text in texts]
        shape = (len(found), max(len(states) for states, _, _ in found))
        made = LowerBatch(torch.zeros(*shape, WIDTH), torch.zeros(shape), torch.zeros(shape))
        for row, (states, start, end) in enumerate(found):
            made.states[row, : len(states)] = states.float()
            made.mask[row, : len(states)] = 1
            made.own[row, start:end] = 1
        return made

    def _compute(self, texts: Sequence[Text]) -> None:
        made = sorted(((_tokens(text), text) for text in texts), key=lambda pair: len(pair[0][0]))
        for at in range(0, len(made), BATCH):
            part = made[at : at + BATCH]
            shape = (len(part), len(part[-1][0][0]))
            ids, segments, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
            for row, ((tokens, kinds, _, _), _) in enumerate(part):
                ids[row, : len(tokens)], segments[row, : len(tokens)] = torch.tensor(tokens), torch.tensor(kinds)
                mask[row, : len(tokens)] = 1
            states = self._network.lower(ids, segments, mask).to(torch.float16)
            for row, ((tokens, _, start, end), text) in enumerate(part):
                self._kept[text] = states[row, : len(tokens)].clone(), start, end


def _tokens(text: Text) -> Tokens:
    return query_tokens(text, QUESTION_TOKENS) if isinstance(text, str) else passage_tokens(text, PASSAGE_TOKENS)
