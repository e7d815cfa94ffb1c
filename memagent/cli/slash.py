"""The commands inside a chat: `/memories`, `/sql`, `/forget` and their like, over the chat's own store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memagent.cli.app import App
from memagent.cli.memories import claim, confirm, report, show_facts, show_operations, show_sources
from memagent.cli.screen import note, one_line, out
from memagent.errors import InputError

if TYPE_CHECKING:
    from memagent.memory.store import MemoryStore


HELP = """\
  /memories [WORDS]   what is known (with these words)
  /why ID             where a memory came from
  /forget ID          erase a memory for good
  /undo [OPERATION]   take back the last change, or the given one
  /sql QUERY          read the database: /sql select * from current_facts
  /new                begin a new conversation
  /quit               leave (also Ctrl+D)
  Ctrl+C stops a reply; twice, it leaves."""


def number(argument: str) -> int:
    """The id that a command was given. Raises InputError."""
    if not argument.strip().isdecimal():
        raise InputError("this command needs a number", "/memories shows the ids")
    return int(argument)


def show_help(app: App, store: MemoryStore, argument: str) -> None:
    note(HELP, dim=False)


def list_memories(app: App, store: MemoryStore, argument: str) -> None:
    show_facts(store.facts(search=argument or None, limit=30))


def run_sql(app: App, store: MemoryStore, argument: str) -> None:
    from memagent.cli.sql import query, show_result

    show_result(query(app, argument))


def forget(app: App, store: MemoryStore, argument: str) -> None:
    fact = store.fact(number(argument))
    confirm(f"Erase “{one_line(claim(fact))}” for good?", yes=False)
    report(store.forget_fact(fact.id, asked_by="user"), as_json=False)


def undo(app: App, store: MemoryStore, argument: str) -> None:
    operation = number(argument) if argument else store.last_change().id
    report(store.undo(operation, asked_by="user"), as_json=False)


def why(app: App, store: MemoryStore, argument: str) -> None:
    fact_id = number(argument)
    out(one_line(claim(store.fact(fact_id))))
    show_sources(store.sources(fact_id))
    show_operations(store.operations(fact_id=fact_id))


COMMANDS: dict[str, Callable[[App, MemoryStore, str], None]] = {
    "help": show_help,
    "memories": list_memories,
    "sql": run_sql,
    "forget": forget,
    "undo": undo,
    "why": why,
}
