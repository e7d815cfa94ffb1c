"""What makes two claims the same, and two facts rivals for one slot; checks on what a caller wants to store."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import replace
from typing import get_args

from memagent.errors import InputError
from memagent.memory.records import FactDraft, Kind, SourceSpan, Trust
from memagent.memory.statements import like
from memagent.memory.time import to_text

TRUST_ORDER: tuple[Trust, ...] = ("document", "import", "model", "user")  # least first
MAX_CLAIM = 100_000

_DETERMINERS = {"the", "a", "an", "my", "our", "your"}
_NO_WORD = re.compile(r"[\W_]+")
_DATED: tuple[Kind, ...] = ("event", "plan", "task")  # the same words on another day are another claim


def clean(text: str, what: str) -> str:
    """`text` as every database can hold it. Raises InputError for half a character (undecodable input)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"the {what} is not valid text", "check its encoding; UTF-8 is expected") from None
    return text.replace("\0", "\ufffd")


def slot_of(subject: str, attribute: str) -> str:
    """The slot that a fact fills: `user dog|name`, whatever the case, the punctuation and the article."""
    return f"{_plain(subject)}|{_plain(attribute)}"


def subject_begins(text: str) -> str:
    """A pattern for `slot like :p escape '!'`: facts whose subject begins with `text`."""
    return like(_plain(clean(text, "subject")))[1:]


def claim_hash(draft: FactDraft) -> str:
    """SHA-256 of the normalised claim; equal for the same claim in other words only where case and space differ."""
    value = " ".join(unicodedata.normalize("NFKC", draft.value).casefold().split()).rstrip(".!,; ")
    parts = [slot_of(draft.subject, draft.attribute), value]
    if draft.kind in _DATED:
        parts += [draft.kind, to_text(draft.valid_from) if draft.valid_from else ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def checked(draft: FactDraft) -> FactDraft:
    """The draft as it can be stored. Raises InputError, naming the part that is wrong."""
    texts = {name: clean(getattr(draft, name), name) for name in ("subject", "attribute", "value", "text")}
    for name in ("subject", "attribute", "value"):
        texts[name] = texts[name].strip()
        if not texts[name]:
            raise InputError(f"the {name} of a fact is empty", "give a subject, an attribute and a value")
    if sum(map(len, texts.values())) > MAX_CLAIM:
        raise InputError(f"a fact may have {MAX_CLAIM:,} characters", "store a long text as a document")
    if draft.kind not in get_args(Kind):
        raise InputError(f"{draft.kind!r} is not a kind of fact", f"use one of {', '.join(get_args(Kind))}")
    if draft.trust not in get_args(Trust):
        raise InputError(f"{draft.trust!r} is not a level of trust", f"use one of {', '.join(get_args(Trust))}")
    if not 0.0 <= draft.confidence <= 1.0:
        raise InputError(f"the confidence {draft.confidence} is not between 0 and 1")
    if draft.valid_from and draft.valid_to and draft.valid_to < draft.valid_from:
        raise InputError("the fact would end before it begins", "check valid_from and valid_to")
    return replace(
        draft, subject=texts["subject"], attribute=texts["attribute"], value=texts["value"], text=texts["text"]
    )


def span_within(span: SourceSpan, text: str) -> SourceSpan:
    """The span cut to the text it points into, with its quote."""
    start = min(max(span.start, 0), len(text))
    end = min(max(span.end, start), len(text))
    return replace(span, start=start, end=end, quote=clean(span.quote, "quote") or text[start:end])


def _plain(text: str) -> str:
    words = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()
    while len(words) > 1 and words[0] in _DETERMINERS:
        words = words[1:]
    return " ".join(words) or text.strip().casefold()
