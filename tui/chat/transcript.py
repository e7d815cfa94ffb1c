"""What was said: the newest messages, with the operations between them; live and resumed alike, by the same code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from memagent.config import Expand
from memagent.conversation import (
    ContextUsage,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Recalled,
    TextDelta,
    Thinking,
    ToolReturned,
    Withdrawn,
    event_from_dict,
)
from memagent.escape import visible
from tui.chat.cards import ToolCard
from tui.chat.reasoning import Reasoning
from tui.text import BLOCK, block, content, content_line
from tui.views import card_of, failed_line, finished_line, recall_card

if TYPE_CHECKING:
    from memagent.memory import records

BATCH = 20  # messages that are mounted at first, and at each "load earlier"
MOST = 60  # messages mounted while one talks on

COPY = Binding("y", "copy", "Copy", id="message.copy")


class CopyAsked(Message):
    """The person wants this text on the clipboard."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Said(Static, can_focus=True):
    """What the person said."""

    HELP = "## What you said\n\n**y** copies it. With the mouse you can select a part; **Ctrl+C** copies that."
    BINDINGS: ClassVar[list[BindingType]] = [COPY]

    def __init__(self, text: str) -> None:
        super().__init__(content(text), markup=False, classes="said")
        self.text = text

    def action_copy(self) -> None:
        self.post_message(CopyAsked(self.text))


class Reply(Markdown, can_focus=True):
    """What the agent said."""

    HELP = "## Reply\n\n**y** copies it. With the mouse you can select a part; **Ctrl+C** copies that."
    BINDINGS: ClassVar[list[BindingType]] = [COPY]

    def __init__(self, text: str | None = None) -> None:
        super().__init__(None if text is None else block(text), open_links=False, classes="reply")
        self.text = text or ""

    def action_copy(self) -> None:
        self.post_message(CopyAsked(self.text))


class Note(Static):
    """A quiet line between messages."""

    def __init__(self, text: str, classes: str = "") -> None:
        super().__init__(content_line(text, limit=600), markup=False, classes=f"note {classes}")


class TurnView(Vertical):
    """One turn of the agent: its operations and its reply, live or from what was stored."""

    def __init__(self, open_cards: Expand = "never", *, events: Sequence[Event] = (), text: str = "") -> None:
        super().__init__(classes="turn")
        self.open_cards = open_cards
        self.usage: ContextUsage | None = None
        self.ended = False
        self._stored = events
        self._text = text
        self._reply: Reply | None = None
        self._reasoning: Reasoning | None = None
        self._stream: MarkdownStream | None = None

    def compose(self) -> ComposeResult:
        for event in self._stored:
            yield from self._widgets(event)
        if self._text and not any(isinstance(event, Finished) for event in self._stored):
            yield Reply(self._text)

    def on_mount(self) -> None:
        if self._stored:
            self._settle()

    async def show(self, event: Event) -> None:
        """Show one event, as it comes."""
        if isinstance(event, ReasoningDelta):
            await self._think(event.text)
            return
        self._end_thought()
        if isinstance(event, TextDelta):
            await self._write(event.text)
            return
        if isinstance(event, Withdrawn):
            await self._withdraw()
        if isinstance(event, (Finished, Failed)):
            await self.stop_stream()
        widgets = self._widgets(event)
        if widgets:
            await self.mount_all(widgets)
        if isinstance(event, (Finished, Failed)):
            self._settle()

    async def stop_stream(self) -> None:
        """Show what the stream still holds back."""
        self._end_thought()
        if self._stream is not None:
            stream, self._stream = self._stream, None
            await stream.stop()

    async def _think(self, text: str) -> None:
        if self._reasoning is None:
            self._reasoning = Reasoning(self.open_cards == "always")
            await self.mount(self._reasoning)
        self._reasoning.add(text)

    def _end_thought(self) -> None:
        if self._reasoning is not None:
            self._reasoning.end()
            self._reasoning = None

    async def _withdraw(self) -> None:
        """What was streamed so far is no part of the reply."""
        await self.stop_stream()
        if self._reply is not None:
            reply, self._reply = self._reply, None
            await reply.remove()

    async def _write(self, text: str) -> None:
        if self._reply is None:
            self._reply = Reply()
            await self.mount(self._reply)
        if self._stream is None:
            self._stream = Markdown.get_stream(self._reply)
        room = BLOCK - len(self._reply.text)
        self._reply.text += text
        if room > 0:
            await self._stream.write(visible(text[:room]))

    def _widgets(self, event: Event) -> list[Widget]:
        match event:
            case Recalled():
                card = recall_card(event)
                return [ToolCard(card, "recall", self.open_cards)] if card is not None else []
            case ToolReturned(call, _):
                return [ToolCard(card_of(event), call.name, self.open_cards)]
            case Withdrawn() if event.words:
                return [Note(f"withdrawn: {event.words}", "-withdrawn")]
            case Thinking():
                return [Note(event.words, "-thinking")]
            case ContextUsage():
                self.usage = event
            case Finished():
                return self._finished(event)
            case Failed():
                return [Note(failed_line(event), "-stopped" if event.cancelled else "-failed")]
        return []

    def _finished(self, event: Finished) -> list[Widget]:
        note = Note(finished_line(event))
        return [note] if self._reply is not None else [Reply(event.reply), note]

    def _settle(self) -> None:
        self.ended = True
        cards = list(self.query(ToolCard))
        for index, card in enumerate(cards):
            card.settle(any(later.tool == card.tool and later.card.tone != "failed" for later in cards[index + 1 :]))


class Earlier(Static, can_focus=True):
    """The way to older messages."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "load", "Load earlier", id="transcript.earlier")]

    class Asked(Message):
        """The person wants older messages."""

    def __init__(self, count: int) -> None:
        super().__init__(content_line(f"▲ load earlier ({count:,} more)"), markup=False, classes="earlier")

    def action_load(self) -> None:
        self.post_message(self.Asked())

    def on_click(self) -> None:
        self.action_load()


class MessageView(Vertical):
    """One stored message with the operations of its turn."""

    def __init__(self, message_id: int | None, *parts: Widget) -> None:
        super().__init__(*parts, classes="message")
        self.message_id = message_id


def view_of(message: records.Message, open_cards: Expand) -> MessageView:
    """A stored message as it looked when it was said."""
    events = tuple(event_from_dict(data) for data in message.events)
    if message.role == "assistant":
        return MessageView(message.id, TurnView(open_cards, events=events, text=message.content))
    if message.role == "user":
        turn = [TurnView(open_cards, events=events)] if events else []
        return MessageView(message.id, Said(message.content), *turn)
    return MessageView(message.id, Note(f"{message.role}: {message.content}"))


class Transcript(VerticalScroll):
    """The conversation. It stays at its end until the person scrolls."""

    HELP = """
## Conversation

What was said, and between it every memory operation, in words.

- **Tab** and **Shift+Tab** go from part to part; **Enter** opens an operation, **y** copies a message
- **PageUp**, **PageDown**, **Home**, **End** scroll
- **Ctrl+O** opens or closes all operations
"""

    def __init__(self, *, open_cards: Expand = "never", id: str | None = None) -> None:
        super().__init__(id=id)
        self.open_cards = open_cards

    def on_mount(self) -> None:
        self.anchor()

    async def show_messages(self, messages: Iterable[records.Message], *, earlier: int = 0) -> None:
        """Show these and nothing else; `earlier` more can be loaded."""
        async with self.batch():
            await self.remove_children()
            views: list[Widget] = [Earlier(earlier)] if earlier > 0 else []
            await self.mount_all([*views, *(view_of(message, self.open_cards) for message in messages)])
        self.anchor()

    async def show_earlier(self, messages: Sequence[records.Message], *, earlier: int) -> None:
        """Put older messages in front, and leave the eye where it was."""
        height = self.virtual_size.height
        async with self.batch():
            await self.query(Earlier).remove()
            views: list[Widget] = [Earlier(earlier)] if earlier > 0 else []
            views += [view_of(message, self.open_cards) for message in messages]
            if views:
                await self.mount_all(views, before=0 if self.children else None)
        self.release_anchor()
        self.call_after_refresh(lambda: self.scroll_to(y=self.virtual_size.height - height, animate=False))

    @property
    def oldest(self) -> int | None:
        """The id of the first message shown."""
        return next((view.message_id for view in self.query(MessageView) if view.message_id is not None), None)

    @property
    def last_usage(self) -> ContextUsage | None:
        """How the window was filled in the last turn shown."""
        return next((turn.usage for turn in reversed(self.query(TurnView)) if turn.usage is not None), None)

    @property
    def last_reply(self) -> str | None:
        """The text of the newest reply."""
        return next((reply.text for reply in reversed(self.query(Reply))), None)

    async def begin_turn(self, text: str) -> TurnView:
        """Show what the person has just said; returns the view of the turn that follows."""
        for welcome in self.query(".welcome"):
            await welcome.remove()
        turn = TurnView(self.open_cards)
        await self.mount_all([MessageView(None, Said(text)), MessageView(None, turn)])
        self.anchor()
        return turn

    async def give_ids(self, messages: Sequence[records.Message]) -> int:
        """Give the newest views, shown live, the ids of their messages; lets the oldest go where there are many.

        Returns how many messages are shown.
        """
        views = list(self.query(MessageView))
        waiting = [view for view in views if view.message_id is None]
        for view, message in zip(reversed(waiting), reversed(messages), strict=False):
            view.message_id = message.id
        near_end = self.max_scroll_y - self.scroll_y <= self.size.height
        if len(views) > MOST and near_end:
            for view in views[: len(views) - BATCH]:
                await view.remove()
        return len(self.query(MessageView))

    async def show_earlier_count(self, earlier: int) -> None:
        """Offer to load `earlier` messages, or don't where there are none."""
        await self.query(Earlier).remove()
        if earlier > 0:
            await self.mount(Earlier(earlier), before=0 if self.children else None)

    def toggle_all(self) -> None:
        """Open all operations and thoughts, or close them where any is open."""
        parts = [*self.query(ToolCard), *self.query(Reasoning)]
        opened = not any(part.opened for part in parts)
        for part in parts:
            part.opened = opened
