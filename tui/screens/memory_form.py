"""The windows in which a person writes a memory: a new one, or another value, kind or time of one that is there."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import ClassVar, cast, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Checkbox, Input, Select, Static

from memagent.errors import MemagentError
from memagent.escape import visible
from memagent.export import when
from memagent.memory.records import Fact, FactDraft, Kind, MemoryChange
from memagent.memory.store import MemoryStore
from memagent.memory.time import parse_bound
from tui.dialogs import Dialog
from tui.text import content, content_line
from tui.widgets import Area, Field


class FactDialog(Dialog[MemoryChange]):
    """What both windows share: they close when the store has taken what was written, and keep it until then.

    Abstract without ABC, whose metaclass is not Textual's: it is mypy that refuses a window that lacks a method.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", "Save", id="form.save")]
    TITLE_LINE: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(classes="dialog")

    def compose(self) -> ComposeResult:
        with Vertical(classes="window form") as window:
            window.border_title = content_line(self.TITLE_LINE)
            window.border_subtitle = content_line("Ctrl+S save · Esc leave")
            yield from self.compose_fields()
            yield Static("", markup=False, classes="fault")
            with Horizontal(classes="buttons"):
                yield Button("Save", variant="primary", id="save", compact=True)
                yield Button("Leave", id="leave", compact=True)

    @abstractmethod
    def compose_fields(self) -> ComposeResult:
        """The fields of the form."""

    @abstractmethod
    def write(self, store: MemoryStore) -> MemoryChange:
        """Store what the fields hold; runs in a thread, after `collect`. Raises MemagentError."""

    @abstractmethod
    def collect(self) -> None:
        """Take what the fields hold, for `write`."""

    def typed(self, name: str) -> str:
        """The text of a field."""
        return self.query_one(f"#{name}", Field).value.strip()

    @property
    def kind(self) -> Kind:
        """The chosen kind."""
        return cast(Kind, self.query_one("#kind", Select).value)

    def kinds(self, kind: str = "fact") -> Select[str]:
        """The field for the kind."""
        names = [(name, name) for name in get_args(Kind)]
        return Select(names, value=kind, allow_blank=False, compact=True, id="kind")

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Store it; close the window when that has worked."""
        self.collect()
        self._save()

    @on(Button.Pressed, "#leave")
    def leave(self) -> None:
        """Close without storing."""
        self.dismiss(None)

    @work(exclusive=True, group="save")
    async def _save(self) -> None:
        try:
            change = await self.memagent.run_store(self._write)
        except MemagentError as error:
            self.query_one(".fault", Static).update(content(f"{error.message}\n{error.hint}".strip()))
        else:
            self.dismiss(change)

    def _write(self, store: MemoryStore) -> MemoryChange:
        return self.write(store)


class AddDialog(FactDialog):
    """A new memory."""

    TITLE_LINE = "Add a memory"

    def compose_fields(self) -> ComposeResult:
        yield Static("whom or what it is about, and which of its properties", classes="label", markup=False)
        with Horizontal(classes="row"):
            yield Field(placeholder="subject, e.g. boiler", id="subject", compact=True)
            yield Field(placeholder="attribute, e.g. serviced by", id="attribute", compact=True)
        yield Static("value", classes="label", markup=False)
        yield Area(id="value", compact=True, placeholder="e.g. Hartnell", tab_behavior="focus")
        with Horizontal(classes="row"):
            yield self.kinds()
            yield Field(placeholder="since when, e.g. last May", id="since", compact=True)
            yield Checkbox("may have several values", id="several", compact=True)

    def on_mount(self) -> None:
        self.query_one("#subject").focus()

    def collect(self) -> None:
        self._draft = FactDraft(
            self.typed("subject"),
            self.typed("attribute"),
            self.query_one("#value", Area).text,
            kind=self.kind,
            single=not self.query_one("#several", Checkbox).value,
        )
        self._since = self.typed("since")

    def write(self, store: MemoryStore) -> MemoryChange:
        from dataclasses import replace

        since = _moment(store, self._since, end=False)
        return store.add_fact(replace(self._draft, valid_from=since), asked_by="user")


class EditDialog(FactDialog):
    """Another value of a memory (the old one stays in its history), or its kind and dates put right."""

    TITLE_LINE = "Edit a memory"

    def __init__(self, fact: Fact) -> None:
        super().__init__()
        self._fact = fact
        self._old = (visible(fact.value), fact.kind, when(fact.valid_from), when(fact.valid_to))
        self._new = self._old

    def compose_fields(self) -> ComposeResult:
        value, kind, since, until = self._old
        yield Static(content_line(f"{self._fact.subject} · {self._fact.attribute}"), classes="label", markup=False)
        yield Area(value, id="value", compact=True, tab_behavior="focus")
        with Horizontal(classes="row"):
            yield self.kinds(kind)
            yield Field(since, placeholder="holds from", id="since", compact=True)
            yield Field(until, placeholder="holds until", id="until", compact=True)

    def on_mount(self) -> None:
        area = self.query_one("#value", Area)
        area.focus()
        area.select_all()

    def collect(self) -> None:
        self._new = (self.query_one("#value", Area).text, self.kind, self.typed("since"), self.typed("until"))

    def write(self, store: MemoryStore) -> MemoryChange:
        old, (value, kind, since, until) = self._old, self._new
        fact, change = self._fact, None
        begins = fact.valid_from if since == old[2] else _moment(store, since, end=False)
        ends = fact.valid_to if until == old[3] else _moment(store, until, end=True)
        if value != old[0]:
            told = begins if since != old[2] else None  # the new value need not hold since when the old one did
            change = store.update_fact(fact.id, value, asked_by="user", valid_from=told)
            if change.after is None or (kind, until) == (old[1], old[3]):
                return change
            fact, begins, ends = change.after, change.after.valid_from, ends if until != old[3] else None
        return store.amend_fact(fact.id, kind=kind, valid_from=begins, valid_to=ends, asked_by="user")


def _moment(store: MemoryStore, words: str, *, end: bool) -> datetime | None:
    return parse_bound(words, store.clock.now(), end=end) if words else None
