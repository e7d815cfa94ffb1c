"""`memagent chat` and `memagent ask`: one conversation in a plain terminal."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from memagent.cli.app import App, make_home, message_text, pass_app
from memagent.cli.group import Command
from memagent.cli.lines import LineReader
from memagent.cli.log import show_unexpected
from memagent.cli.screen import json_out, note, one_line, show_error
from memagent.cli.slash import COMMANDS
from memagent.cli.transcript import Transcript, replay
from memagent.config import MemoryMode
from memagent.conversation import Event, TextDelta, checked_message, event_to_dict
from memagent.errors import InputError, MemagentError

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.agent.policy import Write

WELCOME = """\
Welcome. Tell me things in your own words, and ask for them whenever you like: in another conversation, months later.

  You:  my sister Ingrid lives in Trondheim        stored, with the date and your words
  You:  where does Ingrid live?                    looked up, not guessed; if you never said it, I say so
  You:  she has moved to Bergen                    corrected; the old value stays in the history
  You:  forget where Ingrid lives                  erased for good

Each memory operation is shown as it happens. Everything is kept in one database on this machine:
  {store}
"""


@click.command(cls=Command)
@click.option("--session", "session_id", type=int, help="Go on with this conversation.")
@click.option("--continue", "go_on", is_flag=True, help="Go on with the latest conversation.")
@click.pass_context
def chat(context: click.Context, session_id: int | None, go_on: bool) -> None:
    """Talk; /help lists the commands inside."""
    context.exit(Chat(context.ensure_object(App), session_id=session_id, go_on=go_on).run())


@click.command(cls=Command)
@click.argument("message", nargs=-1)
@click.option("--session", "session_id", type=int, help="In this conversation.")
@click.option("--new", is_flag=True, help="In a new conversation.")
@click.option("--json", "as_json", is_flag=True, help="The reply and every event of the turn, as JSON.")
@pass_app
def ask(app: App, message: tuple[str, ...], session_id: int | None, new: bool, as_json: bool) -> None:
    """Say one thing and get the reply.

    MESSAGE '-' is read from standard input. Only the reply goes to stdout, memory operations go to stderr.
    Goes on with the latest conversation unless told otherwise.
    """
    if new and session_id is not None:
        raise InputError("--new and --session exclude each other", "leave one of them out")
    text = message_text(message)
    from memagent.agent.assemble import open_agent

    make_home(app.settings)
    agent = open_agent(app.settings, load="now")
    try:
        session = _session_for(agent, text, session_id=session_id, new=new)
        shown, events = Transcript(stream=False), []
        for event in _turn(agent, session, text, app.settings.memory):
            events.append(event)
            None if as_json else shown.show(event)
    finally:
        agent.close()
    if as_json:
        json_out(_as_dict(session, events))
    if shown.failed is not None or (as_json and events and type(events[-1]).__name__ == "Failed"):
        click.get_current_context().exit(130 if getattr(events[-1], "cancelled", False) else 6)


def _as_dict(session: int, events: list[Event]) -> dict[str, object]:
    kept = [event_to_dict(event) for event in events if not isinstance(event, TextDelta)]
    reply = next((data["reply"] for data in kept if data["event"] == "finished"), None)
    return {"session": session, "reply": reply, "events": kept}


def _session_for(agent: Agent, text: str, *, session_id: int | None, new: bool) -> int:
    if session_id is not None:
        return agent.store.session(session_id).id
    latest = None if new else agent.store.latest_session()
    return latest.id if latest else _start_session(agent, text)


def _start_session(agent: Agent, text: str) -> int:
    title = textwrap.shorten(text, 60, placeholder="…")
    return agent.store.start_session(model=agent.model_name, title=title).id


def _turn(agent: Agent, session_id: int, text: str, memory: MemoryMode) -> Iterator[Event]:
    """The events of one turn; Ctrl+C cancels it, a second one raises KeyboardInterrupt."""
    from memagent.agent.policy import MemoryPolicy
    from memagent.agent.turn import run_turn

    cancel = threading.Event()
    policy = MemoryPolicy(memory, lambda write: _consent(write) and not cancel.is_set())
    with _interrupt_sets(cancel):
        yield from run_turn(agent, session_id, text, cancel=cancel, policy=policy)


def _consent(write: Write) -> bool:
    """Ask the person before a write, in mode `ask`; where nobody can be asked it is refused."""
    if not sys.stdin.isatty():
        note("  memory is in mode ask, and nobody can be asked: not written", dim=False)
        return False
    words, before, after = write.words
    change = f" ({one_line(before or 'nothing')} → {one_line(after)})" if after is not None else ""
    try:
        return click.confirm(f"  {one_line(words)}{change}?", err=True)
    except click.Abort:
        return False


@contextmanager
def _interrupt_sets(cancel: threading.Event) -> Iterator[None]:
    def interrupted(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        # A buffered stream may be in the middle of a write here and must not be entered again.
        os.write(2, b"\n  stopping; Ctrl+C again leaves\n")

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Chat:
    """The loop of `memagent chat`: the prompt is there at once, the model loads meanwhile."""

    def __init__(self, app: App, *, session_id: int | None = None, go_on: bool = False) -> None:
        self.app = app
        self.session_id = session_id
        self.go_on = go_on
        self.exit_code = 0

    def run(self) -> int:
        """Talk until the person leaves; returns the exit code."""
        from memagent.agent.assemble import open_agent

        make_home(self.app.settings)
        agent = open_agent(self.app.settings, load="background")
        try:
            self._greet(agent)
            self._loop(agent, LineReader())
        finally:
            agent.close()
        return self.exit_code

    def _greet(self, agent: Agent) -> None:
        latest = agent.store.latest_session()
        if self.go_on and latest is not None:
            self.session_id = latest.id
        if self.session_id is not None:
            agent.store.session(self.session_id)
            replay(agent.store.messages(self.session_id, limit=20))
        elif latest is None:
            note(WELCOME.format(store=self.app.settings.store_path or "the configured SQL server"), dim=False)
        note("/help lists the commands; /quit or Ctrl+D leaves.")

    def _loop(self, agent: Agent, reader: LineReader) -> None:
        interrupted = False
        while True:
            try:
                text = reader.read()
                interrupted = False
                if text is None or text.strip() == "/quit":
                    return
                if text.strip():
                    self._answer(agent, text)
            except KeyboardInterrupt:
                if interrupted or not reader.interactive:
                    self.exit_code = 130
                    return
                interrupted = True
                note("\n(Ctrl+C again, Ctrl+D or /quit leaves)")
            except click.Abort:
                note("left as it is")
            except MemagentError as error:
                show_error(error.message, error.hint)
                self.exit_code = 0 if reader.interactive else error.exit_code
            except OSError:
                raise  # the terminal is gone
            except Exception as error:
                self.exit_code = show_unexpected(error, self.app)

    def _answer(self, agent: Agent, text: str) -> None:
        word, _, argument = text.strip().partition(" ")
        if word == "/new":
            self.session_id = None
            return note("a new conversation; what was said before stays in memory")
        if word.startswith("/") and word[1:].isalpha() and "\n" not in text:
            if word[1:] not in COMMANDS:
                raise InputError(f"there is no command {one_line(word)}", "/help lists the commands")
            return COMMANDS[word[1:]](self.app, agent.store, argument.strip())
        self._say(agent, checked_message(text))

    def _say(self, agent: Agent, text: str) -> None:
        if not agent.ready.is_set():
            note("  the model is still loading…")
        if self.session_id is None:
            self.session_id = _start_session(agent, text)
        shown = Transcript(stream=True)
        for event in _turn(agent, self.session_id, text, self.app.settings.memory):
            shown.show(event)
        note(shown.context_line())
        if shown.failed is not None and not shown.failed.cancelled:
            self.exit_code = 6
