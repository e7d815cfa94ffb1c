"""The specialists beside another chat model: what they look up for it, what they read, and what they would keep.

They see the turn as a request of their own, with only their own calls and results in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memagent.conversation import ToolCall
from memagent.models.chat_model import ChatRequest
from memagent.models.specialists import Specialists, evidence_of, read_turn

WRITES = frozenset({"memory_add", "memory_update", "memory_end"})


@dataclass(frozen=True)
class Reading:
    """What memory says to a message: sentences for the chat model, and the numbers of the hits they rest on."""

    notes: tuple[str, ...] = ()
    hits: tuple[int, ...] = ()


class Helpers:
    """Stateless like the specialists themselves, and as thread-safe."""

    def __init__(self, specialists: Specialists | None = None) -> None:
        self._specialists = specialists or Specialists()

    def asks_memory(self, request: ChatRequest) -> bool:
        """Whether any sentence of the message is more than talk, so that its reply must rest on memory."""
        return any(understood.act != "talk" for _, _, understood in self._specialists.understand(read_turn(request)))

    def lookups(self, request: ChatRequest) -> list[ToolCall]:
        """Searches, calculations and erasures that the message asks for and that have not been made yet."""
        return [call for call in self._calls(request) if call.name not in WRITES]

    def writes(self, request: ChatRequest) -> list[ToolCall]:
        """What the message tells, as writes; none of those that have been made."""
        return [call for call in self._calls(request) if call.name in WRITES]

    def _calls(self, request: ChatRequest) -> list[ToolCall]:
        turn = read_turn(request)
        return self._specialists.calls(turn, self._specialists.understand(turn))

    def reading(self, request: ChatRequest) -> Reading:
        """What the lookups came to; of questions only those to which memory has an answer."""
        turn = read_turn(request)
        notes: list[str] = []
        hits: list[int] = []
        for part in self._specialists.understand(turn):
            index, _, understood = part
            if understood.act == "ask":
                found = self._specialists.found(turn, part)
                if found.kind == "nothing":
                    continue
                hits += [candidate.evidence.number for candidate in found.candidates]
            elif not (turn.result_of(f"forget-{index}-") or turn.result_of(f"calculate-{index}-")):
                continue
            notes.append(self._specialists.reply(turn, [part]))
        return Reading(tuple(notes), tuple(hits))

    def found(self, request: ChatRequest) -> list[dict[str, Any]]:
        """All hits of the lookups, best first, each once."""
        return [dict(item.hit) for item in evidence_of(read_turn(request).results)]


def same_value(call: ToolCall, others: Sequence[ToolCall]) -> bool:
    """Whether one of the other writes already keeps the value of this one, whole or as a part, or changes its fact."""
    if call.name == "memory_end":
        return any(other.arguments.get("id") == call.arguments["id"] for other in others)
    value = str(call.arguments.get("value", "")).casefold()
    kept = [str(other.arguments.get(key, "")).casefold() for other in others for key in ("value", "new", "new_value")]
    return any(value in other or other in value for other in kept if other)
