"""Systems on the same questions, in one table: what is found and answered, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memagent.evals.benchmarks.locomo import ADVERSARIAL
from memagent.evals.benchmarks.summary import ANSWERABLE, Table, groups, mean, percentile
from memagent.evals.energy import WATTS
from memagent.evals.reports.runs import Kept, in_common, labels
from memagent.evals.results import Answer, Kind
from memagent.evals.statistics import Interval, bootstrap_mean, wilson

RESAMPLES = 2000
PASSED = "passed"  # a score that every answer has: whether it passed


@dataclass(frozen=True)
class Row:
    """One system. Scores are shares of 0..1, None where the system, or the benchmark, has none.

    `interval` is that of the last score, 95 %. `adds_per_second` counts turns, embedded and indexed; None
    where nothing is, or it was not measured.
    """

    system: str
    questions: int
    scores: Mapping[str, float | None]
    interval: Interval | None
    prompt_tokens: float
    milliseconds: float  # median of a search; of a whole turn in scenarios
    adds_per_second: float | None
    cpu_seconds: float
    joules: float


def columns(kind: Kind, ks: Sequence[int]) -> dict[str, str]:
    """The scores that are shown, by their heading; the last one is of the answers."""
    low, high = min(ks, default=5), max(ks, default=10)
    sessions = "session_" if kind == "longmemeval" else ""
    found = {f"hit@{low}": f"{sessions}hit@{low}", f"R@{low}": f"{sessions}recall@{low}"}
    found[f"R@{high}"] = f"{sessions}recall@{high}"
    if kind == "scenarios":
        return {"pass rate": PASSED}
    return found | ({"F1": "f1"} if kind == "locomo" else {"right": "match"})


def rows(kept: Sequence[Kept], watts: float = WATTS) -> list[Row]:
    """One a run, on the questions that all were asked. Raises InputError without any."""
    same = in_common(kept)
    shown = columns(same[0].run.kind, same[0].run.settings.get("k", ()))
    return [_row(label, one, shown, watts) for label, one in zip(labels(same), same, strict=True)]


def value(answers: Sequence[Answer], score: str) -> float | None:
    """The mean of a score; of `PASSED` the share that passed."""
    if score == PASSED:
        return sum(answer.passed for answer in answers) / len(answers) if answers else None
    return mean(answers, score)


def interval(answers: Sequence[Answer], score: str) -> Interval | None:
    """95 %: Wilson for what passed, bootstrap over questions for a score; None where no answer has it.

    A single value says nothing of how values spread: its interval is everything.
    """
    if score == PASSED:
        return wilson(sum(answer.passed for answer in answers), len(answers)) if answers else None
    values = [answer.scores[score] for answer in answers if score in answer.scores]
    if len(values) == 1:
        return Interval(0.0, 1.0)
    return bootstrap_mean(values, resamples=RESAMPLES) if values else None


def judged(kind: Kind, answers: Sequence[Answer]) -> Sequence[Answer]:
    """What a benchmark's headline is of: LoCoMo's categories 1 to 4, everything of the others."""
    if kind != "locomo":
        return answers
    return groups(kind, answers).get(ANSWERABLE, ())


def _row(label: str, kept: Kept, shown: Mapping[str, str], watts: float) -> Row:
    answers = judged(kept.run.kind, kept.answers)
    every = kept.answers
    scores = {heading: value(answers, score) for heading, score in shown.items()}
    if kept.run.kind == "locomo":
        declined = [answer for answer in every if ADVERSARIAL in answer.tags]
        scores = {**scores, ADVERSARIAL: value(declined, "f1")}
    filled = sum(fill.seconds for fill in kept.fills) if next(iter(scores.values())) is not None else 0.0
    times = [answer.scores.get("search_ms", answer.milliseconds) for answer in every]
    cpu = sum(answer.cpu_seconds for answer in every) / len(every)
    return Row(
        label,
        len(every),
        scores,
        interval(answers, list(shown.values())[-1]),
        sum(answer.prompt_tokens for answer in every) / len(every),
        percentile(times, 0.5),
        sum(fill.turns for fill in kept.fills) / filled if filled else None,
        cpu,
        sum(answer.scores["joules"] for answer in every) / len(every) if _metered(kept) else cpu * watts,
    )


def _metered(kept: Kept) -> bool:
    return all("joules" in answer.scores for answer in kept.answers)


def table(kept: Sequence[Kept], watts: float = WATTS) -> Table:
    """The systems beside each other."""
    made = rows(kept, watts)
    scenarios = kept[0].run.kind == "scenarios"
    costs = ("tokens", "turn ms" if scenarios else "search ms", "adds/s", "CPU s", "J")
    body = [
        (
            row.system,
            *("" if score is None else f"{100 * score:.1f}" for score in row.scores.values()),
            f"{100 * row.interval.low:.1f} - {100 * row.interval.high:.1f}" if row.interval else "",
            f"{row.prompt_tokens:.0f}",
            f"{row.milliseconds:.1f}",
            "" if row.adds_per_second is None else f"{row.adds_per_second:.0f}",
            f"{row.cpu_seconds:.3f}",
            f"{row.joules:.2f}",
        )
        for row in made
    ]
    return Table(
        "One question" if made[0].questions == 1 else f"{made[0].questions:,} questions that all were asked",
        ("system", *made[0].scores, "95 %", *costs),
        tuple(body),
        _note(kept, watts),
    )


def _note(kept: Sequence[Kept], watts: float) -> str:
    kind = kept[0].run.kind
    parts = {
        "locomo": f"categories 1 to 4; {ADVERSARIAL}: F1 where declining is right; 95 % is that of F1",
        "longmemeval": "hit and R are of sessions; 95 % is that of the answers that are right",
        "questions": "95 % is that of the answers that are right",
        "scenarios": "checks of the reply only; 95 % is that of the pass rate",
    }[kind]
    metered = [_metered(one) for one in kept]
    how = "measured by RAPL" if all(metered) else f"CPU seconds times {watts:g} W"
    if any(metered) and not all(metered):
        how = f"measured by RAPL where that was readable, else CPU seconds times {watts:g} W"
    time = "ms of a turn" if kind == "scenarios" else "ms of a search"
    return f"{parts}. Tokens read, CPU seconds and J are means of a question, {time} the median; J: {how}"


def to_json(kept: Sequence[Kept], watts: float = WATTS) -> list[dict[str, Any]]:
    """The rows as JSON-able objects."""
    return [
        {
            "system": row.system,
            "questions": row.questions,
            "scores": dict(row.scores),
            "interval": [row.interval.low, row.interval.high] if row.interval else None,
            "prompt_tokens": row.prompt_tokens,
            "milliseconds_p50": row.milliseconds,
            "adds_per_second": row.adds_per_second,
            "cpu_seconds": row.cpu_seconds,
            "joules": row.joules,
            "joules_from": "rapl" if _metered(one) else f"cpu seconds x {watts:g} W",
            "run": str(one.folder),
        }
        for row, one in zip(rows(kept, watts), kept, strict=True)
    ]
