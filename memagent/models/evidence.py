"""A hit of `memory_search`, as the specialists read it, and what it means to be about the same subject."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memagent.models.sentences import bare, split_sentences

USER = "user"
DETERMINERS = frozenset("my our your his her their its the a an this that".split())  # noqa: SIM905
WORD = re.compile(r"[^\W_]+")
PLURAL = re.compile(r"(?<=\w\w)(?<![siu])s$")  # not of "boss", "Paris" and "bus"


@dataclass(frozen=True)
class Evidence:
    """One hit. `hit` is the dictionary that the tool returned."""

    hit: Mapping[str, Any]

    @property
    def number(self) -> int:
        return int(self.hit["id"])

    @property
    def is_fact(self) -> bool:
        return bool(self.hit["kind"] == "fact")

    @property
    def text(self) -> str:
        return str(self.hit["text"])

    @property
    def subject(self) -> str:
        return str(self.hit.get("subject", ""))

    @property
    def attribute(self) -> str:
        return str(self.hit.get("attribute", ""))

    @property
    def value(self) -> str:
        return str(self.hit.get("value", ""))

    @property
    def kind(self) -> str:
        """Of a fact: `fact`, `preference`, `plan` and so on."""
        return str(self.hit.get("fact", ""))

    @property
    def current(self) -> bool:
        return bool(self.hit.get("current", True))

    @property
    def ended(self) -> bool:
        """Whether a fact holds no more and nothing took its place."""
        return bool(self.hit.get("ended", False))

    @property
    def single(self) -> bool:
        """Whether its slot holds one current value."""
        return bool(self.hit.get("single", True))

    @property
    def told(self) -> bool:
        """Whether the person (or somebody they quote or import) said it; the program's own replies are no evidence."""
        return self.hit.get("speaker") != "assistant"

    @property
    def outdated(self) -> bool:
        return bool(self.hit.get("outdated", False))

    @property
    def replaced(self) -> tuple[str, ...]:
        """Values that its words name though something else holds now."""
        return tuple(self.hit.get("replaced", ()))

    @property
    def score(self) -> float:
        return float(self.hit["score"])

    @property
    def said_at(self) -> str:
        return str(self.hit["said_at"])

    @property
    def times(self) -> tuple[Mapping[str, Any], ...]:
        """What its words name of time: `text`, `since`, `until` (ISO 8601 with offset) and more."""
        return tuple(self.hit.get("times", ()))

    @property
    def date(self) -> str:
        return str(self.hit["date"])

    @property
    def window(self) -> str:
        """What the reader reads: the words, with the subject in front where they do not name it."""
        if not self.is_fact or self.subject in ("", USER) or content_words(self.subject) <= content_words(self.text):
            return self.text
        return f"{self.subject}: {self.text}"


def told_elsewhere(evidence: Sequence[Evidence], text: str) -> Sequence[Evidence]:
    """Without what a message tells itself, which answers its own question only where nothing else is known."""
    own = {bare(sentence) for sentence in split_sentences(text)}
    return [item for item in evidence if bare(item.text) not in own] or evidence


def names_subject(sentence: str, recalled: Sequence[Evidence]) -> bool:
    """Whether a sentence names somebody or something of whom memory holds a fact."""
    said = content_words(sentence)
    subjects = [content_words(item.subject) for item in recalled if item.is_fact and item.subject != USER]
    return any(subject and subject <= said for subject in subjects)


def bridged(link: str, target: str) -> str:
    """One window of two messages: who somebody is, then what was said of them. It ends with the second."""
    return f"{link.rstrip(' .!')}. {target}"


def content_words(text: str) -> frozenset[str]:
    """The words that identify a subject: lower case, without determiners, a possessive's "s" and a plural's.

    The apostrophe is often left out: "Lubos number" is Lubo's.
    """
    words = (word.casefold() for word in WORD.findall(text.replace("'s", "").replace("’s", "")))
    return frozenset(PLURAL.sub("", word) for word in words if word not in DETERMINERS)


def plain_subject(words: str) -> str:
    """ "my sister Ana" as it is stored: "sister Ana"; "user" for nobody else."""
    kept = words.split()
    while kept and kept[0].casefold() in DETERMINERS:
        kept = kept[1:]
    return " ".join(kept) or USER


def same_subject(left: str, right: str, aliases: Mapping[str, str] | None = None) -> bool:
    """Whether two subjects may be the same: both the person, or sharing a naming word, directly or by an alias."""
    if USER in (left, right):
        return left == right
    ours, theirs = content_words(left), content_words(right)
    for word in list(ours):
        ours |= content_words((aliases or {}).get(word, ""))
    return bool(ours & theirs)
