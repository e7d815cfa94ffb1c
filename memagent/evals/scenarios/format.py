"""What a scenario is, once it has been read; `reading` makes it from YAML and `docs/scenarios.md` describes the format.

Moments are timezone-aware; a date without a zone is UTC, so that a run reads the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

Cell = None | int | float | str

FIRST_DAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday: where a scenario without any date begins
BETWEEN = timedelta(days=1)  # sessions of which the date is not given


@dataclass(frozen=True)
class SqlCheck:
    """A query of the person's kind, and the rows that it must give, in order, or how many."""

    query: str
    rows: tuple[tuple[Cell, ...], ...] | int


@dataclass(frozen=True)
class Checks:
    """What must be true after a turn; None and empty tuples check nothing."""

    expect: tuple[str, ...] = ()  # all must occur in the reply
    expect_any: tuple[str, ...] = ()  # one must
    reject: tuple[str, ...] = ()  # none may
    abstain: bool | None = None  # whether the reply must decline to know
    stores: int | None = None  # facts written in this turn
    sql: SqlCheck | None = None

    def __bool__(self) -> bool:
        return self != Checks()

    @property
    def wanted(self) -> tuple[tuple[str, ...], ...]:
        """What the reply must contain: one of each of these."""
        each = tuple((word,) for word in self.expect)
        return (*each, self.expect_any) if self.expect_any else each

    def in_words(self) -> tuple[str, ...]:
        """What is expected, for a person."""
        words = [" or ".join(choice) for choice in self.wanted]
        words += [f"not {word}" for word in self.reject]
        if self.abstain is not None:
            words.append("to decline" if self.abstain else "not to decline")
        if self.stores is not None:
            words.append(f"{self.stores} fact{'' if self.stores == 1 else 's'} stored")
        if self.sql is not None:
            rows = self.sql.rows
            found = f"{rows} rows" if isinstance(rows, int) else str([list(row) for row in rows])
            words.append(f"{found} from {self.sql.query}")
        return tuple(words)


@dataclass(frozen=True)
class Document:
    """A text that is ingested, as `documents` are: searched, but no fact by itself."""

    title: str
    text: str


@dataclass(frozen=True)
class Step:
    """One turn: something said, with checks on what came of it; or small talk; or a document that is ingested."""

    say: str = ""
    filler_tokens: int = 0
    filler_windows: float = 0.0  # of the model's context window
    document: Document | None = None
    checks: Checks = Checks()

    def filler(self, context_tokens: int) -> int:
        """Tokens of small talk, for a model with such a window."""
        return self.filler_tokens + round(self.filler_windows * context_tokens)


@dataclass(frozen=True)
class Sitting:
    """One session: a process that plays its turns, then ends or is killed. `line` is that of its file."""

    steps: tuple[Step, ...]
    date: datetime | None = None
    killed: bool = False
    line: int = 0


@dataclass(frozen=True)
class Scenario:
    """Sessions that share one store. `suite` and `file` say where it is from."""

    id: str
    tags: tuple[str, ...]
    sittings: tuple[Sitting, ...]
    suite: str = ""
    file: str = ""
    line: int = 0


def starts(sittings: Sequence[Sitting]) -> list[datetime]:
    """When each session begins.

    One without a date is a day after the one before, or a day before the first that has a date; where less than two
    days lie between its neighbours, it is in the middle of them.
    """
    dated = [index for index, sitting in enumerate(sittings) if sitting.date is not None]
    first = dated[0] if dated else 0
    base = sittings[first].date or FIRST_DAY
    moments = [base - BETWEEN * (first - index) for index in range(first)]
    for index in range(first, len(sittings)):
        given = sittings[index].date
        if given is None and index:
            given = moments[-1] + min(BETWEEN, _gap(sittings, index, moments[-1]))
        moments.append(given or base)
    return moments


def _gap(sittings: Sequence[Sitting], index: int, before: datetime) -> timedelta:
    """The time to the next session with a date, shared out among those without one; a day where there is none."""
    for offset, sitting in enumerate(sittings[index:]):
        if sitting.date is not None:
            return max(timedelta(0), (sitting.date - before) / (offset + 1))
    return BETWEEN
