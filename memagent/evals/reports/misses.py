"""The answers of a run that did not pass, with what was found for them: to be read by a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from memagent.errors import InputError
from memagent.evals.reports.runs import Kept
from memagent.evals.results import Answer, HitRecord

HITS_SHOWN = 10
TEXT_SHOWN = 110  # characters of a hit
CHANNELS_SHOWN = 4


def misses(kept: Kept, tags: Sequence[str] = ()) -> list[Answer]:
    """Those with any of the tags, in the order of the run. Raises InputError for a tag that nothing has."""
    known = dict.fromkeys(tag for answer in kept.answers for tag in (*answer.tags, answer.group, answer.id))
    for tag in tags:
        if tag not in known:
            there = dict.fromkeys(tag for answer in kept.answers for tag in answer.tags)
            raise InputError(f"nothing in this run has the tag or id {tag!r}", f"tags: {', '.join(there) or 'none'}")
    return [
        answer
        for answer in kept.answers
        if not answer.passed and (not tags or {*answer.tags, answer.group, answer.id} & set(tags))
    ]


def why(answer: Answer) -> str:
    """What went wrong, as far as the hits tell."""
    if answer.error:
        return f"no reply: {answer.error}"
    gold = [rank for rank, hit in enumerate(answer.hits, 1) if hit.gold]
    if not answer.hits:
        return "nothing was found"
    if not gold:
        return f"what tells it is not among the first {len(answer.hits)} hits"
    return f"what tells it was found at rank {', '.join(map(str, gold))}, and not read out of it"


def lines(answer: Answer, hits: int = HITS_SHOWN) -> Iterator[str]:
    """One miss; gold hits are marked with a star."""
    again = f", repeat {answer.repeat}" if answer.repeat > 1 else ""
    yield f"{answer.id}{again}  [{', '.join(answer.tags)}]  failed: {', '.join(answer.failed) or 'unknown'}"
    yield f"  asked   {_flat(answer.question)}"
    yield f"  wanted  {_flat(' | '.join(answer.expected)) or 'to decline'}"
    yield f"  reply   {_flat(answer.reply) or '(nothing)'}"
    yield f"  why     {why(answer)}"
    for rank, hit in enumerate(answer.hits[:hits], 1):
        yield f"  {'*' if hit.gold else ' '}{rank:3} {hit.score:8.3f}  {hit.source}: {_short(hit.text)}{_channels(hit)}"
    if len(answer.hits) > hits:
        yield f"       and {len(answer.hits) - hits} more"


def _channels(hit: HitRecord) -> str:
    best = sorted(hit.channels.items(), key=lambda item: -abs(item[1]))[:CHANNELS_SHOWN]
    return f"  ({', '.join(f'{name} {score:.2f}' for name, score in best)})" if best else ""


def _short(text: str) -> str:
    flat = _flat(text)
    return flat if len(flat) <= TEXT_SHOWN else flat[: TEXT_SHOWN - 1] + "…"


def _flat(text: str) -> str:
    return " ".join(text.split())


def to_json(kept: Kept, missed: Sequence[Answer]) -> dict[str, Any]:
    """The misses as one JSON-able object."""
    return {
        "run": str(kept.folder),
        "answers": len(kept.answers),
        "misses": [asdict(answer) | {"why": why(answer)} for answer in missed],
    }
