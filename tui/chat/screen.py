"""The chat: the conversation at the left, memory at work at the right, the input below."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Markdown, Static

from memagent.config import MemoryMode
from memagent.conversation import ContextUsage, Event, Finished, Thinking, ToolReturned, checked_message
from memagent.errors import MemagentError, NotFoundError
from tui.chat.cards import Consent, ToolCard
from tui.chat.composer import Composer
from tui.chat.context import show_context
from tui.chat.feed import MemoryFeed
from tui.chat.gauge import ContextGauge
from tui.chat.history import more_before, said_before
from tui.chat.transcript import BATCH, CopyAsked, Earlier, Transcript, TurnView
from tui.chat.turns import ConsentAsked, Turn, TurnEnded, TurnEvent, merged
from tui.chat.welcome import Example, Welcome
from tui.page import Page
from tui.text import content_line
from tui.views import milliseconds

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.memory.records import Message, Operation

MODES: tuple[MemoryMode, ...] = get_args(MemoryMode)
LOOK = 0.05  # seconds between looks at whether the turn has ended
GATHER = 0.08  # seconds in which events are gathered to be shown at once
SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class ChatScreen(Page):
    """Talk, and see memory work."""

    PLACE = "chat"
    AUTO_FOCUS = "Composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", id="chat.stop"),
        Binding("ctrl+n", "new", "New", id="chat.new"),
        Binding("f8", "mode", "Memory mode", id="chat.mode"),
        Binding("f7", "pane", "Memory pane", id="chat.pane", priority=True),
        Binding("ctrl+o", "open_all", "Open all", id="chat.open_all"),
        Binding("f9", "context", "What the model sees", id="chat.context", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.session_id: int | None = None
        self._title = ""
        self._turn: Turn | None = None
        self._view: TurnView | None = None
        self._total = 0
        self._usage: ContextUsage | None = None
        self._finished: Finished | None = None
        self._began = 0.0
        self._thinking: Thinking | None = None
        self._thinking_since = 0.0
        self._waiting: list[Event] = []
        self._gathering: Timer | None = None
        self._spinner: Timer | None = None

    def compose_page(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="talk"):
                yield Transcript(open_cards=self.memagent.settings.expand, id="transcript")
                send_keys = self.memagent.settings.keys.get("chat.send", "enter")
                yield Composer(self._take, send_keys=send_keys, id="composer")
                yield Static("", id="status", markup=False)
            with Vertical(id="memory"):
                yield ContextGauge(id="gauge")
                yield MemoryFeed(id="feed")

    def on_mount(self) -> None:
        self._spinner = self.set_interval(0.1, self._show_status, pause=True)
        self.memagent.memory_changed.subscribe(self, self._memory_changed)
        self._show_status()
        self._begin()

    @work
    async def _begin(self) -> None:
        """Fill the screen when the store is open."""
        app = self.memagent
        with app.telling():
            wanted = await app.run_store(app.first_session)
            if wanted is not None:
                with app.telling():
                    await self.load(wanted)
            if self.session_id is None:
                new = await app.run_store(lambda store: store.latest_session() is None)
                await self._welcome(new)
            operations = await app.run_store(lambda store: store.operations(limit=50))
            self.query_one(MemoryFeed).show(operations, self.session_id)
            self.query_one(Composer).remember_only(await app.run_store(said_before))

    # --- conversations ----------------------------------------------------------------------------------------------

    async def load(self, session_id: int) -> None:
        """Show a conversation, as it looked. Raises NotFoundError."""
        self.action_stop()
        await self._show_session(session_id)
        self.query_one(Composer).focus()

    async def _show_session(self, session_id: int) -> None:
        app = self.memagent
        session = await app.run_store(lambda store: store.session(session_id))
        messages = await app.run_store(lambda store: store.messages(session_id, limit=BATCH))
        self.session_id, self._title, self._total = session.id, session.title, session.messages
        transcript = self.query_one(Transcript)
        await transcript.show_messages(messages, earlier=session.messages - len(messages))
        self._usage, self._finished = transcript.last_usage, None
        self.query_one(ContextGauge).show(self._usage)
        self._show_status()

    async def _welcome(self, new: bool) -> None:
        transcript = self.query_one(Transcript)
        await transcript.show_messages([])
        await transcript.mount(Welcome(self.memagent.store_words, new=new))

    @work
    async def action_new(self) -> None:
        """Begin a new conversation."""
        self.action_stop()
        self.session_id, self._title, self._total, self._usage, self._finished = None, "", 0, None, None
        self.query_one(ContextGauge).show(None)
        await self._welcome(False)
        self._show_status()
        self.query_one(Composer).focus()

    @on(Earlier.Asked)
    async def _load_earlier(self) -> None:
        transcript, session_id = self.query_one(Transcript), self.session_id
        oldest = transcript.oldest
        if session_id is None or oldest is None:
            return
        with self.memagent.telling():
            messages: Sequence[Message] = await self.memagent.run_store(
                lambda store: store.messages(session_id, before=oldest, limit=BATCH)
            )
            more = await self.memagent.run_store(lambda store: more_before(store, session_id, messages))
            shown = len(transcript.query(".message")) + len(messages)
            await transcript.show_earlier(messages, earlier=max(self._total - shown, 1) if more else 0)

    # --- a turn -----------------------------------------------------------------------------------------------------

    def _take(self, text: str) -> bool:
        """Begin a turn with this message; False, with a word why, where that is not possible now."""
        app = self.memagent
        if self._turn is not None:
            app.tell("the reply is still coming; Esc stops it. Your text stays in the input.", severity="warning")
            return False
        try:
            checked_message(text)
            agent = app.agent
        except MemagentError as error:
            app.tell_error(error)
            return False
        self._turn = turn = Turn(text, self.session_id, app.memory_mode, self.post_message)
        app.turn_cancel = turn.cancel
        self._began, self._finished, self._thinking = time.monotonic(), None, None
        if self._spinner is not None:
            self._spinner.resume()
        self._show_status()
        self.refresh_bindings()
        self._run_turn(turn, agent)
        return True

    @work(group="turn", exit_on_error=False)
    async def _run_turn(self, turn: Turn, agent: Agent) -> None:
        self._view = await self.query_one(Transcript).begin_turn(turn.text)
        await asyncio.to_thread(turn.run, agent)

    @on(TurnEvent)
    def _turn_event(self, message: TurnEvent) -> None:
        """Events come in bursts; each drawing of the screen takes the time of some, and keys wait for it."""
        self._waiting.append(message.event)
        if self._gathering is None:
            self._gathering = self.set_timer(GATHER, self._show_waiting)

    async def _show_waiting(self) -> None:
        if self._gathering is not None:
            self._gathering.stop()
            self._gathering = None
        events, self._waiting = merged(self._waiting), []
        with self.app.batch_update():
            for event in events:
                await self._show_event(event)
        self._show_status()

    async def _show_event(self, event: Event) -> None:
        if self._view is not None:
            await self._view.show(event)
        if isinstance(event, ContextUsage):
            self._usage = event
            self.query_one(ContextGauge).show(event)
        elif isinstance(event, Thinking):
            self._thinking, self._thinking_since = event, time.monotonic()
        elif isinstance(event, ToolReturned):
            self.memagent.look_for_changes()
        elif isinstance(event, Finished):
            self._finished = event

    @on(TurnEnded)
    async def _turn_ended(self, message: TurnEnded) -> None:
        if self._spinner is not None:
            self._spinner.pause()
        await self._show_waiting()
        if self._view is not None:
            await self._view.stop_stream()
        for consent in self.query(Consent):
            await consent.remove()
        self._turn, self._view = None, None
        self.refresh_bindings()
        self.session_id = message.session_id
        if message.error is not None:
            self.memagent.tell_error(message.error)
        self._show_status()
        self.memagent.look_for_changes()
        await self._number(message.session_id)

    async def _number(self, session_id: int | None) -> None:
        """Learn the ids of the messages of the turn that has ended, for "load earlier"."""
        if session_id is None:
            return
        with self.memagent.telling():
            newest = await self.memagent.run_store(lambda store: store.messages(session_id, limit=2))
            session = await self.memagent.run_store(lambda store: store.session(session_id))
            if self.session_id == session_id and self._turn is None:
                transcript = self.query_one(Transcript)
                shown = await transcript.give_ids(newest)
                self._total, self._title = session.messages, session.title
                await transcript.show_earlier_count(session.messages - shown)
                self._show_status()

    def action_stop(self) -> None:
        """Stop the reply; what was said stays."""
        if self._turn is not None:
            self._turn.cancel.set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping is offered while there is something to stop."""
        return self._turn is not None if action == "stop" else True

    @property
    def busy(self) -> bool:
        """Whether a turn is running."""
        return self._turn is not None

    def on_unmount(self) -> None:
        self.action_stop()

    @on(ConsentAsked)
    async def _ask(self, message: ConsentAsked) -> None:
        consent = Consent(message.write)
        await self.query_one("#talk").mount(consent, before="#composer")
        composer = self.query_one(Composer)
        if not composer.text.strip():  # whoever is typing must not answer by accident
            consent.query_one("#allow").focus()

    @on(Consent.Answered)
    async def _answered(self, message: Consent.Answered) -> None:
        for consent in self.query(Consent):
            await consent.remove()
        if self._turn is not None:
            self._turn.answer(message.allowed)
        self.query_one(Composer).focus()

    # --- memory -----------------------------------------------------------------------------------------------------

    def _memory_changed(self, operations: list[Operation]) -> None:
        feed = self.query_one(MemoryFeed)
        if any(operation.name in ("forget", "delete_session") for operation in operations):
            self._show_what_is_left()
        else:
            feed.add(operations, self._turn.session_id if self._turn is not None else self.session_id)
            self._show_status()

    @work(exclusive=True, group="feed")
    async def _show_what_is_left(self) -> None:
        """Something was forgotten: its words leave the screen, too."""
        app = self.memagent
        with app.telling():
            operations = await app.run_store(lambda store: store.operations(limit=50))
            self.query_one(MemoryFeed).show(operations, self.session_id)
            while self._turn is not None:
                await asyncio.sleep(LOOK)
            self.query_one(Composer).remember_only(await app.run_store(said_before))
            try:
                if self.session_id is not None:
                    await self._show_session(self.session_id)
            except NotFoundError:  # it was this conversation that was deleted
                self.action_new()

    @on(MemoryFeed.Asked)
    @work
    async def _feed_asked(self, message: MemoryFeed.Asked) -> None:
        app = self.memagent
        with app.telling():
            operation = message.undo
            if message.fact_id is not None:
                app.show_memory(message.fact_id)
            elif operation is not None:
                await app.run_store(lambda store: store.undo(operation, asked_by="user"))
                app.tell("taken back")
                app.look_for_changes()

    @on(ContextGauge.Asked)
    @work(exclusive=True, group="context")
    async def action_context(self) -> None:
        """Show all that the model would see for the message in the input."""
        if self.memagent.model_state != "ready":
            self.memagent.tell(f"not yet: {self.memagent.model_state}")
            return
        with self.memagent.telling():
            await show_context(self.memagent, self.session_id, self.query_one(Composer).message.strip())

    @on(ToolCard.Asked)
    def _card_asked(self, message: ToolCard.Asked) -> None:
        if message.fact_id is not None:
            self.memagent.show_memory(message.fact_id)
        elif message.text is not None:
            self.memagent.copy_text(message.text)

    @on(CopyAsked)
    def _copy(self, message: CopyAsked) -> None:
        self.memagent.copy_text(message.text)

    @on(Markdown.LinkClicked)
    def _link(self, event: Markdown.LinkClicked) -> None:
        """A link in a reply is shown in full, and copied: it may come from anywhere."""
        event.prevent_default()
        self.memagent.copy_text(event.href)

    def action_mode(self) -> None:
        """The next memory mode."""
        at = MODES.index(self.memagent.memory_mode)
        self.memagent.set_memory_mode(MODES[(at + 1) % len(MODES)])

    def action_pane(self) -> None:
        """Show or hide the memory pane; where the screen is narrow, instead of the conversation."""
        self.toggle_class("-pane-turned")

    def action_open_all(self) -> None:
        self.query_one(Transcript).toggle_all()

    def action_scroll_transcript(self, pages: int) -> None:
        """Scroll the conversation while writing."""
        talk = self.query_one(Transcript)
        talk.scroll_page_up() if pages < 0 else talk.scroll_page_down()

    @on(Example.Taken)
    def _example(self, message: Example.Taken) -> None:
        composer = self.query_one(Composer)
        composer.put(message.text)
        composer.focus()

    # --- what holds now ---------------------------------------------------------------------------------------------

    def _show_status(self) -> None:
        parts = []
        if self._turn is not None:
            seconds = time.monotonic() - self._began
            sign = SPIN[int(seconds * 10) % len(SPIN)]
            parts.append(f"{sign} {self._doing()}… {seconds:.0f} s, Esc stops")
        else:
            parts.append(f"● {self.memagent.model_state}")
        if self._usage is not None:
            parts.append(f"{self._usage.used:,}/{self._usage.window:,} tokens")
        if self._finished is not None:
            parts.append(milliseconds(self._finished.milliseconds))
        items = self.query_one(MemoryFeed).items
        if items and self.has_class("-narrow"):
            parts.append(f"{items[-1].sign} {items[-1].words}")
        self.query_one("#status", Static).update(content_line(" · ".join(parts)))
        self.query_one(Transcript).border_title = content_line(self._title or "new conversation", limit=70)

    def _doing(self) -> str:
        """What the model is at, with what is left of its budget where it thinks longer."""
        if self.memagent.model_state != "ready":
            return self.memagent.model_state
        if self._thinking is None or self.query(Consent):
            return "a write waits for your answer" if self.query(Consent) else "thinking"
        spent = self._thinking.seconds + time.monotonic() - self._thinking_since
        return replace(self._thinking, seconds=spent).budget

    def show_state(self) -> None:
        """The model's state or the memory mode has changed."""
        self._show_status()
