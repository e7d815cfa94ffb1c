"""What a run of scenarios comes to: shares with confidence intervals by tag, time and tokens of a turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memagent.evals.results import Answer
from memagent.evals.statistics import Interval, wilson

ALL = "all"


@dataclass(frozen=True)
class Share:
    """How many of some turns, and of the scenarios that they are in, hold; `interval` is that of the turns' share.

    A scenario holds when all its checked turns do, in every repeat.
    """

    passed: int
    total: int
    scenarios_passed: int
    scenarios: int

    @property
    def rate(self) -> float:
        """Between 0 and 1; 0 where nothing was checked."""
        return self.passed / self.total if self.total else 0.0

    @property
    def interval(self) -> Interval:
        """95 %, Wilson."""
        return wilson(self.passed, self.total)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "passed": self.passed,
            "total": self.total,
            "pass_rate": round(self.rate, 6),
            "interval": [round(self.interval.low, 6), round(self.interval.high, 6)],
            "scenarios": {"passed": self.scenarios_passed, "total": self.scenarios},
        }


def by_tag(answers: Sequence[Answer]) -> dict[str, Share]:
    """The share of all answers and that of each tag, in the order of their first appearance."""
    tags = dict.fromkeys([ALL, *(tag for answer in answers for tag in answer.tags)])
    return {
        tag: _share([answer for answer in answers if tag in answer.tags or index == 0])
        for index, tag in enumerate(tags)
    }


def _share(answers: Sequence[Answer]) -> Share:
    groups: dict[str, bool] = {}
    for answer in answers:
        groups[answer.group] = groups.get(answer.group, True) and answer.passed
    return Share(sum(answer.passed for answer in answers), len(answers), sum(groups.values()), len(groups))


def percentile(values: Sequence[float], share: float) -> float:
    """The value at a share of the sorted values, at or above it; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def to_json(answers: Sequence[Answer], folder: Path, seconds: float) -> dict[str, Any]:
    """The whole run as one JSON-able object; `seconds` is what this part of it took."""
    shares = by_tag(answers)
    times = [answer.milliseconds for answer in answers if not answer.error]
    return {
        "run": str(folder),
        **shares.pop(ALL).to_dict(),
        "by_tag": {tag: share.to_dict() for tag, share in shares.items()},
        "milliseconds": {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95)},
        "tokens": {"prompt": _mean(answers, "prompt_tokens"), "reply": _mean(answers, "reply_tokens")},
        "cpu_seconds": _mean(answers, "cpu_seconds"),
        "seconds": round(seconds, 3),
        "probes": [_probe(answer) for answer in answers],
    }


def _probe(answer: Answer) -> dict[str, Any]:
    return {
        "id": answer.id,
        "scenario": answer.group,
        "repeat": answer.repeat,
        "tags": list(answer.tags),
        "say": answer.question,
        "reply": answer.reply,
        "expected": list(answer.expected),
        "passed": answer.passed,
        "failed": list(answer.failed),
        "error": answer.error,
        "facts_stored": int(answer.scores.get("facts stored", 0)),
        "milliseconds": answer.milliseconds,
        "prompt_tokens": answer.prompt_tokens,
        "reply_tokens": answer.reply_tokens,
        "distance_tokens": answer.distance_tokens,
    }


def _mean(answers: Sequence[Answer], name: str) -> float:
    values = [getattr(answer, name) for answer in answers if not answer.error]
    return round(sum(values) / len(values), 4) if values else 0.0


COLUMNS = ("tag", "turns", "passed", "rate", "95 % interval", "scenarios", "passed ")


def rows(answers: Sequence[Answer]) -> Iterator[tuple[str, ...]]:
    """A row for all and one for each tag, under COLUMNS."""
    for tag, share in by_tag(answers).items():
        yield (
            tag,
            str(share.total),
            str(share.passed),
            f"{100 * share.rate:.1f} %",
            f"{100 * share.interval.low:.1f} - {100 * share.interval.high:.1f}",
            str(share.scenarios),
            str(share.scenarios_passed),
        )


def costs(answers: Sequence[Answer]) -> str:
    """What a turn took, in one line."""
    times = [answer.milliseconds for answer in answers if not answer.error]
    return (
        f"a checked turn: median {percentile(times, 0.5):.0f} ms, p95 {percentile(times, 0.95):.0f} ms, "
        f"{_mean(answers, 'cpu_seconds'):.3f} CPU seconds, {_mean(answers, 'prompt_tokens'):.0f} prompt tokens, "
        f"{_mean(answers, 'reply_tokens'):.0f} reply tokens"
    )


def misses(answers: Sequence[Answer]) -> Iterator[str]:
    """A line for each answer that did not pass."""
    for answer in answers:
        if not answer.passed:
            found = answer.error or repr(answer.reply)
            again = f" in repeat {answer.repeat}" if answer.repeat > 1 else ""
            checks = ", ".join(answer.failed)
            yield f"{answer.id}{again} ({checks}): {answer.question!r} -> {found}; wanted {_wanted(answer.expected)}"


def _wanted(expected: Sequence[str]) -> str:
    return ", ".join(expected) or "a reply"


def unsteady(answers: Sequence[Answer]) -> Mapping[str, int]:
    """The turns that passed in some repeats and not in others, with how often they passed."""
    passed: dict[str, list[bool]] = {}
    for answer in answers:
        passed.setdefault(answer.id, []).append(answer.passed)
    return {name: sum(held) for name, held in passed.items() if any(held) and not all(held)}
