"""Questions that lean on what was said before: "and Felix?", "how old is he?", "and what is it now?"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from memagent.models.evidence import content_words
from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import SURE_SLOT, Understood

FOLLOW_UP_WORDS = 4
LEANING_WORDS = 6
LOOKED_BACK = 4  # messages in which whom a pronoun means is looked for
# A question with its own question word asks for itself, unless that is "what about".
WHOLE = re.compile(r"\b(?:who|what|where|when|which|why|how)(?:'?s)?\b(?! about\b)", re.IGNORECASE)
PRONOUN = re.compile(  # "it" is nobody in "what day was it we met?"
    r"\b(?:she|he|her|his|him|(?<!\bwho was )(?<!\bwho is )it(?! (?:that|i|we|he|she|they|you|to)\b)|its|they|them"
    r"|their)\b",
    re.IGNORECASE,
)
POSSESSIVES = frozenset({"her", "his", "its", "their"})
LEADS = frozenset("and what about how or for but then also so ok oh with in at on to of anything".split())  # noqa: SIM905


class FollowUps:
    """Completes questions; `understand` reads a message, alone or in the context of the one before it."""

    def __init__(self, understand: Callable[[str, str], Understood]) -> None:
        self._understand = understand

    def named(self, sentence: str, before: Sequence[str]) -> str:
        """A question or request with its pronoun put back: "where did she live?" after "where does my sister live?".

        `before` are the person's earlier messages, newest first: "what breed is he?" and then "how old is he?" mean
        whom the question before both named.
        """
        pronoun = PRONOUN.search(sentence)
        if pronoun is None or not before:
            return sentence
        alone = self._understand(sentence, "")
        own = alone.subject  # "her" in "forget what the wife wants for her birthday" is the wife
        named = own is not None and not PRONOUN.search(own.words) and own.span[1] <= pronoun.start()
        if named or alone.act not in ("ask", "forget"):
            return sentence
        name = self._meant(sentence, before[:LOOKED_BACK])
        if not name:
            return sentence
        possessive = pronoun.group().casefold() in POSSESSIVES and sentence[pronoun.end() : pronoun.end() + 1] == " "
        words = f"{name}'s" if possessive else name
        return sentence[: pronoun.start()] + words + sentence[pronoun.end() :]

    def _meant(self, sentence: str, before: Sequence[str]) -> str:
        for context in before:
            inside = self._understand(sentence, context).subject
            if inside is not None and inside.source == "context" and not PRONOUN.search(inside.words):
                return inside.words
            own = self._understand(context, "").subject
            if own is not None and not PRONOUN.search(own.words):
                return own.words
            if not PRONOUN.search(context):
                return ""
        return ""

    def whole(self, sentence: str, understood: Understood, context: str) -> str:
        """A follow-up ("and Felix?") as the question that it means: the one before, about the new subject."""
        subject = understood.subject
        if not context or subject is None or subject.source != "text" or len(sentence.split()) > FOLLOW_UP_WORDS:
            return sentence
        rest = sentence[: subject.span[0]] + " " + sentence[subject.span[1] :]
        if WHOLE.search(sentence) or not content_words(rest) <= LEADS:
            return sentence
        before = self._understand(context, "")
        if before.act != "ask" or before.subject is None or before.subject.source != "text":
            return sentence
        start, end = before.subject.span
        return context[:start] + subject.words + context[end:]

    def at_another_time(self, sentence: str, context: str, times: Sequence[str]) -> str | None:
        """ "And tomorrow?" after "what have I got on today?": that question, about the other time; None for any other.

        `times` are the words that name a time in both.
        """
        own = next((words for words in times if words in sentence), None)
        if own is None or not context or not content_words(sentence.replace(own, " ", 1)) <= LEADS:
            return None
        if self._understand(context, "").act != "ask":
            return None
        theirs = next((words for words in times if words in context and words not in sentence), None)
        return context.replace(theirs, own, 1) if theirs is not None else f"{context.rstrip(' ?')} {own}?"

    def leans(self, sentence: str, context: str) -> bool:
        """Whether a question names nothing itself and follows another: "and what is it now?"."""
        alone = self._understand(sentence, "")
        unclear = alone.slot == OTHER_SLOT or alone.slot_probability < SURE_SLOT
        short = len(sentence.split()) <= LEANING_WORDS
        asked = bool(context) and self._understand(context, "").act == "ask"
        return asked and unclear and short and alone.subject is None
