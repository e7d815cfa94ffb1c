"""Thinking longer: further attempts at a reply that the grounding check refused, within a budget that is shown.

Of several attempts the one that agrees best with the evidence is said: what it names must be supported, and the more of
it there is, the better. An attempt that names nothing (it declines) is said where none names anything supported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from memagent.agent.grounding import named, unsupported
from memagent.agent.routing import Routing
from memagent.conversation import Thinking


@dataclass(frozen=True)
class Attempt:
    """One reply, and what of it the evidence supports and does not."""

    reply: str
    missing: tuple[str, ...]
    supported: int

    @property
    def sound(self) -> bool:
        return bool(self.reply) and not self.missing


@dataclass
class Attempts:
    """The attempts of one turn; the first one is not charged to the budget."""

    routing: Routing
    tokens: int = 0
    started: float | None = None
    made: list[Attempt] = field(default_factory=list)

    def weigh(self, reply: str, evidence: Sequence[str], *, check: bool) -> Attempt:
        """Judge and keep a reply."""
        missing = tuple(unsupported(reply, evidence)) if check else ()
        attempt = Attempt(reply, missing, len(named(reply)) - len(missing))
        self.made.append(attempt)
        return attempt

    def charge(self, count: Callable[[str], int], text: str, thoughts: Sequence[str]) -> None:
        """Book what a step has cost, once the first attempt is over."""
        if self.started is not None:
            self.tokens += count(text) + count("".join(thoughts))

    @property
    def best(self) -> Attempt:
        """The sound attempt that says the most; else the first that was made."""
        sound = [attempt for attempt in self.made if attempt.sound]
        return max(sound, key=lambda attempt: attempt.supported) if sound else self.made[0]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started if self.started is not None else 0.0

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.tokens >= self.routing.think_tokens or self.seconds >= self.routing.think_seconds

    def another(self) -> Thinking | None:
        """The next attempt, announced; None where the last one will do or nothing is left."""
        last = self.made[-1]
        if last.sound and (len(self.made) == 1 or last.supported):
            return None
        if len(self.made) > self.routing.best_of:
            return None
        if self.started is None:
            self.started = time.monotonic()
        if self.spent:
            return None
        return Thinking(
            attempt=len(self.made),
            attempts=self.routing.best_of,
            tokens=self.tokens,
            token_budget=self.routing.think_tokens,
            seconds=self.seconds,
            second_budget=self.routing.think_seconds,
            reason=_reason(last),
        )


def _reason(attempt: Attempt) -> str:
    if attempt.missing:
        return "nothing in memory supports " + ", ".join(f"“{word}”" for word in attempt.missing[:4])
    return "the reply was empty" if not attempt.reply else "the reply names nothing from memory"
