"""Things of one kind that are not each other: what was told of the roof says nothing about the boiler.

Words of a kind lie near each other for a small model. `bundled/kinds.txt` has such kinds, written by hand: one a line,
its members between bars, other names of the same member between slashes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from memagent.models.encoder import BUNDLED
from memagent.models.evidence import DETERMINERS, PLURAL, WORD

KINDS = BUNDLED / "kinds.txt"
LONGEST_NAME = 3  # words
NEAR = 3  # words before a name in which a determiner says that a thing is asked about
ASKED_WITH = DETERMINERS | frozenset("which what whose many much of s".split())  # noqa: SIM905

# A niece is called "my sister's girl", a mother-in-law "his mum".
IN_OTHER_WORDS = re.compile(
    r"\b(?:niece|nephew|cousin|uncle|aunt|auntie|grand(?:son|daughter|child)|\w+[ -]in[ -]law)s?\b", re.I
)
OF_RELATIVES = re.compile(r"\b(?:his|her|their) \w+|\w['’]s \w+", re.I)

RELATIVES = (("brother",), ("wife",))

Member = tuple[int, int]  # kind, place in it


@lru_cache(maxsize=1)
def load_kinds() -> Mapping[tuple[str, ...], frozenset[Member]]:
    """By the words of a name what it may mean."""
    found: dict[tuple[str, ...], set[Member]] = {}
    for kind, line in enumerate(KINDS.read_text(encoding="utf-8").splitlines()):
        for place, member in enumerate(line.split("|")):
            for name in member.split("/"):
                found.setdefault(tuple(_words(name)), set()).add((kind, place))
    found.pop((), None)
    return {name: frozenset(members) for name, members in found.items()}


def of_another_relative(question: str, told: str) -> bool:
    """Whether that thing is a relative: nobody is both a mother and a father."""
    return of_another_thing(question, told, among=_relatives())


@lru_cache(maxsize=1)
def _relatives() -> frozenset[int]:
    """The kinds of relatives."""
    return frozenset(kind for name in RELATIVES for kind, _ in load_kinds()[name])


def of_another_thing(question: str, told: str, among: Collection[int] | None = None) -> bool:
    """Whether a question is about something that the words do not name, and they name another of its kind instead;
    only of the kinds `among` these, where some are given.
    """
    if IN_OTHER_WORDS.search(question) and OF_RELATIVES.search(told):
        return False
    asked, known = list(_named(question, asked=True)), list(_named(told))
    named = frozenset[Member]().union(*known)
    wanted = frozenset[Member]().union(*_named(question))
    instead = {kind for kind, place in named if (kind, place) not in wanted}
    instead = instead if among is None else instead & set(among)
    return any(not members & named and any(kind in instead for kind, _ in members) for members in asked)


def _named(text: str, *, asked: bool = False) -> Iterator[frozenset[Member]]:
    """What each of its names may mean, longer names first; of those that are `asked` about, behind a determiner."""
    kinds, words = load_kinds(), _words(text)
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_NAME, len(words) - at), 0, -1):
            members = kinds.get(tuple(words[at : at + length]))
            if members is not None:
                if not asked or ASKED_WITH & set(words[max(0, at - NEAR) : at]):
                    yield members
                at += length
                break
        else:
            at += 1


def _words(text: str) -> list[str]:
    return [PLURAL.sub("", word.casefold()) for word in WORD.findall(text)]
