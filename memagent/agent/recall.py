"""Automatic recall: what memory offers before the model is asked, and when it offers nothing.

Two thirds of what people type needs no memory, and a memory pushed in front of a model that does not need it does
harm; so a hit must clear a gate of its own, on the channels' absolute scores, not on its rank.
"""

from __future__ import annotations

import time

from memagent.conversation import Recalled
from memagent.memory.records import Hit, SearchQuery
from memagent.tools.memory_tools import hits_to_dicts
from memagent.tools.tool import ToolContext

LIMIT = 8
NEAREST = 0.35  # cosine of MiniLM: below it two short texts have little to do with each other
WITH_WORDS = 0.22  # enough where they share a rare word as well
SHORT = 10  # words; a shorter message leans on the one before it


def recall(context: ToolContext, text: str, before: str, in_view: frozenset[int] = frozenset()) -> Recalled:
    """Hits worth showing, best first. `before` is what the person said last; messages `in_view` are not repeated."""
    started = time.perf_counter()
    query = f"{text} {before}".strip() if before and len(text.split()) <= SHORT else text
    here = frozenset({context.message.id} if context.message is not None else ())
    hits = context.store.search(SearchQuery(query, limit=LIMIT, exclude_messages=here | in_view))
    shown = tuple(hits_to_dicts(context, [hit for hit in hits if relevant(hit)]))
    return Recalled(query, shown, (time.perf_counter() - started) * 1000)


def relevant(hit: Hit) -> bool:
    """Whether a hit is near enough to be put in front of the model unasked."""
    nearness = hit.channels.get("dense")
    if nearness is None:  # not embedded yet, or no embedder: words are all there is
        return "words" in hit.channels
    return nearness >= NEAREST or ("words" in hit.channels and nearness >= WITH_WORDS)
