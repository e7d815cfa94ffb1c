"""What a run of a benchmark comes to: means by category, tables with published figures beside ours, one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from memagent.evals.benchmarks.locomo import ADVERSARIAL
from memagent.evals.results import Answer, Kind, Run
from memagent.evals.statistics import Interval, bootstrap_mean

PUBLISHED = Path(__file__).parent / "published.yaml"
LOCOMO_ORDER = ("single-hop", "multi-hop", "temporal", "open-domain", "cat 1-4", ADVERSARIAL, "all five")
ANSWERABLE, ALL_FIVE, ALL = "cat 1-4", "all five", "all"
TIMES = ("search_ms", "read_ms")
COSTS = (*TIMES, "joules")  # kept with the scores, and no shares
RESAMPLES = 2000


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; `note` says what they are."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Published:
    """Figures of others for one of our scores, in percent, by group."""

    score: str
    title: str
    rows: tuple[tuple[str, str, Mapping[str, float]], ...]  # system, source, scores


def groups(kind: Kind, answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers by category and in the sums that the benchmark's papers give."""
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        for tag in answer.tags:
            found.setdefault(tag, []).append(answer)
    if kind != "locomo":
        return {**found, ALL: list(answers)}
    found[ANSWERABLE] = [answer for answer in answers if ADVERSARIAL not in answer.tags]
    found[ALL_FIVE] = list(answers)
    return {name: found[name] for name in LOCOMO_ORDER if found.get(name)}


def mean(answers: Sequence[Answer], score: str) -> float | None:
    """Over the answers that have the score; None where none has."""
    values = [answer.scores[score] for answer in answers if score in answer.scores]
    return sum(values) / len(values) if values else None


def interval(answers: Sequence[Answer], score: str) -> Interval | None:
    """95 %, bootstrap over questions."""
    values = [answer.scores[score] for answer in answers if score in answer.scores]
    return bootstrap_mean(values, resamples=RESAMPLES) if values else None


@lru_cache(maxsize=1)
def _published() -> Mapping[str, Any]:
    data: Mapping[str, Any] = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
    return data


def published(kind: Kind) -> list[Published]:
    """What others have published of a benchmark."""
    return [
        Published(
            entry["score"],
            entry["title"],
            tuple((row["system"], row["source"], row["scores"]) for row in entry["rows"]),
        )
        for entry in _published().get(kind, ())
    ]


def tables(run: Run, answers: Sequence[Answer]) -> Iterator[Table]:
    """What to show of a run, in order."""
    grouped = groups(run.kind, answers)
    ks = [int(k) for k in run.settings["k"]]
    for title, prefix in (("Evidence: turns", ""), ("Evidence: sessions", "session_")):
        names = [f"{prefix}{name}@{k}" for k in ks for name in ("recall", "hit", "all")]
        yield from _means(title, grouped, [*names, f"{prefix}mrr", f"{prefix}ndcg@{max(ks)}"], prefix)
    for title, prefix in (
        ("Official protocol: sessions, user turns only", "official_"),
        ("Official protocol: turns, user turns only", "official_turn_"),
    ):
        names = [f"{prefix}{name}@{k}" for k in ks for name in ("any", "all", "ndcg")]
        yield from _means(title, grouped, names, prefix)
    if run.kind != "locomo":
        yield from _means("Answers", grouped, ["match", "f1"], "")
    for entry in published(run.kind):
        yield from _beside(run, entry, grouped)


def _means(title: str, grouped: Mapping[str, Sequence[Answer]], names: Sequence[str], prefix: str) -> Iterator[Table]:
    """One row a group, where any question has such a score."""
    rows = []
    for group, answers in grouped.items():
        counted = sum(names[0] in answer.scores for answer in answers)
        if counted:
            rows.append((group, str(counted), *(_percent(mean(answers, name)) for name in names)))
    if rows:
        yield Table(title, ("questions", "n", *(name.removeprefix(prefix) for name in names)), tuple(rows))


def _beside(run: Run, entry: Published, grouped: Mapping[str, Sequence[Answer]]) -> Iterator[Table]:
    """Our row, or two, over those of others."""
    scores = {run.system: entry.score}
    if entry.score == "f1":
        scores = {f"{run.system}, may decline": "f1", f"{run.system}, never declines": "f1_forced"}
    ours = {name: {group: mean(answers, score) for group, answers in grouped.items()} for name, score in scores.items()}
    if all(value is None for row in ours.values() for value in row.values()):
        return
    shown = [group for group in grouped if any(group in row for _, _, row in entry.rows)] or list(grouped)
    rows = [(name, *(_percent(row[group]) for group in shown), "this run") for name, row in ours.items()]
    rows += [
        (system, *(f"{row[group]:.1f}" if group in row else "" for group in shown), source)
        for system, source, row in entry.rows
    ]
    total = next(name for name in (ANSWERABLE, ALL) if name in grouped)
    sure = interval(grouped[total], next(iter(scores.values())))
    note = f"95 % of {total}: {100 * sure.low:.1f} - {100 * sure.high:.1f}; " if sure else ""
    yield Table(entry.title, ("system", *shown, "source"), tuple(rows), note + "the others are of the whole benchmark")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value at a share of the sorted values, at or above it; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def costs(answers: Sequence[Answer]) -> dict[str, float]:
    """Milliseconds of a search, of reading and of both, CPU seconds and tokens of a question."""
    found: dict[str, float] = {}
    for name in TIMES:
        values = [answer.scores[name] for answer in answers if name in answer.scores]
        found |= {f"{name}_p50": percentile(values, 0.5), f"{name}_p95": percentile(values, 0.95)}
    together = [answer.milliseconds for answer in answers]
    found |= {"ms_p50": percentile(together, 0.5), "ms_p95": percentile(together, 0.95)}
    for name in ("cpu_seconds", "prompt_tokens", "reply_tokens"):
        found[name] = sum(getattr(answer, name) for answer in answers) / len(answers) if answers else 0.0
    return {name: round(value, 3) for name, value in found.items()}


def pass_rate(answers: Sequence[Answer]) -> float:
    """The share of questions that were answered right or, where no answers were asked for, whose evidence was found."""
    return sum(answer.passed for answer in answers) / len(answers) if answers else 0.0


def score_names(answers: Sequence[Answer]) -> list[str]:
    """The scores that any answer has."""
    return list(dict.fromkeys(name for answer in answers for name in answer.scores if name not in COSTS))


def headline(kind: Kind, answers: Sequence[Answer], score: str) -> float | None:
    """The mean of a score over what the papers sum up: LoCoMo's categories 1 to 4, all questions of the others."""
    grouped = groups(kind, answers)
    return mean(grouped.get(ANSWERABLE, grouped.get(ALL, [])), score)


def to_json(run: Run, answers: Sequence[Answer], folder: Path) -> dict[str, Any]:
    """The run as one JSON-able object; scores are shares of 0..1, published figures percent."""
    by_tag = {}
    for group, members in groups(run.kind, answers).items():
        scores = {name: round(mean(members, name) or 0.0, 6) for name in score_names(members)}
        by_tag[group] = {"questions": len(members), "pass_rate": round(pass_rate(members), 6), "scores": scores}
    return {
        "run": str(folder),
        "kind": run.kind,
        "system": run.system,
        "embedder": run.embedder,
        "questions": len(answers),
        "pass_rate": round(pass_rate(answers), 6),
        "by_tag": by_tag,
        "costs": costs(answers),
        "published": [
            {"score": entry.score, "system": system, "source": source, "percent": dict(scores)}
            for entry in published(run.kind)
            for system, source, scores in entry.rows
        ],
        "probes": [
            {
                "id": answer.id,
                "tags": list(answer.tags),
                "say": answer.question,
                "reply": answer.reply,
                "expected": list(answer.expected),
                "passed": answer.passed,
                "failed": list(answer.failed),
                "scores": dict(answer.scores),
                "milliseconds": answer.milliseconds,
            }
            for answer in answers
        ],
    }
