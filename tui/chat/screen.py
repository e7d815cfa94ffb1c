"""The chat: the conversation at the left, memory at work at the right, the input below."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from memagent.config import MemoryMode
from memagent.conversation import ContextUsage, Event, ToolReturned, checked_message
from memagent.errors import MemagentError, NotFoundError
from tui.chat.cards import Consent
from tui.chat.composer import Composer
from tui.chat.context import show_context
from tui.chat.feed import MemoryFeed
from tui.chat.gauge import ContextGauge
from tui.chat.history import more_before, said_before
from tui.chat.status import StatusLine
from tui.chat.talk import Talk
from tui.chat.transcript import BATCH, Earlier, Transcript, TurnView
from tui.chat.turns import ConsentAsked, Turn, TurnEnded, TurnEvent, merged
from tui.chat.welcome import Welcome
from tui.page import Page
from tui.text import content_line

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.memory.records import Message, Operation

MODES: tuple[MemoryMode, ...] = get_args(MemoryMode)
LOOK = 0.05  # seconds between looks at whether the turn has ended
GATHER = 0.08  # seconds in which events are gathered to be shown at once


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
        self._waiting: list[Event] = []
        self._gathering: Timer | None = None

    def compose_page(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield Talk(self.memagent, self._take, id="talk")
            with Vertical(id="memory"):
                yield ContextGauge(id="gauge")
                yield MemoryFeed(id="feed")

    def on_mount(self) -> None:
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
        self._show_usage(transcript.last_usage)

    async def _welcome(self, new: bool) -> None:
        transcript = self.query_one(Transcript)
        await transcript.show_messages([])
        await transcript.mount(Welcome(self.memagent.store_words, new=new))

    @work
    async def action_new(self) -> None:
        """Begin a new conversation."""
        self.action_stop()
        self.session_id, self._title, self._total = None, "", 0
        await self._welcome(False)
        self._show_usage(None)
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
        self.query_one(StatusLine).begin()
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
        self.query_one(StatusLine).note(event)
        if isinstance(event, ContextUsage):
            self.query_one(ContextGauge).show(event)
        elif isinstance(event, ToolReturned):
            self.memagent.look_for_changes()

    @on(TurnEnded)
    async def _turn_ended(self, message: TurnEnded) -> None:
        await self._show_waiting()
        if self._view is not None:
            await self._view.stop_stream()
        await self.query_one(Talk).ask_no_more()
        self._turn, self._view = None, None
        self.query_one(StatusLine).end()
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
        await self.query_one(Talk).ask(message.write)

    @on(Consent.Answered)
    async def _answered(self, message: Consent.Answered) -> None:
        await self.query_one(Talk).ask_no_more()
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

    # --- what holds now ---------------------------------------------------------------------------------------------

    def _show_usage(self, usage: ContextUsage | None) -> None:
        """How the window was filled in the latest turn of the conversation that is shown."""
        self.query_one(ContextGauge).show(usage)
        self.query_one(StatusLine).reset(usage)
        self._show_status()

    def _show_status(self) -> None:
        self.query_one(StatusLine).show()
        self.query_one(Transcript).border_title = content_line(self._title or "new conversation", limit=70)

    def show_state(self) -> None:
        """The model's state or the memory mode has changed."""
        self._show_status()
