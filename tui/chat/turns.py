"""Runs one turn in a thread and posts its events to the screen; asks the screen where a write needs consent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.message import Message

from memagent.config import MemoryMode
from memagent.conversation import Event, ReasoningDelta, TextDelta
from memagent.errors import MemagentError, ModelError

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.agent.policy import Write

LOG = logging.getLogger("memagent.tui")
LOOK = 0.05  # seconds between looks at the cancel event while a write waits for consent


class TurnEvent(Message):
    """One event of the running turn."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class ConsentAsked(Message):
    """A write waits for the person; `Turn.answer` lets the turn go on."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self.write = write


class TurnEnded(Message):
    """The turn is over; `error` is what ended it, where it was not an event of the turn."""

    def __init__(self, session_id: int | None, error: MemagentError | None) -> None:
        super().__init__()
        self.session_id = session_id
        self.error = error


def merged(events: Sequence[Event]) -> list[Event]:
    """The events, pieces of text or of thought that follow each other as one."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            found[-1] = TextDelta(last.text + event.text)
        elif isinstance(event, ReasoningDelta) and isinstance(last, ReasoningDelta):
            found[-1] = ReasoningDelta(last.text + event.text)
        else:
            found.append(event)
    return found


@dataclass
class Turn:
    """A running turn. `post` may be called from any thread."""

    text: str
    session_id: int | None
    mode: MemoryMode
    post: Callable[[Message], object]
    cancel: threading.Event = field(default_factory=threading.Event)
    _answered: threading.Event = field(default_factory=threading.Event)
    _allowed: bool = False

    def run(self, agent: Agent) -> None:
        """Run it to its end, in a thread. Whatever goes wrong is in the `TurnEnded` that is posted last."""
        error: MemagentError | None = None
        try:
            self._run(agent)
        except MemagentError as ours:
            error = ours
        except Exception as fault:  # nobody is above this thread; the traceback goes to the log
            LOG.exception("the turn broke off: %s: %s", type(fault).__name__, fault)
            error = ModelError(
                f"the turn broke off: {type(fault).__name__}: {fault}", "what you said is kept; say it again, or go on"
            )
        finally:
            self.post(TurnEnded(self.session_id, error))

    def _run(self, agent: Agent) -> None:
        from memagent.agent.policy import MemoryPolicy
        from memagent.agent.turn import run_turn
        from memagent.conversation import checked_message

        checked_message(self.text)
        if self.session_id is None:
            title = " ".join(self.text.split())
            title = title if len(title) <= 60 else title[:59].rstrip() + "…"
            self.session_id = agent.store.start_session(model=agent.model_name, title=title).id
        policy = MemoryPolicy(self.mode, self._approve)
        for event in run_turn(agent, self.session_id, self.text, cancel=self.cancel, policy=policy):
            self.post(TurnEvent(event))

    def _approve(self, write: Write) -> bool:
        self._answered.clear()
        self.post(ConsentAsked(write))
        while not self._answered.wait(LOOK):
            if self.cancel.is_set():
                return False
        return self._allowed

    def answer(self, allowed: bool) -> None:
        """The person's answer to the write that waits."""
        self._allowed = allowed
        self._answered.set()
