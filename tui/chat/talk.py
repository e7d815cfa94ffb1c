"""The column of the conversation: what was said, a write that waits for an answer, the input, the status."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Markdown

from tui.chat.cards import Consent, ToolCard
from tui.chat.composer import Composer
from tui.chat.status import StatusLine
from tui.chat.transcript import CopyAsked, Transcript
from tui.chat.welcome import Example

if TYPE_CHECKING:
    from memagent.agent.policy import Write
    from tui.app import MemagentApp


class Talk(Vertical):
    """What was said and what is written now. `take` is given each message that is sent, as `Composer` says."""

    def __init__(self, memagent: MemagentApp, take: Callable[[str], bool], id: str | None = None) -> None:
        super().__init__(id=id)
        self._memagent, self._take = memagent, take

    def compose(self) -> ComposeResult:
        settings = self._memagent.settings
        yield Transcript(open_cards=settings.expand, id="transcript")
        yield Composer(self._take, send_keys=settings.keys.get("chat.send", "enter"), id="composer")
        yield StatusLine(lambda: self._memagent.model_state, id="status")

    async def ask(self, write: Write) -> None:
        """Ask whether this may be written; the answer is `Consent.Answered`."""
        consent = Consent(write)
        composer = self.query_one(Composer)
        await self.mount(consent, before=composer)
        if not composer.text.strip():  # whoever is typing must not answer by accident
            consent.query_one("#allow").focus()

    async def ask_no_more(self) -> None:
        """The write was answered, or its turn is over."""
        for consent in self.query(Consent):
            await consent.remove()

    @on(ToolCard.Asked)
    def _card_asked(self, message: ToolCard.Asked) -> None:
        if message.fact_id is not None:
            self._memagent.show_memory(message.fact_id)
        elif message.text is not None:
            self._memagent.copy_text(message.text)

    @on(CopyAsked)
    def _copy(self, message: CopyAsked) -> None:
        self._memagent.copy_text(message.text)

    @on(Markdown.LinkClicked)
    def _link(self, event: Markdown.LinkClicked) -> None:
        """A link in a reply is shown in full, and copied: it may come from anywhere."""
        event.prevent_default()
        self._memagent.copy_text(event.href)

    @on(Example.Taken)
    def _example(self, message: Example.Taken) -> None:
        composer = self.query_one(Composer)
        composer.put(message.text)
        composer.focus()
