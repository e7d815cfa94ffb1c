"""What is known of each candidate of a search, as numbers that a linear model can weigh.

The parts were found on conversations between people: turns are short, lean on their neighbours, and half of them are
questions and reactions that answer nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from memagent.memory.candidates import Candidate, Owner, Scores
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.lexical import PLACE, Lexical, place_of
from memagent.memory.question import Question
from memagent.memory.records import OwnerKind
from memagent.memory.statements import rows

Floats = NDArray[np.float64]

FEATURES = (
    *("words", "window", "session", "dense", "late", "nearness", "before", "after", "session_late"),
    *("speaker", "other_speaker", "ends_asking", "asks", "reacts", "length", "timed", "counted", "in_time"),
)

_REACTION = re.compile(
    r"(?:wow|oh|aw+|yay|ha(?:ha)+|lol|cool|awesome|amazing|great|nice|lovely|congrat\w*|thanks?|thank you|"
    r"that(?:'s| is| sounds)|sounds|glad|good to|hey|hi|hello|no way|absolutely|totally|definitely|exactly)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]+")
_TIMES = (
    "yesterday today tonight tomorrow last next ago week weeks weekend month months year years since recently just "
    "soon morning monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december"
)
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve once twice both couple dozen half"
_TIME_WORDS, _NUMBER_WORDS = frozenset(_TIMES.split()), frozenset(_NUMBERS.split())


@dataclass(frozen=True)
class Row:
    """The text of a candidate, and of a message its place and who spoke."""

    text: str
    place: int = 0
    speaker: str = ""


def read_rows(connection: Connection, owners: Sequence[Owner]) -> dict[Owner, Row]:
    """The rows of `owners`."""
    found: dict[Owner, Row] = {}
    for kind, sql in _ROWS.items():
        ids = [owner for owner_kind, owner in owners if owner_kind == kind]
        if ids:
            for row in rows(connection, sql.format(ids=ids_in(connection)), ids=ids_text(ids)):
                place = place_of(row[2], row[3]) if kind == "message" else row[0]
                found[kind, row[0]] = Row(row[1], place, row[4] if kind == "message" else "")
    return found


def matrix(
    question: Question,
    candidates: Mapping[Owner, Candidate],
    texts: Mapping[Owner, Row],
    channels: Mapping[str, Scores],
    lexicals: Mapping[OwnerKind, Lexical],
) -> tuple[list[Owner], Floats]:
    """The candidates in an order, and their features, of shape (candidates, len(FEATURES))."""
    owners = [owner for owner in candidates if owner in texts]
    columns = _lexical(owners, texts, lexicals)
    columns["dense"], _ = _spread(owners, channels.get("dense", {}), columns["words"])
    late = channels.get("late") or channels.get("dense", {})
    columns["late"], columns["nearness"] = _spread(owners, late, columns["words"])
    columns |= _around(owners, texts, columns["late"])
    columns |= _said(owners, texts, question, candidates)
    return owners, np.stack([columns[name] for name in FEATURES], axis=1) if owners else np.zeros((0, len(FEATURES)))


def _lexical(
    owners: Sequence[Owner], texts: Mapping[Owner, Row], lexicals: Mapping[OwnerKind, Lexical]
) -> dict[str, Floats]:
    """BM25 as shares of the best candidate's. What is no message is its own window and session."""
    own, window, session = (np.zeros(len(owners)) for _ in range(3))
    for kind, found in lexicals.items():
        at = np.array([row for row, (owner_kind, _) in enumerate(owners) if owner_kind == kind], np.int64)
        if not len(at):
            continue
        keys = np.array([texts[owners[row]].place for row in at], np.int64)
        lengths = np.array([len(texts[owners[row]].text) for row in at], float)
        own[at], window[at] = found.scores(keys, lengths / max(lengths.mean(), 1.0))
        if kind == "message":
            session[at] = found.of_sessions(keys // PLACE)
        else:
            session[at] = window[at]
    return {"words": _share(own), "window": _share(window), "session": _share(session)}


def _around(owners: Sequence[Owner], texts: Mapping[Owner, Row], late: Floats) -> dict[str, Floats]:
    """How near the turns beside a message are, and the nearest of its session."""
    by_place = {texts[owner].place: score for owner, score in zip(owners, late, strict=True) if owner[0] == "message"}
    best: dict[int, float] = {}
    for place, score in by_place.items():
        best[place // PLACE] = max(score, best.get(place // PLACE, 0.0))
    before, after, session = (np.array(late) for _ in range(3))
    for row, owner in enumerate(owners):
        if owner[0] == "message":
            place = texts[owner].place
            before[row], after[row] = by_place.get(place - 1, 0.0), by_place.get(place + 1, 0.0)
            session[row] = best[place // PLACE]
    return {"before": before, "after": after, "session_late": session}


def _said(
    owners: Sequence[Owner], texts: Mapping[Owner, Row], question: Question, candidates: Mapping[Owner, Candidate]
) -> dict[str, Floats]:
    """What the words of a row show by themselves."""
    rows_of = [texts[owner] for owner in owners]
    named = np.array([row.speaker in question.speakers for row in rows_of], float)
    told = np.array([bool(row.speaker) for row in rows_of], float)
    one = float(len(question.speakers) == 1)
    asked = [row.text.rstrip().endswith("?") for row in rows_of]
    moments = [candidates[owner].began or candidates[owner].moment for owner in owners]
    inside = [bool(question.since) and question.since <= moment < question.until for moment in moments]
    return {
        "speaker": one * named,
        "other_speaker": one * told * (1.0 - named),
        "ends_asking": np.array(asked, float),
        "asks": np.array(["?" in row.text for row in rows_of], float),
        "reacts": np.array([bool(_REACTION.match(row.text)) for row in rows_of], float),
        "length": np.log1p([min(len(row.text), 400) for row in rows_of]) / 6.0,
        "timed": _holding(rows_of, _TIME_WORDS, 4) if question.asks_when else np.zeros(len(rows_of)),
        "counted": _holding(rows_of, _NUMBER_WORDS, 1) if question.asks_count else np.zeros(len(rows_of)),
        "in_time": np.array(inside, float),
    }


def _holding(rows_of: Sequence[Row], wanted: frozenset[str], digits: int) -> Floats:
    """1 for rows with one of the words, or with a number of at least so many digits."""
    said = [_WORD.findall(row.text.lower()) for row in rows_of]
    found = [any(word in wanted or (word.isdigit() and len(word) >= digits) for word in words) for words in said]
    return np.array(found, float)


def _share(scores: Floats) -> Floats:
    best = float(scores.max(initial=0.0))
    result: Floats = scores / best if best > 0.0 else np.zeros(len(scores))
    return result


def _spread(owners: Sequence[Owner], scores: Scores, words: Floats) -> tuple[Floats, Floats]:
    """Cosines as 0 to 1 from the least to the best of the candidates, and as they are.

    What has none yet is taken to be as near as its words: it waits to be embedded, or there is no embedder.
    """
    values = np.array([scores.get(owner, np.nan) for owner in owners], float)
    missing = np.isnan(values)
    if missing.all():
        return words, words
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    spread = np.where(missing, words, (values - low) / (high - low) if high > low else 1.0)
    return spread, np.where(missing, low + (high - low) * words, values)


_ROWS: dict[OwnerKind, str] = {
    "fact": "select id, subject || ' ' || attribute || ' ' || value || ' ' || text from facts where id in {ids}",
    "message": "select id, content, session_id, position, speaker from messages where id in {ids}",
    "chunk": "select id, text from chunks where id in {ids}",
}
