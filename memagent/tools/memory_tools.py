"""The tools that read and write memory."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from memagent.errors import InputError
from memagent.memory.records import Fact, FactDraft, Hit, Kind, MemoryChange, Scope, SearchQuery, SourceSpan
from memagent.memory.time import describe, find_times, parse_bound, resolve
from memagent.tools.tool import OWNER_WORDS, Outcome, ToolContext, tool

SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
MAX_LIMIT = 50


def sentence_around(text: str, start: int, end: int) -> str:
    """The sentence of `text` that holds the characters start:end."""
    low, high = 0, len(text)
    for match in SENTENCE_END.finditer(text):
        if match.end() <= start:
            low = match.end()
        elif match.start() >= end:
            high = match.start()
            break
    return text[low:high].strip()


def source_of(context: ToolContext, value: str) -> tuple[str, tuple[SourceSpan, ...]]:
    """The sentence of this turn's message in which a value was said, and where."""
    message = context.message
    if message is None:
        return "", ()
    found = re.search(re.escape(value), message.content, re.IGNORECASE)
    if found is None:
        return message.content, (SourceSpan(message.id, None, 0, len(message.content), message.content),)
    start, end = found.span()
    return sentence_around(message.content, start, end), (SourceSpan(message.id, None, start, end, found.group()),)


def _moment(context: ToolContext, when: str | None) -> datetime | None:
    """When it became or becomes true, resolved against the session's clock; None when the words name no time."""
    if not when:
        return None
    found = resolve(when, context.store.clock.now())
    return found.since if found else None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def change_words(change: MemoryChange) -> str:
    """One line for a person about a change."""
    fact = change.after or change.before
    assert fact is not None
    about = f"{fact.subject}: {fact.attribute} = {fact.value}"
    before = change.before.value if change.before else ""
    phrases = {
        "added": f"remembered {about}",
        "repeated": f"knew already {about}",
        "superseded": f"updated {about} (was {before})",
        "queued": f"kept beside another value {about}",
        "edited": f"edited {about}",
        "ended": f"ended {about}",
        "forgotten": "forgot it, with its history",
        "restored": f"restored {about}",
    }
    identity = "" if change.action == "forgotten" else f" · id {fact.id}"
    return phrases[change.action] + identity


@tool(predicate="attribute", key="attribute", content="value", text="value", category="kind", date="when", time="when")
def memory_add(
    context: ToolContext,
    subject: str,
    attribute: str,
    value: str,
    kind: Kind = "fact",
    when: str | None = None,
    several: bool = False,
) -> Outcome:
    """Remember one fact the person told: whom or what it is about ("user" for the person), which attribute, which
    value. `when` is the time in their words. `several` is true where more than one value can hold at once (allergies,
    hobbies)."""
    text, sources = source_of(context, value)
    draft = FactDraft(
        subject=subject,
        attribute=attribute,
        value=value,
        text=text or f"{subject} {attribute} {value}",
        kind=kind,
        single=not several,
        valid_from=_moment(context, when),
        sources=sources,
    )
    change = context.store.add_fact(draft, asked_by=context.asked_by, session_id=context.session_id)
    return _changed(context, change)


@tool(new_value="value", new="value", content="value", why="reason")
def memory_update(context: ToolContext, id: int, value: str, reason: str | None = None) -> Outcome:
    """Replace the value of a remembered fact, by the id it was shown with. The old value is kept as history."""
    fact = context.fact_shown(id)
    sentence, sources = source_of(context, value)
    text = restated(fact, value) or sentence
    change = context.store.update_fact(
        fact.id,
        value,
        asked_by=context.asked_by,
        reason=reason or "",
        session_id=context.session_id,
        text=text or f"{fact.subject} {fact.attribute} {value}",
        sources=sources,
        valid_from=_moment(context, sentence),
    )
    return _changed(context, change)


def restated(fact: Fact, value: str) -> str:
    """The sentence of the old fact with the new value in it, since a correction ("no, it's ...") names no subject.

    Empty where the old value is not in the sentence; the source span keeps the real words.
    """
    found = re.search(re.escape(fact.value), fact.text, re.IGNORECASE)
    return "" if found is None else fact.text[: found.start()] + value + fact.text[found.end() :]


@tool(why="reason")
def memory_end(context: ToolContext, id: int, reason: str | None = None) -> Outcome:
    """End a remembered fact that no longer holds and has no new value (sold, done, cancelled, left), by the id it was
    shown with. It is kept as history."""
    fact = context.fact_shown(id)
    change = context.store.end_fact(
        fact.id,
        asked_by=context.asked_by,
        reason=reason or "",
        session_id=context.session_id,
        sources=_naming(context, fact.value),
    )
    return _changed(context, change)


def _naming(context: ToolContext, value: str) -> tuple[SourceSpan, ...]:
    """Where the message of this turn names a value: in full, or by the longest of its words that it says."""
    message = context.message
    if message is None:
        return ()
    for words in [value, *sorted(re.findall(r"\w{3,}", value), key=len, reverse=True)]:
        found = re.search(rf"\b{re.escape(words)}", message.content, re.IGNORECASE)
        if found is not None:
            return (SourceSpan(message.id, None, found.start(), found.end(), found.group()),)
    return ()


@tool()
def memory_forget(context: ToolContext, id: int) -> Outcome:
    """Erase a remembered fact for good, with its history and the words it came from, by the id it was shown with."""
    fact = context.fact_shown(id)
    change = context.store.forget_fact(fact.id, asked_by=context.asked_by, session_id=context.session_id)
    context.drop_forgotten()
    return Outcome({"forgotten": id}, change_words(change), change)


@tool(text="query", q="query", search="query", start="since", end="until", k="limit", top_k="limit")
def memory_search(
    context: ToolContext,
    query: str,
    scope: Scope = "all",
    since: str | None = None,
    until: str | None = None,
    limit: int = 8,
    history: bool = False,
    subject: str | None = None,
    attribute: str | None = None,
) -> Outcome:
    """Look in memory. Dates may be relative ("last week"). `history` also finds what is no longer true. Each hit has
    an id, the date it was said, and the turns around it."""
    now = context.store.clock.now()
    if not query.strip():
        raise InputError("the query is empty", "say what to look for")
    wanted = SearchQuery(
        query,
        scope=scope,
        limit=max(1, min(limit, MAX_LIMIT)),
        since=parse_bound(since, now, end=False) if since else None,
        until=parse_bound(until, now, end=True) if until else None,
        subject=subject,
        attribute=attribute,
        state="all" if history else "current",
        exclude_messages=frozenset({context.message.id} if context.message else ()),
    )
    started = time.perf_counter()
    hits = context.store.search(wanted)
    shown = hits_to_dicts(context, hits)
    operation = context.store.log_operation(
        "search",
        asked_by=context.asked_by,
        arguments={"query": query, "scope": scope, "since": since, "until": until, "history": history},
        result={"hits": [{"kind": h.kind, "id": h.id, "score": h.score, "channels": h.channels} for h in hits]},
        session_id=context.session_id,
        duration_ms=(time.perf_counter() - started) * 1000,
    )
    words = f"looked for “{query}”: {len(hits)} found" if hits else f"looked for “{query}”: nothing found"
    times = _times(query, now, now)
    content = {"query": query, "hits": shown} | ({"times": times} if times else {})
    return Outcome(content, words, operation_id=operation)


def hits_to_dicts(context: ToolContext, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Hits as models and screens see them: numbered, dated, with their neighbours and the times their words name.

    A message is `outdated` when something that was told in it no longer holds; `replaced` are values that are named
    though something else holds now.
    """
    replaced = {
        kind: context.store.replaced_words(kind, [hit.id for hit in hits if hit.kind == kind]) for kind in OWNER_WORDS
    }
    outdated = context.store.outdated_messages([hit.id for hit in hits if hit.kind == "message"])
    return [
        _hit_to_dict(context, hit)
        | {
            "outdated": hit.kind == "message" and hit.id in outdated,
            "replaced": replaced[hit.kind].get(hit.id, []),
        }
        for hit in hits
    ]


def _hit_to_dict(context: ToolContext, hit: Hit) -> dict[str, Any]:
    now = context.store.clock.now()
    data: dict[str, Any] = {
        "id": context.show(hit),
        "kind": hit.kind,
        "source": OWNER_WORDS[hit.kind],
        "ref": hit.id,
        "text": hit.text,
        "date": describe(_midnight(hit.said_at.astimezone(now.tzinfo)), now),
        "said_at": hit.said_at.isoformat(),
        "speaker": hit.speaker,
        "message": hit.message_id,
        "score": round(hit.score, 4),
        "channels": {name: round(score, 4) for name, score in hit.channels.items()},
        "around": [f"{turn.role}: {turn.content}" for turn in hit.neighbours],
        "times": _times(hit.text, hit.said_at.astimezone(now.tzinfo), now),
    }
    if hit.fact is not None:
        fact = hit.fact
        data |= {
            "fact": fact.kind,
            "subject": fact.subject,
            "attribute": fact.attribute,
            "value": fact.value,
            "current": fact.current,
            "ended": fact.ended,
            "single": fact.single,
            "retired_at": fact.retired_at.isoformat() if fact.retired_at else None,
            "recorded_at": fact.recorded_at.isoformat(),
            "trust": fact.trust,
        }
    return data


def _times(text: str, said: datetime, now: datetime) -> list[dict[str, Any]]:
    """What a text that was `said` then names of time: the words and where, from when until when, and how to say it."""
    return [
        {
            "text": span.text,
            "start": span.start,
            "end": span.end,
            "precision": span.precision,
            "since": span.since.isoformat(),
            "until": span.until.isoformat(),
            "means": describe(span, now),
        }
        for span in find_times(text, said)
    ]


@tool(label="block", old_text="old", old_content="old", new_text="new", new_content="new", content="new")
def core_memory_edit(context: ToolContext, block: str, new: str, old: str = "") -> Outcome:
    """Edit the small pinned text that is always in view (blocks: person, plan, scratchpad). `old` must occur exactly
    once and is replaced; without it `new` is appended."""
    edited = context.store.edit_core_block(block, old, new, asked_by=context.asked_by)
    content = {"block": edited.label, "content": edited.content, "limit": edited.limit_characters}
    return Outcome(content, f"edited the pinned note “{edited.label}”")


def _changed(context: ToolContext, change: MemoryChange) -> Outcome:
    fact = change.after
    assert fact is not None
    content: dict[str, Any] = {
        "action": change.action,
        "subject": fact.subject,
        "attribute": fact.attribute,
        "value": fact.value,
        "before": change.before.value if change.before else None,
        "also": [other.value for other in change.conflicts],
    }
    if fact.valid_from is not None:
        content["when"] = describe(fact.valid_from, context.store.clock.now())
    return Outcome(content, change_words(change), change)
