"""Parts the text of a streamed reply: what is thought, what is said, and what may be a tool call.

Text is let through as soon as it cannot be the beginning of anything else; a possible call is held to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memagent.conversation import ReasoningDelta, TextDelta, ToolCall
from memagent.models.call_syntax import MARKS, UNMARKED, mark_in, read_calls

OPEN, CLOSE = "<think>", "</think>"


class ReplyText:
    """`feed` pieces as they come, then `end`. Without `tools` nothing is held as a call."""

    def __init__(self, tools: Sequence[str], *, prefix: str = "", thinking: bool = False) -> None:
        self._tools = tools
        self._prefix = prefix
        self._thinking = thinking  # a template may have opened the thought already
        self._held = ""
        self._calling = False
        self._said = False

    def feed(self, text: str) -> Iterator[TextDelta | ReasoningDelta]:
        """What can be shown now."""
        self._held += text
        while self._held and not self._calling:
            if self._thinking:
                at = self._held.find(CLOSE)
                ready = at if at >= 0 else len(self._held) - _overlap(self._held, (CLOSE,))
                if ready:
                    yield ReasoningDelta(self._held[:ready])
                self._held = self._held[ready:]
                if at < 0:
                    return
                self._held = self._held.removeprefix(CLOSE)
                self._thinking = False
                continue
            if not self._said:
                self._held = self._held.lstrip()
            ready, more = self._sayable()
            if ready:
                self._said = True
                yield TextDelta(self._held[:ready])
                self._held = self._held[ready:]
            if not more:
                return

    def end(self) -> Iterator[TextDelta | ReasoningDelta | ToolCall]:
        """What was held: calls, or text where it was none."""
        held, self._held = self._held, ""
        calls = read_calls(held, self._tools, self._prefix) if self._calling else []
        if calls:
            yield from calls
        elif held.strip():
            yield ReasoningDelta(held) if self._thinking else TextDelta(held)

    def _sayable(self) -> tuple[int, bool]:
        """How many characters can be said, and whether something of another kind follows them."""
        held = self._held
        thought = held.find(OPEN)
        if self._tools:
            if not self._said and held.startswith(UNMARKED):
                self._calling = True
                return 0, False
            call = mark_in(held)
            if call is not None and (thought < 0 or call < thought):
                self._calling = True
                return call, False
        if thought == 0:
            self._held, self._thinking = held.removeprefix(OPEN), True
            return 0, True
        if thought > 0:
            return thought, True
        marks = (OPEN, *MARKS) if self._tools else (OPEN,)
        return len(held) - _overlap(held, marks), False


def _overlap(text: str, marks: Sequence[str]) -> int:
    """The length of the longest end of `text` with which one of `marks` begins."""
    longest = max(map(len, marks)) - 1
    for size in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks):
            return size
    return 0
