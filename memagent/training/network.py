"""The trunk and its heads in torch, for training only; `export` writes what `memagent.models` runs.

The trunk is BERT with frozen embeddings and a learned *mark* that is added to the embeddings of tokens in focus (the
values of the two claims that are compared). Pointers are dot products between a projected query state and projected
token states.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from memagent.models.embedder import TOKEN_WIDTH
from memagent.models.encoder import WIDTH
from memagent.models.labels import ACTS, ANSWERS, KINDS, MODES, PAIRS, TAGS

POINTER = 128
FROZEN_LAYERS = 2  # the lowest ones stay MiniLM's: a fifth less work a step, and their weights ship once


def _minilm(folder: Path, dropout: float = 0.0) -> Any:
    return BertModel.from_pretrained(
        str(folder),
        attn_implementation="eager",
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        add_pooling_layer=False,
    )


class Trunk(nn.Module):
    """MiniLM with frozen embeddings and eager attention, which trains faster on a CPU than the fused kind."""

    def __init__(self, folder: Path, dropout: float = 0.0) -> None:
        super().__init__()
        self.bert = _minilm(folder, dropout).train()
        self.mark = nn.Parameter(torch.zeros(WIDTH))
        frozen = [self.bert.embeddings, *self.bert.encoder.layer[:FROZEN_LAYERS]]
        for parameter in (parameter for part in frozen for parameter in part.parameters()):
            parameter.requires_grad = False

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor, marks: Tensor | None = None) -> Tensor:
        words = self.bert.embeddings.word_embeddings(ids)
        if marks is not None:
            words = words + marks.unsqueeze(-1) * self.mark
        result: Tensor = self.bert(inputs_embeds=words, token_type_ids=segments, attention_mask=mask).last_hidden_state
        return result.float()


class Pointer(nn.Module):
    """Scores of tokens as start and end of a span, asked for by a query state."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, 2 * POINTER)
        self.key = nn.Linear(WIDTH, 2 * POINTER)

    def forward(self, query: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """(n, WIDTH) queries over (n, tokens, WIDTH) states: (n, 2, tokens) scores."""
        wanted = self.query(query).view(-1, 2, POINTER)
        offered = self.key(states).view(states.shape[0], states.shape[1], 2, POINTER)
        scores = torch.einsum("nsp,ntsp->nst", wanted, offered) / POINTER**0.5
        return scores.masked_fill(mask[:, None, :] == 0, -1e4)


@dataclass
class MessageOutput:
    act: Tensor  # (batch, acts)
    mode: Tensor  # (batch, modes)
    tags: Tensor  # (batch, tokens, 3)
    states: Tensor  # (batch, tokens, WIDTH)


class Understanding(nn.Module):
    """Heads on one trunk: what a message asks of memory, its values, and for each value its subject, slot and kind."""

    def __init__(self, trunk: Trunk, slots: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.act = nn.Linear(WIDTH, len(ACTS))
        self.mode = nn.Linear(WIDTH, len(MODES))
        self.tag = nn.Linear(WIDTH, len(TAGS))
        self.slot = nn.Linear(WIDTH, slots)
        self.kind = nn.Linear(WIDTH, len(KINDS))
        self.single = nn.Linear(WIDTH, 2)
        self.subject = Pointer()
        self.pair = nn.Linear(WIDTH, len(PAIRS))

    def read(self, ids: Tensor, segments: Tensor, mask: Tensor) -> MessageOutput:
        states = self.trunk(ids, segments, mask)
        first = states[:, 0]
        return MessageOutput(self.act(first), self.mode(first), self.tag(states), states)

    def compare(self, ids: Tensor, segments: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
        scores: Tensor = self.pair(self.trunk(ids, segments, mask, marks)[:, 0])
        return scores


class Reader(nn.Module):
    """Which words of a window answer a question: kind of answer from [CLS], span by start and end."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.answer = nn.Linear(WIDTH, len(ANSWERS))
        self.span = nn.Linear(WIDTH, 2)

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, answers) kinds and (batch, 2, tokens) span scores; only tokens of segment 1 can be in a span."""
        states = self.trunk(ids, segments, mask)
        spans = self.span(states).transpose(1, 2)
        return self.answer(states[:, 0]), spans.masked_fill((segments * mask)[:, None, :] == 0, -1e4)


@dataclass
class TextStates:
    """What the embedder makes of texts: `tokens` (batch, tokens, TOKEN_WIDTH) and `vector` (batch, WIDTH) of length 1,
    `weights` (batch, tokens) 1 in all; of `own` (batch, tokens) the tokens that are the text's own."""

    tokens: Tensor
    vector: Tensor
    weights: Tensor
    own: Tensor


class Embedding(nn.Module):
    """MiniLM whose layers from `LOWER` on learn, and the two heads of late interaction.

    `token` makes a token's small state, `weight` says how much a token of a question counts.
    """

    LOWER = 4

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = _minilm(folder)
        self.token = nn.Linear(WIDTH, TOKEN_WIDTH, bias=False)
        self.weight = nn.Linear(WIDTH, 1)
        nn.init.zeros_(self.weight.weight)
        nn.init.zeros_(self.weight.bias)
        for parameter in self.bert.parameters():
            parameter.requires_grad = False
        for parameter in self.upper_parameters():
            parameter.requires_grad = True

    def upper_parameters(self) -> list[nn.Parameter]:
        return [parameter for layer in self.bert.encoder.layer[self.LOWER :] for parameter in layer.parameters()]

    @torch.no_grad()
    def lower(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """States (batch, tokens, WIDTH) below the layers that learn: the same for a text throughout a run."""
        states = self.bert.embeddings(input_ids=ids, token_type_ids=segments)
        return self._through(self.bert.encoder.layer[: self.LOWER], states, mask)

    def upper(self, states: Tensor, mask: Tensor) -> Tensor:
        """Final states of what `lower` gave."""
        return self._through(self.bert.encoder.layer[self.LOWER :], states, mask)

    def heads(self, states: Tensor, own: Tensor) -> TextStates:
        """What the embedder makes of final states."""
        counted = own[..., None].float()
        mean = (states * counted).sum(1) / counted.sum(1).clamp(min=1)
        scores = self.weight(states)[..., 0].masked_fill(own == 0, -1e4)
        return TextStates(
            functional.normalize(self.token(states), dim=-1),
            functional.normalize(mean, dim=-1),
            torch.softmax(scores, dim=-1),
            own,
        )

    def forward(self, states: Tensor, mask: Tensor, own: Tensor) -> TextStates:
        return self.heads(self.upper(states, mask), own)

    @staticmethod
    def _through(layers: Any, states: Tensor, mask: Tensor) -> Tensor:
        hidden = (1 - mask[:, None, None, :].float()) * -1e4
        for layer in layers:
            states = layer(states, hidden)
            states = states[0] if isinstance(states, tuple) else states
        return states
