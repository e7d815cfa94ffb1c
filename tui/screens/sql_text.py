"""SQL as text: which statement the cursor is in, what could be meant by a word half typed, queries to begin with."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from memagent.memory.schema import Relation

MAX_CHOICES = 40

Sort = Literal["column", "view", "table", "keyword", "function"]

_KEYWORDS = """
    select from where and or not in is null like between order by group having limit offset join left inner on as
    distinct case when then else end union all except intersect with exists asc desc cast recursive values over
    partition escape glob match collate nocase using cross filter window
"""
_FUNCTIONS = """
    count sum avg min max total length lower upper substr instr replace trim round abs coalesce ifnull nullif iif
    date datetime time strftime julianday group_concat json_extract json_each json_array_length row_number rank
    dense_rank lag lead typeof
"""
KEYWORDS = tuple(_KEYWORDS.split())
FUNCTIONS = tuple(_FUNCTIONS.split())

_TOKEN = re.compile(r"(?:(\w+)\.)?(\w*)$")
_ALIAS = re.compile(r"\b(?:from|join|,)\s+\"?(\w+)\"?(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    """One completion: the text, and what it is."""

    text: str
    sort: Sort


@dataclass(frozen=True)
class Example:
    """A query to begin with."""

    title: str
    sql: str


_EXAMPLES = """
-- What is known, newest first
select subject, attribute, value, recorded_at
from current_facts
order by recorded_at desc;

-- How often each subject comes up
select subject, count(*) as facts, sum(times_told) as times_told
from current_facts
group by subject
order by facts desc;

-- What has changed: every value a slot has had
select subject, attribute, value, recorded_at, retired_at
from fact_history
order by subject, attribute, recorded_at;

-- Where each fact was said
select f.id, f.subject, f.attribute, f.value, s.quote, m.content, m.created_at
from facts f
join fact_sources s on s.fact_id = f.id
join messages m on m.id = s.message_id
order by m.created_at desc;

-- The conversation, word for word
select session_id, position, role, content, created_at
from conversation
order by session_id desc, position;

-- Messages a day
select substr(created_at, 1, 10) as day, role, count(*) as messages, sum(tokens) as tokens
from conversation
group by day, role
order by day desc;

-- Everything that was done to memory
select id, created_at, name, asked_by, fact_id, arguments, duration_ms
from operation_log
order by id desc;

-- Searches that took longest
select created_at, arguments, duration_ms
from operation_log
where name = 'search'
order by duration_ms desc
limit 20;

-- What waits for a decision
select c.id, n.subject, n.attribute, n.value as newer, o.value as older, c.reason
from conflicts c
join facts n on n.id = c.fact_id
join facts o on o.id = c.other_id
where c.resolved_at is null;
"""
EXAMPLES = tuple(Example(*part[3:].split("\n", 1)) for part in _EXAMPLES.strip().split("\n\n"))


def statements(text: str) -> list[tuple[int, int]]:
    """Where each statement stands: half-open, with its semicolon, without the space around it."""
    found, start = [], 0
    for match in re.finditer(";", text):
        if sqlite3.complete_statement(text[start : match.end()]):
            found.append((start, match.end()))
            start = match.end()
    found.append((start, len(text)))
    spans = []
    for first, last in found:
        part = text[first:last]
        if part.strip(" \t\r\n;"):
            spans.append((first + len(part) - len(part.lstrip()), first + len(part.rstrip())))
    return spans


def statement_at(text: str, offset: int) -> tuple[int, int] | None:
    """The statement that the cursor is in or behind, or that begins on its line; None where there is none."""
    spans = statements(text)
    line = text.rfind("\n", 0, offset) + 1
    before = [span for span in spans if span[0] <= offset or not text[line : span[0]].strip(" \t")]
    return before[-1] if before else next(iter(spans), None)


def word_before(text: str) -> tuple[str, str]:
    """The word that ends where `text` ends, and the name before its dot; both may be empty."""
    match = _TOKEN.search(text[-200:])
    assert match is not None
    return match[2], match[1] or ""


def choices(before: str, statement: str, relations: Sequence[Relation]) -> list[Choice]:
    """What the word at the end of `before` may become, the likeliest first; nothing inside a string or a comment.

    `statement` is the whole statement around it, which names the tables whose columns come first.
    """
    word, qualifier = word_before(before)
    if _quoted(before) or word.isdigit():
        return []
    by_name = {relation.name.lower(): relation for relation in relations}
    used = {}
    for match in _ALIAS.finditer(statement):
        if match[1].lower() in by_name:
            relation = by_name[match[1].lower()]
            used[match[1].lower()] = relation
            if match[2] and match[2].lower() not in KEYWORDS:
                used[match[2].lower()] = relation
    if qualifier:
        relation_or_none = used.get(qualifier.lower()) or by_name.get(qualifier.lower())
        names = relation_or_none.columns if relation_or_none else ()
        return _ranked(word, (Choice(name, "column") for name, _ in names))
    everything = [Choice(name, "column") for relation in used.values() for name, _ in relation.columns]
    everything += [Choice(item.name, "view" if item.view else "table") for item in relations]
    everything += [Choice(keyword, "keyword") for keyword in KEYWORDS]
    everything += [Choice(function, "function") for function in FUNCTIONS]
    if not used:
        everything += [Choice(name, "column") for relation in relations for name, _ in relation.columns]
    return _ranked(word, everything) if word else []


def _quoted(before: str) -> bool:
    """Whether the text ends inside a string or a comment."""
    rest = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*\n|/\*.*?\*/", " ", before, flags=re.DOTALL)
    return "'" in rest or "--" in rest or "/*" in rest


def _ranked(word: str, offered: Iterable[Choice]) -> list[Choice]:
    """Those that begin with the word, then those that hold it, then those that hold its letters in order."""
    sought = word.lower()
    letters = re.compile(".*?".join(map(re.escape, sought)))
    ranks: tuple[list[Choice], ...] = ([], [], [])
    seen = set()
    for choice in offered:
        name = choice.text.lower()
        if name in seen:
            continue
        seen.add(name)
        if name == sought:
            continue  # it is there already
        if name.startswith(sought):
            ranks[0].append(choice)
        elif len(sought) > 1 and sought in name:
            ranks[1].append(choice)
        elif len(sought) > 2 and letters.match(name):
            ranks[2].append(choice)
    if sought in seen and len(ranks[0]) == 0:
        return []  # the word is whole: nothing to offer
    return [choice for rank in ranks for choice in rank][:MAX_CHOICES]
