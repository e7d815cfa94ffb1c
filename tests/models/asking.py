"""Asks the answering with given readings; what a message tells is really understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memagent.models.answers import Found, answer
from memagent.models.evidence import Evidence
from memagent.models.reader import Answer
from memagent.models.understanding import Understanding, Understood
from tests.models.scripted_reading import ScriptedReader

OLDEST, EARLIER, LATER = "2024-05-01T09:00:00+00:00", "2025-05-01T09:00:00+00:00", "2026-02-01T09:00:00+00:00"


class Asker:
    """Asks with given readings."""

    def __init__(self, understanding: Understanding) -> None:
        self.understanding = understanding

    def __call__(
        self,
        asked: Understood,
        evidence: Sequence[Evidence],
        script: Mapping[str, str | Answer],
        before: str = "",
        replied: str = "",
    ) -> Found:
        return answer(ScriptedReader(script), self.understanding, asked.text, asked, evidence, before, replied)


def words(found: Found) -> list[str]:
    return [candidate.words for candidate in found.candidates]
