"""The chat screen over a store that the test holds, with a model that the test scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from textual.pilot import Pilot
from textual.widgets import Static

from memagent.agent.assemble import Agent
from memagent.config import Settings, load_settings
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel
from memagent.models.scripted import ScriptedModel, Step
from tests.tui.pages import until
from tui.app import MemagentApp
from tui.chat.cards import ToolCard
from tui.chat.composer import Composer
from tui.chat.feed import MemoryFeed
from tui.chat.screen import ChatScreen
from tui.chat.transcript import Note, Reply, Said

SIZE = (120, 36)


class Chat:
    """The open chat, with what a person would look at."""

    def __init__(self, app: MemagentApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> ChatScreen:
        return cast(ChatScreen, self.app.screen)

    @property
    def composer(self) -> Composer:
        return self.screen.query_one(Composer)

    @property
    def said(self) -> list[str]:
        return [said.text for said in self.screen.query(Said)]

    @property
    def replies(self) -> list[str]:
        return [reply.text for reply in self.screen.query(Reply)]

    @property
    def cards(self) -> list[ToolCard]:
        return list(self.screen.query(ToolCard))

    @property
    def notes(self) -> list[str]:
        return [str(note.content) for note in self.screen.query(Note)]

    @property
    def feed(self) -> list[str]:
        return [item.words for item in self.screen.query_one(MemoryFeed).items]

    @property
    def notices(self) -> list[str]:
        """The notifications that have not expired."""
        return [notice.message for notice in self.app._notifications]

    @property
    def status(self) -> str:
        return str(self.screen.query_one("#status", Static).content)

    async def send(self, text: str) -> None:
        """Put a message into the input and send it."""
        self.composer.put(text)
        await self.pilot.press("enter")

    async def say(self, text: str) -> None:
        """Send a message and wait for the end of the turn."""
        await self.send(text)
        await self.ended()

    async def ended(self) -> None:
        await until(self.pilot, lambda: not self.screen.busy)

    async def until(self, true: Callable[[], object]) -> None:
        await until(self.pilot, true)


@asynccontextmanager
async def open_chat(
    store: MemoryStore,
    steps: Sequence[Step] | ChatModel = (),
    *,
    settings: Settings | None = None,
    session_id: int | None = None,
    size: tuple[int, int] = SIZE,
) -> AsyncIterator[Chat]:
    """The application on its chat screen, ready."""
    agent = Agent(store, "scripted")
    agent.give(ScriptedModel(steps) if isinstance(steps, Sequence) else steps, None)
    app = MemagentApp(settings or load_settings(), lambda _: agent, first=lambda _: session_id)
    async with app.run_test(size=size) as pilot:
        chat = Chat(app, pilot)
        await until(pilot, lambda: app.model_state == "ready" and isinstance(app.screen, ChatScreen))
        await pilot.pause()
        yield chat
