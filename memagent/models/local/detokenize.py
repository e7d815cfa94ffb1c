"""Text from tokens as they come: what is not a whole character yet waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

BROKEN = "\N{REPLACEMENT CHARACTER}"
CONTEXT = 6  # tokens before, which decide whether a word begins with a space


class Pieces:
    """`feed` tokens, then `end`; together they give the text of all of them, marks of calls included."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._from = 0  # tokens before it are not needed any more
        self._shown = 0  # tokens whose text was given out

    def feed(self, ids: Sequence[int]) -> str:
        """The text that is certain now."""
        self._ids += ids
        text = self._new()
        if not text or text.endswith(BROKEN):
            return ""
        self._shown = len(self._ids)
        self._from = max(self._shown - CONTEXT, 0)
        return text

    def end(self) -> str:
        """What was waiting, broken characters included."""
        text = self._new()
        self._shown = len(self._ids)
        return text

    def _new(self) -> str:
        before = self._decode(self._ids[self._from : self._shown])
        return self._decode(self._ids[self._from :])[len(before) :]

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text
