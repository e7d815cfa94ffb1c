"""`memagent memories`: what is known, where it came from, and how to correct or erase it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import Group
from memagent.cli.screen import json_out, note, one_line, out, table, visible, when
from memagent.errors import InputError
from memagent.memory.records import FactDraft, Kind, Scope, SearchQuery

if TYPE_CHECKING:
    from memagent.memory.records import Fact, Hit, MemoryChange, Message, Operation, SourceSpan

KINDS = click.Choice(get_args(Kind))
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
limit_option = click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most.")
since_option = click.option("--since", metavar="WHEN", help="Not before, e.g. 2026-03-02 or 'last week'.")
until_option = click.option("--until", metavar="WHEN", help="Not after; a date includes its day.")
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.group(cls=Group, name="memories")
def memories() -> None:
    """List, search, correct, undo and erase what is known."""


@memories.command("list")
@click.option("--kind", type=KINDS, help="Only this kind.")
@click.option("--subject", help="Only about this.")
@since_option
@until_option
@click.option("--retired", "state", flag_value="retired", help="Only what has been replaced or has ended.")
@click.option("--all", "state", flag_value="all", help="Also what has been replaced or has ended.")
@limit_option
@click.option("--offset", type=click.IntRange(0), default=0, help="Skip so many.")
@json_option
@pass_app
def list_facts(
    app: App,
    kind: Kind | None,
    subject: str | None,
    since: str | None,
    until: str | None,
    state: Literal["retired", "all"] | None,
    limit: int,
    offset: int,
    as_json: bool,
) -> None:
    """List what is known, newest first."""
    with app.store() as store:
        facts = store.facts(
            kind=kind,
            subject=subject,
            since=app.moment(since, end=False),
            until=app.moment(until, end=True),
            state=state or "current",
            limit=limit,
            offset=offset,
        )
    show_facts(facts, as_json=as_json)
    if not as_json and len(facts) == limit:
        note(f"the first {limit}; more with --limit or --offset")


def show_facts(facts: list[Fact], *, as_json: bool = False) -> None:
    """Facts as a table or as JSON."""
    if as_json:
        return json_out(facts)
    if not facts:
        return note("nothing is known that fits")
    retired = any(not fact.current for fact in facts)
    columns = ["id", "kind", "subject", "attribute", "value", "told", *(["replaced"] if retired else [])]
    rows = [
        [f.id, f.kind, f.subject, f.attribute, f.value, when(f.recorded_at), *([when(f.retired_at)] if retired else [])]
        for f in facts
    ]
    table(columns, rows)


@memories.command("show")
@click.argument("fact_id", metavar="ID", type=int)
@json_option
@pass_app
def show(app: App, fact_id: int, as_json: bool) -> None:
    """Show one memory with all its fields and sources."""
    with app.store() as store:
        fact, sources = store.fact(fact_id), store.sources(fact_id)
    if as_json:
        return json_out({**_fields(fact), "sources": [{"span": span, "message": message} for span, message in sources]})
    for name, value in _fields(fact).items():
        if value not in (None, ""):
            out(f"{name:14}{one_line(when(value) if name.endswith(('_at', '_from', '_to')) else value)}")
    show_sources(sources)


def _fields(fact: Fact) -> dict[str, Any]:
    return {**vars(fact), "current": fact.current}


@memories.command("search")
@click.argument("query")
@click.option("--scope", type=click.Choice(get_args(Scope)), default="all", show_default=True)
@since_option
@until_option
@click.option("--limit", type=click.IntRange(1, 1000), default=8, show_default=True, help="At most.")
@json_option
@pass_app
def search(app: App, query: str, scope: Scope, since: str | None, until: str | None, limit: int, as_json: bool) -> None:
    """Search facts, conversations and documents by meaning, words, and time."""
    if not query.strip():
        raise InputError("the query is empty", "memagent memories search 'boiler service'")
    with app.store(embedder=True) as store:
        hits = store.search(
            SearchQuery(query, scope, limit, since=app.moment(since, end=False), until=app.moment(until, end=True))
        )
    show_hits(hits, as_json=as_json)


def show_hits(hits: list[Hit], *, as_json: bool = False) -> None:
    """Search results with the channels that found them, as text or as JSON."""
    if as_json:
        return json_out(hits)
    if not hits:
        return note("nothing fits")
    rows = []
    for hit in hits:
        found = " ".join(f"{name} {score:.2f}" for name, score in hit.channels.items())
        rows.append([f"{hit.score:.2f}", f"{hit.kind} {hit.id}", when(hit.said_at), hit.text, found])
    table(["score", "what", "said", "text", "found by"], rows)


@memories.command("add")
@click.argument("subject")
@click.argument("attribute")
@click.argument("value")
@click.option("--kind", type=KINDS, default="fact", show_default=True)
@click.option("--when", "since", metavar="WHEN", help="Since when it holds, or when it happens.")
@click.option("--several", is_flag=True, help="The attribute may have several values at a time.")
@json_option
@pass_app
def add(
    app: App, subject: str, attribute: str, value: str, kind: Kind, since: str | None, several: bool, as_json: bool
) -> None:
    """Add a memory, e.g.: memagent memories add boiler 'serviced by' Hartnell"""
    draft = FactDraft(subject, attribute, value, kind=kind, single=not several, valid_from=app.moment(since, end=False))
    with app.store(create=True) as store:
        report(store.add_fact(draft, asked_by="user"), as_json=as_json)


@memories.command("update")
@click.argument("fact_id", metavar="ID", type=int)
@click.argument("value")
@click.option("--reason", default="", help="Why, for the log.")
@json_option
@pass_app
def update(app: App, fact_id: int, value: str, reason: str, as_json: bool) -> None:
    """Replace the value of a memory; the old one stays in its history."""
    with app.store() as store:
        report(store.update_fact(fact_id, value, asked_by="user", reason=reason), as_json=as_json)


@memories.command("forget")
@click.argument("fact_ids", metavar="ID...", type=int, nargs=-1, required=True)
@yes_option
@json_option
@pass_app
def forget(app: App, fact_ids: tuple[int, ...], yes: bool, as_json: bool) -> None:
    """Erase a memory for good: its versions, quotes, vectors, and its words in what was said."""
    with app.store() as store:
        for fact in [store.fact(fact_id) for fact_id in fact_ids]:
            confirm(f"Erase “{one_line(claim(fact))}” for good?", yes=yes)
            report(store.forget_fact(fact.id, asked_by="user"), as_json=as_json)


@memories.command("history")
@click.argument("fact_id", metavar="ID", type=int)
@json_option
@pass_app
def history(app: App, fact_id: int, as_json: bool) -> None:
    """Show every version of a memory, oldest first."""
    with app.store() as store:
        show_facts(store.history(fact_id), as_json=as_json)


@memories.command("why")
@click.argument("fact_id", metavar="ID", type=int)
@json_option
@pass_app
def why(app: App, fact_id: int, as_json: bool) -> None:
    """Show why this is believed: what was said, when, and each operation on it."""
    with app.store() as store:
        fact, sources, operations = store.fact(fact_id), store.sources(fact_id), store.operations(fact_id=fact_id)
    if as_json:
        spans = [{"span": span, "message": message} for span, message in sources]
        return json_out({"fact": fact, "sources": spans, "operations": operations})
    out(f"{visible(claim(fact))}  (told {fact.times_told} times, confidence {fact.confidence:.2f}, trust {fact.trust})")
    show_sources(sources)
    show_operations(operations)


def show_sources(sources: list[tuple[SourceSpan, Message | None]]) -> None:
    """What was said, where and when, one line for each source."""
    for span, message in sources:
        said = shorten(one_line(message.content if message else span.quote))
        where = f"{when(message.created_at)}, session {message.session_id}" if message else f"chunk {span.chunk_id}"
        out(f"  said   “{said}”  ({where})")


def show_operations(operations: list[Operation]) -> None:
    """One line for each operation of the log."""
    for item in operations:
        about = shorten(one_line(" · ".join(str(value) for value in item.arguments.values() if value)))
        undone = f", undone by {item.undone_by}" if item.undone_by else ""
        out(f"  op {item.id:<4}{one_line(item.name):10} {about}  ({item.asked_by}, {when(item.created_at)}{undone})")


def shorten(line: str, limit: int = 100) -> str:
    """At most `limit` characters of a line."""
    return line if len(line) <= limit else line[: limit - 1] + "…"


@memories.command("log")
@click.option("--since-id", type=int, default=0, help="Only operations after this one.")
@limit_option
@json_option
@pass_app
def log(app: App, since_id: int, limit: int, as_json: bool) -> None:
    """Show the memory operations: what was added, changed, searched, by whom."""
    with app.store() as store:
        operations = store.operations(since_id=since_id, limit=limit)
    json_out(operations) if as_json else show_operations(operations)


@memories.command("undo")
@click.argument("operation_id", metavar="[OPERATION]", type=int, required=False)
@json_option
@pass_app
def undo(app: App, operation_id: int | None, as_json: bool) -> None:
    """Take back an operation: the given one, or the last change. What was forgotten stays forgotten."""
    with app.store() as store:
        report(store.undo(operation_id or store.last_change().id, asked_by="user"), as_json=as_json)


@memories.command("pin")
@click.argument("fact_id", metavar="ID", type=int)
@click.option("--off", is_flag=True, help="Unpin.")
@pass_app
def pin(app: App, fact_id: int, off: bool) -> None:
    """Keep a memory in every prompt."""
    with app.store() as store:
        store.pin_fact(fact_id, not off)
    note(f"memory {fact_id} is {'no longer ' if off else ''}pinned")


@memories.command("conflicts")
@json_option
@pass_app
def conflicts(app: App, as_json: bool) -> None:
    """List claims that may contradict each other and wait for a decision."""
    with app.store() as store:
        waiting = store.conflicts()
    if as_json:
        return json_out(waiting)
    if not waiting:
        return note("nothing waits for a decision")
    table(
        ["id", "newer", "older", "why"],
        [[c.id, f"[{c.newer.id}] {claim(c.newer)}", f"[{c.older.id}] {claim(c.older)}", c.reason] for c in waiting],
    )


@memories.command("resolve")
@click.argument("conflict_id", metavar="ID", type=int)
@click.argument("resolution", type=click.Choice(["keep-new", "keep-old", "keep-both"]))
@json_option
@pass_app
def resolve(app: App, conflict_id: int, resolution: str, as_json: bool) -> None:
    """Decide between two claims."""
    with app.store() as store:
        decision = cast(Literal["keep_new", "keep_old", "keep_both"], resolution.replace("-", "_"))
        change = store.resolve_conflict(conflict_id, decision, asked_by="user")
    if as_json:
        return json_out(change)
    note(f"conflict {conflict_id}: {resolution}")


def claim(fact: Fact) -> str:
    """A fact as a person reads it."""
    return f"{fact.subject} · {fact.attribute} · {fact.value}"


def report(change: MemoryChange, *, as_json: bool) -> None:
    """What one write did, on stdout."""
    from memagent.tools.memory_tools import change_words

    if as_json:
        return json_out(change)
    out(one_line(change_words(change)))
    for other in change.conflicts:
        note(f"it may contradict [{other.id}] {claim(other)}; memagent memories conflicts", dim=False)
    if change.action != "forgotten":
        note(f"operation {change.operation_id}; memagent memories undo {change.operation_id} takes it back")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone. Raises InputError where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("this cannot be undone and there is nobody to ask", "repeat it with --yes")
    if not click.confirm(question, err=True):
        raise click.Abort
