"""A reader whose readings are given, and the hits and messages that the specialists read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from memagent.models.evidence import USER, Evidence
from memagent.models.labels import ANSWERS, MODES, OTHER_SLOT
from memagent.models.reader import Answer, Reader
from memagent.models.understanding import Reference, Understood, Value

SURELY, HARDLY = 0.99, 0.01


def reading(window: str, words: str = "", kind: str = "span") -> Answer:
    """A clear reading: these words of the window answer, or without any nothing does."""
    chosen = kind if words else "none"
    kinds = {name: SURELY if name == chosen else HARDLY / (len(ANSWERS) - 1) for name in ANSWERS}
    start = window.index(words)
    end = start + len(words)
    if not words:
        return Answer(kinds, 0, 0, "", HARDLY)
    return Answer(kinds, start, end, words, SURELY, ((start, end, SURELY, SURELY),))


class ScriptedReader(Reader):
    """Answers from a script of windows, for one question where it is asked; nothing answers in any other window."""

    def __init__(
        self, script: Mapping[str, str | Answer], questions: Mapping[str, Mapping[str, str | Answer]] | None = None
    ) -> None:
        self.script = script
        self.questions = questions or {}

    def read(self, question: str, windows: Sequence[str]) -> list[Answer]:
        script = self.questions.get(question, self.script)
        read = [script.get(window, "") for window in windows]
        return [
            found if isinstance(found, Answer) else reading(window, found)
            for window, found in zip(windows, read, strict=True)
        ]


def message(text: str, **fields: Any) -> Evidence:
    data = {"id": 1, "kind": "message", "text": text, "score": 0.9, "date": "2 March 2026"}
    return Evidence(data | {"said_at": "2026-03-02T09:00:00+00:00"} | fields)


def fact(text: str, attribute: str, value: str, subject: str = USER, **fields: Any) -> Evidence:
    assert value in text
    return message(text, **{"kind": "fact", "subject": subject, "attribute": attribute, "value": value} | fields)


def understood(
    text: str, act: str = "ask", *, mode: str = "value", subject: str = "", slot: str = OTHER_SLOT, value: str = ""
) -> Understood:
    """A message understood beyond doubt; `subject` and `value` are words of it."""
    assert mode in MODES
    about = Reference(subject, "text", _span(subject, text), SURELY) if subject else None
    values = (Value(_span(value, text), value, SURELY, about, slot, SURELY, "fact", True),) if value else ()
    return Understood(text, act, SURELY, {act: SURELY}, mode, values, about, slot, SURELY)


def _span(words: str, text: str) -> tuple[int, int]:
    return text.index(words), text.index(words) + len(words)
