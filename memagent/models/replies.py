"""What the specialists say. Names, numbers and dates of a reply come from tool results or the person's words.

Wording varies with the message, not by chance, so that the same conversation reads the same twice.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from memagent.conversation import ToolResult
from memagent.models.answers import Found
from memagent.models.evidence import USER
from memagent.models.forms import fits
from memagent.models.rivals import Candidate

SURELY_SAID = 0.95
RECURRING = re.compile(
    r"\b(?:every|each|daily|weekly|monthly|yearly|weekends?|(?:\w+days?|morning|evening|night)s)\b", re.I
)
_ASKING = r"(?:who|whose|what|where|when|which|why|how)"
# "Which fruit, and for which of the girls?" is answered with the sentence that told it.
TWO_ASKED = re.compile(
    rf"\b{_ASKING}\b[^?]{{0,200}}\band (?:for |at |in |on |by |with |to |of )?{_ASKING}\b(?! about\b)", re.IGNORECASE
)
LONGEST_SAID = 240  # characters of a sentence that is said back whole
WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
PLACE_BEHIND = re.compile(r" (?:at|in|on|near|by) (?:the )?(?:[A-ZÀ-Þ][\w'’-]+)(?: [A-ZÀ-Þ][\w'’-]+)*(?![\w’'])")
BEFORE_TIMES = "at|by|from|until|till|before|after|around|about|on|in|since"
PIECE = re.compile(r"\S+\s*")

SECOND_PERSON = {
    "i": "you", "i'm": "you're", "im": "you're", "i've": "you've", "i'll": "you'll", "i'd": "you'd", "am": "are",
    "my": "your", "mine": "yours", "me": "you", "myself": "yourself", "we": "you", "we're": "you're", "we've": "you've",
    "our": "your", "ours": "yours", "us": "you",
}  # fmt: skip
FIRST_PERSON_I = frozenset({"i", "i'm", "i've", "i'll", "i'd"})
SECOND_PERSON_WORD = re.compile(
    r"(?<![\w'’])(?:" + "|".join(sorted(SECOND_PERSON, key=len, reverse=True)) + r")(?![\w'’])", re.I
)

UNKNOWN = (
    "I don't know: you haven't told me {what}.",
    "You haven't told me {what}, so I don't know.",
    "That isn't in my memory; you haven't told me {what}.",
)
GREETING = (
    "I'm here. Tell me things and I'll remember them, or ask me about what you have told me.",
    "I'm a small model with a large memory: tell me something to keep, or ask about what you told me before.",
    "Small talk isn't my strength; remembering is. Tell me something, or ask about what you've told me.",
)
BEYOND = (  # to "how are you?" as well as to "what is the capital of Peru?": the model cannot tell these apart
    "I keep what you tell me and find it again; beyond that I don't know. For more, see memagent models list.",
    "Remembering is what I am for; I don't know other things. A larger chat model may: see memagent models list.",
)
NO_FACT = (
    "I kept that word for word and can find it again, though I couldn't make a fact of it.",
    "I've kept your words as they are; I can find them again when you ask.",
)


def choose(options: Sequence[str], key: str) -> str:
    """One of the options, always the same for the same key."""
    return options[zlib.crc32(key.encode()) % len(options)]


def stream(reply: str) -> Iterator[str]:
    """A reply word by word."""
    for match in PIECE.finditer(reply):
        yield match.group()


def joined(items: Sequence[str]) -> str:
    """ "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def stored(results: Sequence[ToolResult], sentence: str) -> str:
    """After writes: what is now remembered, in the person's words where it is simply new, and what it replaced."""
    if not results:
        return choose(NO_FACT, sentence)
    if all(result.ok and result.content.get("action") == "added" for result in results):
        when = [f" ({result.content['when']})" for result in results if result.content.get("when")][:1]
        said = your_words(sentence).rstrip(" .!,;")
        return choose(("Noted: {}{}.", "Got it: {}{}.", "I'll remember: {}{}."), sentence).format(said, *when or [""])
    return choose(("Noted: {}.", "Got it: {}.", "I'll remember: {}."), sentence).format(
        "; ".join(_stored_one(result) for result in results)
    )


def refused(result: ToolResult) -> str:
    """After a call that the memory mode, or the person, did not let through."""
    why = str(result.content["refused"])
    if result.name in ("memory_search", "sql_query"):
        return f"I can't look that up: {why}."
    return f"I have changed nothing in memory: {why}."


def your_words(sentence: str) -> str:
    """What the person said, said back to them: "my sister" becomes "your sister"."""

    def turned(match: re.Match[str]) -> str:
        word = match.group()
        other = SECOND_PERSON[word.casefold()]
        return other.capitalize() if word[0].isupper() and word.casefold() not in FIRST_PERSON_I else other

    return SECOND_PERSON_WORD.sub(turned, sentence)


def _stored_one(result: ToolResult) -> str:
    if not result.ok:
        return f"I could not store that ({result.content.get('error', 'unknown error')})"
    content = result.content
    if "action" not in content:  # cut to fit the window
        return result.words.partition(" · ")[0]
    subject = str(content["subject"])
    about = f"{'your' if subject == USER else f'{subject},'} {content['attribute']}: {content['value']}"
    if content.get("when"):
        about += f" ({content['when']})"
    if content["action"] == "superseded" and content.get("before"):
        return f"{about}, no longer {content['before']}"
    if content["action"] == "ended":
        return f"{'' if subject == USER else f'{subject}: '}no longer {content['value']}"
    if content["action"] == "repeated":
        return f"{about} (you had told me)"
    if content.get("also"):
        return f"{about} (beside {joined([str(value) for value in content['also']])})"
    return about


def answered(found: Found, key: str) -> str:
    """The reply to a question, from what the evidence says."""
    if found.kind == "nothing":
        return unknown(found, key)
    best = found.best
    told = f"you told me on {best.evidence.date}"
    if found.kind in ("values", "sum", "difference"):
        return f"{_capital(joined([candidate.words for candidate in found.candidates]))}."
    if found.kind == "count":
        words = [candidate.words for candidate in found.candidates]
        return f"{len(words)}: {joined(words)}."
    if found.kind == "yes":
        return f"Yes, {best.words}; {told}."
    if found.kind == "no":
        return f"No, {best.words}; {told}."
    if found.kind == "when":
        return _when(best)
    if found.kind == "previous":
        return f"Before that it was {best.words}; {told}."
    if found.kind == "why":
        return f"Because {told}: “{best.evidence.text}”"
    if TWO_ASKED.search(key) and found.rival is None and len(best.evidence.text) <= LONGEST_SAID:
        return f"{_capital(your_words(best.evidence.text.rstrip(' .')))} ({told})."
    value = _capital(_with_place(best, key)) + _meaning(best)
    said = choose(("{value}; {told}.", "{value} ({told})."), key).format(value=value, told=told)
    return said if found.rival is None else f"{said} Or {found.rival.words}: you told me both."


def reckoned(found: Found, result: ToolResult, unit: str) -> str:
    """A sum or difference of what was told, with the amounts that it is made of."""
    value = f"{result.content['value']} {unit}".strip()
    return f"{value} ({joined([candidate.words for candidate in found.candidates])}, as you told me)."


def counted(found: Found, result: ToolResult, day: str) -> str:
    """The time until or since a day that was told, with that day."""
    return f"{_capital(str(result.content['value']))} ({day}; you told me on {found.best.evidence.date})."


def _meaning(best: Candidate) -> str:
    """The date behind a relative time in the answer ("ten days"), in brackets."""
    for time in best.evidence.hit.get("times") or ():
        within = time["text"].casefold() in best.words.casefold() or (
            time["start"] < best.end and time["end"] > best.start
        )
        if within and time["means"].casefold() not in best.words.casefold():
            return f" ({time['means']})"
    return ""


def _when(best: Candidate) -> str:
    """The date that the hit's words name, resolved by code; else the day it was told."""
    times = best.evidence.hit.get("times") or ()
    inside = [time for time in times if time["start"] < best.end and time["end"] > best.start]
    chosen = (inside or list(times))[:1]
    told = best.evidence.date
    if chosen:
        means, words = chosen[0]["means"], chosen[0]["text"]
        if words.casefold() in means.casefold() or means.casefold() in words.casefold():
            return f"{_capital(means)}; you told me on {told}."
        return f"{_capital(means)} (“{words}”, told on {told})."
    if fits("what time?", best.words) or RECURRING.search(best.words) or best.score >= SURELY_SAID:
        return f"{_capital(_with_preposition(best))}; you told me on {told}."
    return f"You didn't say when, but you told me on {told}."


def _with_place(best: Candidate, question: str) -> str:
    """ "The farm shop at Dunning" for a question that asks where, of which "the farm shop" was read."""
    at = best.evidence.text.find(best.words)
    behind = PLACE_BEHIND.match(best.evidence.text, at + len(best.words)) if at >= 0 else None
    return best.words + behind.group() if behind and WHERE.search(question) else best.words


def _with_preposition(best: Candidate) -> str:
    """ "At 4" for what was told as "they close at 4"."""
    found = re.search(rf"\b(?:{BEFORE_TIMES}) {re.escape(best.words)}(?!\w)", best.evidence.text, re.IGNORECASE)
    return found.group() if found else best.words


def unknown(found: Found, key: str) -> str:
    """That memory does not say, naming whom the question was about."""
    what = "that" if found.asked in ("", USER) else f"that about {found.asked}"
    return choose(UNKNOWN, key).format(what=what)


def erased(results: Sequence[ToolResult], key: str) -> str:
    """After a request to forget; never repeats what was erased."""
    gone = [result for result in results if result.ok]
    if not gone:
        return "I found nothing like that in memory, so there is nothing to forget."
    if len(gone) == 1:
        return choose(("Forgotten, with its history.", "Done, I've forgotten that for good."), key)
    return f"Done, I've forgotten {len(gone)} things for good."


def calculated(result: ToolResult) -> str:
    """The value, or why there is none."""
    if result.ok:
        return f"{_capital(str(result.content['value']))}."
    reason = result.content.get("error")  # none where the result was cut to fit the window
    return f"I can't calculate that: {reason}." if reason else "I can't calculate that."


def talked(key: str) -> str:
    """A short honest word on what this model is for; to a question, how to get an answer from another."""
    return choose(BEYOND if key.rstrip().endswith("?") else GREETING, key)


def _capital(text: str) -> str:
    """First letter upper case where the first word is plain lower-case letters; codes and names stay as they are."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text
