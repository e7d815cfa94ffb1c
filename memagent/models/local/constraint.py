"""Holds a reply to its grammar, token by token, with llguidance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from memagent.errors import ModelError
from memagent.models.local.grammar import MARKS


class Grammars:
    """Makes constraints for one tokenizer. `vocabulary` is the size of the model's, which may be the larger one."""

    def __init__(self, tokenizer: Any, vocabulary: int, stops: Sequence[int]) -> None:
        import llguidance.hf

        added = tokenizer.get_added_vocab()
        self.marks: Mapping[str, int] = {mark: added[mark] for mark in MARKS if mark in added}
        self._tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=vocabulary, eos_token=sorted(stops))

    def constraint(self, grammar: str) -> GrammarConstraint:
        """A fresh constraint. Raises ModelError where llguidance refuses the grammar."""
        from llguidance import LLMatcher

        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            digest = hashlib.sha256(grammar.encode()).hexdigest()[:8]
            reason = " ".join(matcher.get_error().split())[:200]
            raise ModelError(f"the grammar of tool calls ({digest}) was refused: {reason}", "report this as a fault")
        return GrammarConstraint(matcher)


class GrammarConstraint:
    """The state of one reply. It is a `decoding.Constraint`."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self._bits: Any = None  # of the mask for the next token, as long as none came

    def allowed(self) -> Any:
        import torch

        return torch.from_numpy(self._mask().astype(bool))

    def forced(self) -> list[int]:
        tokens: list[int] = self._matcher.compute_ff_tokens()
        if tokens:
            return tokens
        only = self._mask().nonzero()[0]
        return [int(only[0])] if len(only) == 1 and not self._matcher.is_accepting() else []

    def admits(self, draft: Sequence[int]) -> int:
        return int(self._matcher.validate_tokens(list(draft)))

    def take(self, ids: Sequence[int]) -> None:
        self._matcher.consume_tokens(list(ids))
        self._check()

    def _mask(self) -> Any:
        import numpy as np

        if self._bits is None:
            bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
            self._check()
            self._bits = np.unpackbits(bits, bitorder="little")
        return self._bits

    def _check(self) -> None:
        """Raises ModelError where the grammar does not hold what came: a fault of ours, or a limit of the parser."""
        self._bits = None
        if self._matcher.is_error():
            reason = " ".join(self._matcher.get_error().split())[:200]
            raise ModelError(f"the reply left the grammar of tool calls: {reason}", "ask again")
