"""A chat model that follows a script: for tests, demos and screenshots, where the model is not the point."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from memagent.conversation import TextDelta, ToolCall
from memagent.models.chat_model import ChatRequest, Confidence, Output
from memagent.models.prompt import plain_count

Step = (
    str
    | ToolCall
    | Sequence[str | ToolCall | Confidence]
    | Callable[[ChatRequest], Sequence[str | ToolCall | Confidence]]
)

WORD = re.compile(r"\S+\s*")


class ScriptedModel:
    """Plays one step for each request: text (streamed word by word), tool calls, or a function of the request.

    `requests` records everything it was shown. When the script is over it repeats `fallback`.
    """

    name = "scripted"
    exact_counts = True

    def __init__(
        self, steps: Sequence[Step] = (), *, context_tokens: int = 2048, fallback: str = "ok", live: bool = False
    ) -> None:
        self.context_tokens = context_tokens
        self.live = live
        self.requests: list[ChatRequest] = []
        self._steps = list(steps)
        self._fallback = fallback

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words; a script has no tokenizer."""
        return [len(text.split()) for text in texts]

    def count_prompt(self, request: ChatRequest) -> int:
        return plain_count(self.count_tokens, request)

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        self.requests.append(request)
        step = self._steps.pop(0) if self._steps else self._fallback
        if callable(step):
            step = step(request)
        parts = [step] if isinstance(step, str | ToolCall) else list(step)
        for part in parts:
            if isinstance(part, ToolCall | Confidence):
                yield part
                continue
            for match in WORD.finditer(part):
                if request.cancel.is_set():
                    return
                yield TextDelta(match.group())
