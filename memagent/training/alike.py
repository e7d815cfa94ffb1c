"""Near misses and rewordings of hand-written questions: a word becomes another of its kind, or one for the same.

*Read* took a vet for a groomer and a savings account for a credit card: what tells words of a kind apart is not in a
few thousand lines. A bank of words, written by hand, says for each what people have beside it and its other names.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from memagent.errors import InputError
from memagent.models.evidence import content_words
from memagent.training.compose import Span
from memagent.training.noise import Edits
from memagent.training.reading import Group, Window

BANK = Path(__file__).parent / "packs" / "alike.jsonl"
EVERYWHERE = 0.3  # of the families have a word of the question exchanged in all their texts
SAME = 0.2  # of the questions, and of the windows, have a word that means the same
MISSED = 0.35  # of the answered questions have a near miss beside them
OWNED = 0.2  # of those are about somebody else's
OWNERS = tuple(
    "brother sister mum dad wife husband son daughter aunt uncle cousin boss neighbour flatmate friend gran".split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_MINE = re.compile(r"\bmy (?=([a-z]{3,})\b(?!['’]))")
_THEIRS = re.compile(r"\bmy (?:[a-z]+ )?[a-z]+['’]s (?=[a-z]{3,})")


@dataclass(frozen=True)
class Likes:
    """What may stand in place of a word: `other` asks for something else, `same` for the same."""

    other: tuple[str, ...] = ()
    same: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def load_bank() -> Mapping[str, Likes]:
    """By word or phrase in lower case. What has no line of its own has the words in whose lines it stands.

    Raises InputError for a line of another form.
    """
    bank: dict[str, Likes] = {}
    for number, line in enumerate(BANK.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            bank[str(entry["word"])] = Likes(tuple(map(str, entry["other"])), tuple(map(str, entry["same"])))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{BANK.name}, line {number}: {error}", "a line has a word, what is other and what is the same"
            ) from error
    turned: dict[str, tuple[set[str], set[str]]] = {}
    for word, likes in bank.items():
        for words, at in ((likes.other, 0), (likes.same, 1)):
            for one in words:
                turned.setdefault(one.casefold(), (set(), set()))[at].add(word)
    for word, (other, same) in sorted(turned.items()):
        bank.setdefault(word, Likes(tuple(sorted(other)), tuple(sorted(same))))
    return bank


class NearMisses:
    """Draws variations of families of groups: those with the same windows."""

    def __init__(self, bank: Mapping[str, Likes], rng: random.Random) -> None:
        self._bank, self._rng = bank, rng

    def family(self, groups: Sequence[Group]) -> list[Group]:
        """The groups with words exchanged, and near misses of some beside them, which nothing answers."""
        if self._rng.random() < EVERYWHERE:
            groups = self._everywhere(groups)
        near = [missed for group in groups if self._rng.random() < MISSED for missed in self._missed(group)]
        return [*(self._reworded(group) for group in groups), *near]

    def _everywhere(self, groups: Sequence[Group]) -> list[Group]:
        """One word that a question and a window share becomes another of its kind, in all texts alike."""
        windows = [window.text for window in groups[0].windows]
        told = {word for text in windows for word in self._known(text)}
        shared = sorted({word for group in groups for word in self._known(group.question)} & told)
        for word in self._rng.sample(shared, min(len(shared), 3)):
            new = self._other(word, windows)
            if new is not None:
                return [_exchanged(group, word, new) for group in groups]
        return list(groups)

    def _missed(self, group: Group) -> Iterator[Group]:
        """The question about another thing of the kind, or about somebody else's; only of one that is answered."""
        if all(window.answer is None for window in group.windows):
            return
        silent = tuple(Window(window.text) for window in group.windows)
        told = [window.text for window in group.windows]
        if self._rng.random() < OWNED:
            question = self._of_somebody_else(group.question, told)
            if question is not None:
                yield Group(question, silent)
                return
        known = self._known(group.question)
        for word in self._rng.sample(known, len(known)):
            new = self._other(word, told)
            if new is not None:
                yield Group(_put(group.question, word, new)[0], silent)
                return

    def _of_somebody_else(self, question: str, told: Sequence[str]) -> str | None:
        """ "my car" becomes "my brother's car", or the other way round."""
        theirs = _THEIRS.search(question)
        if theirs:
            return question[: theirs.start()] + "my " + question[theirs.end() :]
        mine = _MINE.search(question)
        said = frozenset(word for text in told for word in content_words(text))
        owners = [owner for owner in OWNERS if owner not in said]
        if mine is None or mine[1] in OWNERS or not owners:
            return None
        return f"{question[: mine.start()]}my {self._rng.choice(owners)}'s {question[mine.end() :]}"

    def _reworded(self, group: Group) -> Group:
        """With other words for the same in the question, or in windows outside of the answer."""
        question = group.question
        known = [word for word in self._known(question) if self._bank[word].same]
        if known and self._rng.random() < SAME:
            word = self._rng.choice(known)
            question, _ = _put(question, word, self._rng.choice(self._bank[word].same))
        return Group(question, tuple(self._window_reworded(window) for window in group.windows))

    def _window_reworded(self, window: Window) -> Window:
        known = [word for word in self._known(window.text) if self._bank[word].same]
        if not known or self._rng.random() >= SAME:
            return window
        word = self._rng.choice(known)
        text, move = _put(window.text, word, self._rng.choice(self._bank[word].same), window.answer)
        return replace(window, text=text, answer=None if window.answer is None else move(window.answer))

    def _known(self, text: str) -> list[str]:
        """Words and phrases of two words that the bank has; a word of a known phrase is none by itself."""
        words = [match.group().casefold() for match in _WORD.finditer(text)]
        phrases = [f"{one} {two}" for one, two in zip(words, words[1:], strict=False)]
        known = [phrase for phrase in phrases if phrase in self._bank]
        inside = {word for phrase in known for word in phrase.split()}
        return list(dict.fromkeys([*known, *(word for word in words if word in self._bank and word not in inside)]))

    def _other(self, word: str, told: Sequence[str]) -> str | None:
        """Another of the kind that no window names, by this or another name."""
        said = " ".join(" ".join(sorted(content_words(text))) for text in told).split()
        free = [
            other
            for other in self._bank[word].other
            if not any(content_words(name) <= set(said) for name in (other, *self._named(other)))
        ]
        return self._rng.choice(free) if free else None

    def _named(self, word: str) -> tuple[str, ...]:
        return self._bank[word.casefold()].same if word.casefold() in self._bank else ()


def _exchanged(group: Group, word: str, new: str) -> Group:
    windows = []
    for window in group.windows:
        text, move = _put(window.text, word, new)
        windows.append(replace(window, text=text, answer=None if window.answer is None else move(window.answer)))
    return Group(_put(group.question, word, new)[0], tuple(windows))


def _put(text: str, word: str, new: str, kept: Span | None = None) -> tuple[str, Callable[[Span], Span]]:
    """The text with another word, "a" or "an" before it, in the case that the old one had; not where it is `kept`."""
    edits = Edits(text, [kept] if kept else [])
    for match in re.finditer(rf"(?:\b(an?) )?\b({re.escape(word)})\b", text, re.IGNORECASE):
        if match[1]:
            article = "an" if new[0].casefold() in "aeiou" else "a"
            edits.replace(*match.span(1), article.capitalize() if match[1][0].isupper() else article)
        edits.replace(*match.span(2), new[0].upper() + new[1:] if match[2][0].isupper() else new)
    return edits.apply()
