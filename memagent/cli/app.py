"""What every command starts from: the settings of this run, the store, the agent, and text that a person passed in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from memagent.config import Settings, load_settings
from memagent.conversation import MAX_MESSAGE_CHARACTERS, checked_message
from memagent.errors import InputError, StoreReadOnlyError

if TYPE_CHECKING:
    from datetime import datetime

    from memagent.memory.store import MemoryStore
    from memagent.memory.time import Clock


class App:
    """One run of the program. `overrides` are the options given on the command line."""

    def __init__(self) -> None:
        self.overrides: dict[str, Any] = {}
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = load_settings(**self.overrides)
        return self._settings

    @property
    def clock(self) -> Clock:
        from memagent.memory.time import FixedClock, SystemClock

        return FixedClock(self.settings.now) if self.settings.now else SystemClock()

    @contextmanager
    def store(self, *, create: bool = False, embedder: bool = False) -> Iterator[MemoryStore]:
        """The store of this run. Reading commands do not create one: a mistyped URL would look like an empty memory.

        With `embedder` what was written without one is embedded first, so that a search finds it by meaning.
        """
        from memagent.memory.store import MemoryStore

        settings = self.settings
        if create:
            make_home(settings)
        with MemoryStore.open(
            settings.store_url,
            space=settings.space,
            clock=self.clock,
            data_dir=settings.home,
            vector_url=settings.vector_url,
            create=create,
            full_sync=settings.full_sync,
        ) as store:
            if embedder:
                from memagent.models.embedder import MiniLMEmbedder

                store.attach_embedder(MiniLMEmbedder())
                embed_waiting(store)
            yield store

    def moment(self, text: str | None, *, end: bool) -> datetime | None:
        """A date or time that a person typed, such as 2026-03-02 or 'last week'; a date-only end includes the day."""
        if text is None:
            return None
        from memagent.memory.time import parse_bound

        return parse_bound(text, self.clock.now(), end=end)


SOON_EMBEDDED = 200  # rows, about two seconds

pass_app = click.make_pass_decorator(App)


def embed_waiting(store: MemoryStore) -> None:
    """Embed what is queued, with a progress bar where it takes a while."""
    waiting = store.stats()["waiting_to_embed"]
    with click.progressbar(length=waiting, label="embedding", file=sys.stderr, hidden=waiting < SOON_EMBEDDED) as bar:
        while done := store.drain(64):
            bar.update(done)


def make_home(settings: Settings) -> None:
    """Create the home folder, and tell the person where it fails."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreReadOnlyError(
            f"the folder {settings.home} cannot be made: {error.strerror}",
            "choose another with --home or MEMAGENT_HOME",
        ) from None


def message_text(parts: tuple[str, ...]) -> str:
    """What the person says: the arguments, or standard input for a single '-'. Raises InputError."""
    if not parts:
        raise InputError("there is no message", "memagent ask 'what do you know?'   or: memagent ask - < FILE")
    return checked_message(read_text("-", limit=MAX_MESSAGE_CHARACTERS) if parts == ("-",) else " ".join(parts))


def read_text(argument: str, *, limit: int = 10_000_000) -> str:
    """The argument itself, or standard input (UTF-8, at most `limit` characters) where it is '-'."""
    if argument != "-":
        return argument
    data = sys.stdin.buffer.read(4 * limit + 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(data) <= 4 * limit:
            raise InputError(
                f"standard input is not UTF-8 (byte {error.start})", "convert it first: iconv -f LATIN1 -t UTF-8"
            ) from None
        text = data.decode("utf-8", "ignore")
    if len(text) > limit:
        raise InputError(f"standard input is longer than {limit:,} characters", "pass a part of it")
    return text
