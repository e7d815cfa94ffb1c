"""Whom and what a question is about: its subject, other names of that, and the names that an answer must know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from memagent.models.evidence import USER, WORD, Evidence, content_words, plain_subject
from memagent.models.judging import Question
from memagent.models.shapes import DAYS
from memagent.models.understanding import SURE_SLOT, Understood

OF_ITS_TIME = frozenset("old new previous former last earlier first original current next other".split())  # noqa: SIM905
NAME = r"[A-ZÀ-Þ][^\W\d_]*[a-zß-ÿ][^\W\d_]*"
NAMES = re.compile(rf"\b{NAME}(?:[’'-]?\s?{NAME})*(?:['’]s)?")
SAME_PLACE = re.compile(r"\s*(?:,|&|\band\b|\bor\b)\s*")  # between names of which a hit may have either
SENTENCE_START = re.compile(r"(?:^|[.!?:]\s+)[^\w]*$")
OF_THE_CALENDAR = frozenset(day.casefold() for day in DAYS)


RELATIVES = (
    "mum|mother|mom|dad|father|brother|sister|wife|husband|partner|son|daughter|boyfriend|girlfriend|nan|gran|grandad"
    "|cousin|uncle|aunt|auntie|nephew|niece|boss|neighbour|flatmate|mate|friend"
)
OF_A_RELATIVE = re.compile(
    rf"\b(?:my|our) ({RELATIVES})['’]s (?!name)|\b(?:does|do|did|has|is|was|can) (?:my|our) ({RELATIVES})\b(?!-in)",
    re.I,
)
# Somebody else is meant, or the person with others: what is told of them may be told of the relative.
OTHERS = re.compile(rf"\b(?:he|she|they|him|her|his|hers|them|their|we|our|us|{RELATIVES}|both)(?:['’]?s)?\b", re.I)


def subject_of(understood: Understood) -> str:
    """Whom a question is about, in plain words; "the previous bank" of the slot "bank" is the person's."""
    if understood.subject is None:
        return USER
    subject = plain_subject(understood.subject.words)
    slot = content_words(understood.slot) if understood.slot_probability >= SURE_SLOT else frozenset[str]()
    words = content_words(subject)
    return USER if words & OF_ITS_TIME and words <= slot | OF_ITS_TIME else subject


def alias_names(understood: Understood, evidence: Sequence[Evidence]) -> dict[str, str]:
    """Other names of the question's subject by its words: told "my sister is Ana", "sister" is also called "Ana"."""
    aliases: dict[str, str] = {}
    wanted = content_words(understood.subject.words) if understood.subject is not None else frozenset[str]()
    for item in evidence:
        if not item.is_fact or not item.current or item.subject != USER:
            continue
        name = content_words(item.value)
        relation = content_words(item.attribute) | (wanted & content_words(item.text) - name)
        if len(name) <= 3 and wanted & relation:
            for word in wanted & relation:
                aliases.setdefault(word, item.value)
        elif wanted & name and len(content_words(item.attribute)) <= 2:
            for word in wanted & name:
                aliases.setdefault(word, item.attribute)
    return aliases


def of_another(asked: Question, item: Evidence, together: Sequence[Evidence] = ()) -> bool:
    """Whether the question is about somebody by name, or about the person and something by name, and the hit names
    nobody and nothing like that; nor do the subjects of the facts that were told `together`: "her boiler" is hers.

    Of names side by side ("Beatriz and Howard") one is enough. A capital at the beginning of a sentence, or among
    capitals, makes no name, and days and months are no names either.
    """
    known = _words(item.window).union(*(_words(fact.subject) for fact in together))
    return any(not _with_aliases(names, asked.aliases) & known for names in _named(asked))


def of_somebody_else(asked: Question, item: Evidence) -> bool:
    """Whether the question is about something of a relative, and the hit is a fact about the person that names nobody:
    "what car does my wife drive?" of "I drive a Yaris".
    """
    relative = OF_A_RELATIVE.search(asked.understood.text)
    if relative is None or not item.is_fact or item.subject != USER or OTHERS.search(item.text):
        return False
    known = {
        frozenset([(relative[1] or relative[2]).casefold()]),
        *(content_words(name) for name in asked.aliases.values()),
    }
    return not any(names & _words(item.window) for names in known)


def with_names(question: str, evidence: Sequence[Evidence]) -> str:
    """With a capital where the memory knows a word as a name only: "how old is maisie?" where Maisie was told of."""
    named = {word for item in evidence for text in (item.text, f"of {item.subject}") for word in _each_name(text)}
    names = named - {word for item in evidence for word in WORD.findall(item.text) if word.islower()}
    return WORD.sub(lambda word: word[0].capitalize() if word[0] in names else word[0], question)


def _each_name(text: str) -> Iterator[str]:
    for words in _names(text):
        yield from words


def _named(asked: Question) -> list[frozenset[str]]:
    question = asked.understood.text
    if asked.about == USER:
        return list(_names(question))
    if asked.about not in question:  # named in the message before
        return list(_names(f"of {asked.about}"))
    return [names for names in _names(question) if names & content_words(asked.about.split()[-1])]


def _names(text: str) -> Iterator[frozenset[str]]:
    """The words of every name, names side by side together."""
    together: frozenset[str] = frozenset()
    end = 0
    if text.istitle():
        return
    for match in NAMES.finditer(text):
        words = _words(match.group()) - OF_THE_CALENDAR
        if not words or SENTENCE_START.search(text[: match.start()]):
            continue
        if together and SAME_PLACE.fullmatch(text[end : match.start()]):
            together |= words
        else:
            if together:
                yield together
            together = words
        end = match.end()
    if together:
        yield together


def _words(text: str) -> frozenset[str]:
    """Its words, those with a hyphen also in one: "Wi-Fi" is "wifi"."""
    return content_words(text) | content_words(text.replace("-", ""))


def _with_aliases(words: frozenset[str], aliases: Mapping[str, str]) -> frozenset[str]:
    return words.union(*(content_words(aliases.get(word, "")) for word in words))
