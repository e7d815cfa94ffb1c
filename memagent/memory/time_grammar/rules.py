"""What every rule of the grammar gets, and how a rule is written down."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

from memagent.memory.time_grammar.spans import DAY, Piece, Precision, midnight
from memagent.memory.time_grammar.tense import Direction, Tense
from memagent.memory.time_grammar.words import GOES_ON

_GOES_ON = re.compile(GOES_ON, re.IGNORECASE)
RECENT = 45 * DAY  # how far back a date without a year, and without a hint, is still taken to be past


@dataclass(frozen=True)
class Context:
    """One text and the moment it is read at. `now` is naive, in the person's timezone."""

    text: str
    now: datetime
    day_first: bool
    zone: tzinfo = UTC

    @cached_property
    def today(self) -> datetime:
        return midnight(self.now)

    @cached_property
    def tense(self) -> Tense:
        return Tense(self.text)

    def direction(self, match: re.Match[str]) -> Direction | None:
        return self.tense.direction(match.start(), match.end())

    def before(self, match: re.Match[str]) -> str:
        """The few words in front of the match."""
        return self.text[max(0, match.start() - 30) : match.start()]

    def goes_on(self, match: re.Match[str]) -> bool:
        """Whether the sentence goes on, or ends, after the match, with no noun that would make it an adjective."""
        return _GOES_ON.match(self.text, match.end()) is not None

    def after(self, elapsed: timedelta) -> datetime:
        """Local wall-clock time when `elapsed` has really passed, whatever the clocks do in between."""
        moment = self.now.replace(tzinfo=self.zone).astimezone(UTC) + elapsed
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def choose(self, candidates: list[datetime], direction: Direction | None) -> datetime:
        """Of repeats in ascending order: the latest up to now for past, the earliest from now on for future.

        Without a hint it is the coming one, unless one has passed within `RECENT` and the next is further off.
        """
        past = [day for day in candidates if day <= self.today]
        coming = [day for day in candidates if day >= self.today]
        if direction == "past" and past:
            return past[-1]
        if direction == "future" or not past:
            return coming[0]
        recent = self.today - past[-1]
        return past[-1] if recent <= RECENT and (not coming or recent < coming[0] - self.today) else coming[0]


Build = Callable[[Context, "re.Match[str]"], "Piece | None"]


@dataclass(frozen=True)
class Rule:
    """A pattern and what its match means; `build` returns None, or raises ValueError, where it means nothing."""

    pattern: re.Pattern[str]
    build: Build


def rule(rules: list[Rule], pattern: str) -> Callable[[Build], Build]:
    """Adds the decorated function to `rules`."""

    def add(build: Build) -> Build:
        rules.append(Rule(re.compile(pattern, re.IGNORECASE), build))
        return build

    return add


def piece(match: re.Match[str], since: datetime, until: datetime, precision: Precision, repeats: str = "") -> Piece:
    """A piece over the whole match."""
    return Piece(match.start(), match.end(), since, until, precision, repeats)
