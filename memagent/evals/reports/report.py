"""A report on one or several kept runs: what was run, accuracy by category and by distance, costs, systems compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from memagent.evals.bench.timing import Measure
from memagent.evals.benchmarks import summary
from memagent.evals.benchmarks.summary import Table
from memagent.evals.energy import WATTS
from memagent.evals.reports import systems
from memagent.evals.reports.runs import Kept, in_common, labels
from memagent.evals.reports.systems import PASSED
from memagent.evals.results import Answer, Kind
from memagent.evals.statistics import Interval

WINDOW_TOKENS = 2048  # of the shipped model, where a run does not say
EDGES = (1, 4, 16, 64)  # windows, between the bins of distance
MOST_WITH_INTERVALS = 3  # runs beside each other in a table
BINS = ("in the window", "1 - 4", "4 - 16", "16 - 64", "64 and more")


@dataclass(frozen=True)
class Point:
    """The mean of a score over some questions, a share of 0..1, with its 95 % interval."""

    questions: int
    share: float
    interval: Interval


@dataclass(frozen=True)
class Series:
    """Points by category, or by distance, of one score of one run."""

    label: str
    score: str
    points: Mapping[str, Point]


def headline(kind: Kind, answers: Sequence[Answer]) -> str:
    """The score by which a kind of run is judged: of the answers, where any were asked for."""
    wanted = {
        "locomo": ("f1", "recall@10", "recall@5"),
        "longmemeval": ("match", "session_hit@5"),
        "questions": ("match", "hit@5"),
    }
    present = {name for answer in answers for name in answer.scores}
    return next((name for name in wanted.get(kind, ()) if name in present), PASSED)


def by_category(label: str, kept: Kept, score: str) -> Series:
    """A point for each tag, and for the sums that a benchmark's papers give."""
    return Series(label, score, _points(summary.groups(kept.run.kind, kept.answers), score))


def by_distance(label: str, kept: Kept, score: str) -> Series:
    """A point for each bin of windows between what was told and the question; LoCoMo's adversarial ones apart."""
    window = int(kept.run.settings.get("context_tokens", WINDOW_TOKENS))
    found: dict[str, list[Answer]] = {}
    for answer in systems.judged(kept.run.kind, kept.answers):
        if answer.distance_tokens is not None:
            found.setdefault(_bin(answer.distance_tokens / window), []).append(answer)
    return Series(label, score, _points({name: found[name] for name in BINS if name in found}, score))


def _bin(windows: float) -> str:
    return BINS[sum(windows >= edge for edge in EDGES)]


def _points(grouped: Mapping[str, Sequence[Answer]], score: str) -> dict[str, Point]:
    points = {}
    for name, answers in grouped.items():
        share, sure = systems.value(answers, score), systems.interval(answers, score)
        if share is not None and sure is not None:
            counted = len(answers) if score == PASSED else sum(score in answer.scores for answer in answers)
            points[name] = Point(counted, share, sure)
    return points


@dataclass(frozen=True)
class Report:
    """What is said of the runs; `score` is the one that the series are of."""

    described: tuple[str, ...]
    score: str
    categories: tuple[Series, ...]
    distances: tuple[Series, ...]
    tokens: Mapping[str, float]  # read for a question, by run
    compared: Table | None
    detailed: tuple[Table, ...]

    def tables(self) -> list[Table]:
        """What to show, in order."""
        found = [self.compared] if self.compared else []
        words = score_words(self.score)
        found.append(_table(f"{words} by category", "category", self.categories))
        if any(series.points for series in self.distances):
            note = f"a window has {WINDOW_TOKENS:,} tokens unless the run says otherwise"
            found.append(_table(f"{words} by distance from what was told, in windows", "windows", self.distances, note))
        return found + list(self.detailed)


def report(kept: Sequence[Kept], watts: float = WATTS) -> Report:
    """Raises InputError where several runs have nothing in common."""
    same = in_common(kept) if len(kept) > 1 else list(kept)
    names = labels(same)
    score = headline(same[0].run.kind, [answer for one in same for answer in one.answers])
    pairs = list(zip(names, same, strict=True))
    one = same[0]
    detailed = summary.tables(one.run, one.answers) if len(kept) == 1 and one.run.kind != "scenarios" else ()
    return Report(
        tuple(described(each) for each in kept) if len(kept) == 1 else (described_together(kept),),
        score,
        tuple(by_category(name, each, score) for name, each in pairs),
        tuple(by_distance(name, each, score) for name, each in pairs),
        {name: sum(a.prompt_tokens for a in each.answers) / len(each.answers) for name, each in pairs},
        systems.table(kept, watts),
        tuple(detailed),
    )


def latency(measured: Sequence[Measure]) -> list[Table]:
    """Medians and 95th percentiles by the size of the store."""
    sizes = sorted({measure.facts for measure in measured})
    found: dict[str, dict[int, Measure]] = {}
    for measure in measured:
        found.setdefault(f"{measure.group}: {measure.name}", {})[measure.facts] = measure
    rows = tuple(
        (name, *(f"{by[size].p50:.2f} / {by[size].p95:.2f}" if size in by else "" for size in sizes))
        for name, by in found.items()
    )
    if not rows:
        return []
    return [Table("Latency by facts in the store, median / p95 in ms", ("", *(f"{s:,}" for s in sizes)), rows)]


def described(kept: Kept) -> str:
    """What was run, in one line."""
    run = kept.run
    files = ", ".join(f"{file.name} ({file.sha256[:8]})" for file in run.files)
    by = " and ".join(name for name in (run.model, run.embedder) if name)
    machine = f"{run.machine.get('cpu', 'unknown processor')}, {run.machine.get('cores', '?')} cores"
    return (
        f"{run.system}: {run.kind} of {files}; {len(kept.answers)} answers with {by or 'no model'}, seed {run.seed}, "
        f"memagent {run.version}, started {run.started}, on {machine}"
    )


def described_together(kept: Sequence[Kept]) -> str:
    """What several runs are of, in one line."""
    files = dict.fromkeys(f"{file.name} ({file.sha256[:8]})" for one in kept for file in one.run.files)
    machines = dict.fromkeys(f"{one.run.machine.get('cpu')}, {one.run.machine.get('cores')} cores" for one in kept)
    versions = dict.fromkeys(one.run.version for one in kept)
    return (
        f"{kept[0].run.kind} of {', '.join(files)} on {len(kept)} systems, memagent {', '.join(versions)}, "
        f"started {min(one.run.started for one in kept)}, on {'; '.join(machines)}"
    )


def score_words(score: str) -> str:
    """A score in a reader's words."""
    return {PASSED: "answers that hold", "f1": "token F1", "match": "right answers"}.get(score, score)


def _table(title: str, heading: str, series: Sequence[Series], note: str = "") -> Table:
    names = list(dict.fromkeys(name for one in series for name in one.points))
    rows = []
    for name in names:
        counts = [one.points[name].questions for one in series if name in one.points]
        sure = len(series) <= MOST_WITH_INTERVALS
        rows.append((name, str(max(counts)), *(_cell(one.points.get(name), sure) for one in series)))
    title += ", % (95 % interval)" if len(series) <= MOST_WITH_INTERVALS else ", %"
    return Table(title, (heading, "n", *(one.label for one in series)), tuple(rows), note)


def _cell(point: Point | None, sure: bool) -> str:
    if point is None or not sure:
        return "" if point is None else f"{100 * point.share:.1f}"
    return f"{100 * point.share:.1f} ({100 * point.interval.low:.1f} - {100 * point.interval.high:.1f})"


def to_json(kept: Sequence[Kept], made: Report, watts: float = WATTS) -> dict[str, Any]:
    """The report as one JSON-able object; shares are of 0..1."""
    return {
        "runs": [{"folder": str(one.folder), **asdict(one.run)} for one in kept],
        "score": made.score,
        "systems": systems.to_json(kept, watts),
        "by_category": [asdict(series) for series in made.categories],
        "by_distance": [asdict(series) for series in made.distances],
        "tokens": dict(made.tokens),
    }
