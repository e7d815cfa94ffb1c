"""Automatic recall: what memory offers before the model is asked, and when it offers nothing.

Two thirds of what people type needs no memory, and a memory pushed in front of a model that does not need it does
harm; so a hit must clear a gate of its own, on the channels' absolute scores, not on its rank.
"""

from __future__ import annotations

import time

from memagent.conversation import Recalled
from memagent.memory.records import Hit, Message, SearchQuery
from memagent.tools.memory_tools import hits_to_dicts
from memagent.tools.tool import ToolContext

LIMIT = 8
NEAREST = 0.35  # cosine of MiniLM: below it two short texts have little to do with each other
WITH_WORDS = 0.22  # enough where they share a rare word as well
MOST_TOLD = 4  # facts of what the person said last
SHORT = 10  # words; a shorter message leans on the one before it


def recall(
    context: ToolContext, text: str, before: Message | None = None, in_view: frozenset[int] = frozenset()
) -> Recalled:
    """Hits worth showing, best first. `before` is what the person said last; messages `in_view` are not repeated.

    What was told last is always among them: "no sorry, I misread the paper, it is 5380" shares no word with it.
    """
    started = time.perf_counter()
    leans = before is not None and len(text.split()) <= SHORT
    query = f"{text} {before.content}".strip() if before is not None and leans else text
    here = frozenset({context.message.id} if context.message is not None else ())
    found = context.store.search(SearchQuery(query, limit=LIMIT, exclude_messages=here | in_view))
    hits = [hit for hit in found if relevant(hit)]
    if before is not None:
        offered = {(hit.kind, hit.id) for hit in hits}
        hits += [hit for hit in context.store.told_in(before.id) if (hit.kind, hit.id) not in offered][:MOST_TOLD]
    return Recalled(query, tuple(hits_to_dicts(context, hits)), (time.perf_counter() - started) * 1000)


def relevant(hit: Hit) -> bool:
    """Whether a hit is near enough to be put in front of the model unasked."""
    nearness = hit.channels.get("dense")
    if nearness is None:  # not embedded yet, or no embedder: words are all there is
        return "words" in hit.channels
    return nearness >= NEAREST or ("words" in hit.channels and nearness >= WITH_WORDS)
