"""What changed between two runs, question by question, and whether it is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from memagent.errors import InputError
from memagent.evals.benchmarks.summary import ALL_FIVE, Table, groups
from memagent.evals.reports.report import headline
from memagent.evals.reports.runs import Kept, in_common, labels
from memagent.evals.reports.systems import PASSED, judged, value
from memagent.evals.results import Answer, differences
from memagent.evals.statistics import Interval, bootstrap_mean, mcnemar, paired_permutation

LEVEL = 0.05  # p below which a difference is called more than chance
RESAMPLES = 2000

Pair = tuple[Answer, Answer]


@dataclass(frozen=True)
class Test:
    """A score in both runs, its difference (second less first) with a 95 % interval, and the p-value of the paired
    test: exact McNemar for what passed, a permutation test for a mean."""

    score: str
    questions: int
    first: float
    second: float
    difference: float
    interval: Interval
    p: float
    how: str

    @property
    def beyond_chance(self) -> bool:
        return self.p < LEVEL


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same questions. `gained` passed only in the second, `lost` only in the first."""

    labels: tuple[str, str]
    differs: tuple[str, ...]
    only: tuple[int, int]  # questions that only one of them was asked
    both: int
    neither: int
    gained: tuple[Pair, ...]
    lost: tuple[Pair, ...]
    tests: tuple[Test, ...]
    by_category: tuple[tuple[str, int, float, float, float], ...]  # name, n, both shares, p

    def in_words(self) -> list[str]:
        """What came of it, for a person."""
        first, second = self.labels
        sentences = []
        for test in self.tests:
            what = "questions that pass" if test.score == PASSED else test.score
            change = f"{what}: {100 * test.first:.1f} % in {first}, {100 * test.second:.1f} % in {second}"
            if test.difference == 0 and test.p == 1:
                sentences.append(f"{change}: no difference.")
                continue
            points = f"{100 * test.difference:+.1f} points, 95 % {_range(test.interval)}"
            verdict = "more than chance" if test.beyond_chance else "not more than chance explains"
            sentences.append(f"{change}: {points}; p {_p(test.p)} ({test.how}), {verdict}.")
        return sentences


def compare(first: Kept, second: Kept) -> Comparison:
    """Raises InputError for runs of different kinds, or without a question in common."""
    one, two = in_common([first, second])
    if not one.answers:
        raise InputError("these runs have no question in common", "compare runs of the same files")
    pairs = [(answer, two.by_key[answer.key]) for answer in one.answers]
    gained = tuple(pair for pair in pairs if pair[1].passed and not pair[0].passed)
    lost = tuple(pair for pair in pairs if pair[0].passed and not pair[1].passed)
    names = labels([first, second])
    scores = _shared_scores(one, two)
    return Comparison(
        (names[0], names[1]),
        tuple(differences(first.run, second.run)),
        (len(first.by_key) - len(pairs), len(second.by_key) - len(pairs)),
        sum(a.passed and b.passed for a, b in pairs),
        sum(not a.passed and not b.passed for a, b in pairs),
        gained,
        lost,
        tuple(_test(pairs if score == PASSED else _headline_pairs(one, two), score) for score in scores),
        tuple(_categories(one, two)),
    )


def _shared_scores(one: Kept, two: Kept) -> list[str]:
    """What passed, and the headline's score and that of retrieval, where both runs have them."""
    shared = {name for a in one.answers for name in a.scores} & {name for b in two.answers for name in b.scores}
    main = headline(one.run.kind, one.answers)
    found = [PASSED, main, "recall@5", "recall@10", "session_recall@5"]
    return [name for name in dict.fromkeys(found) if name == PASSED or name in shared]


def _headline_pairs(one: Kept, two: Kept) -> list[Pair]:
    return [(answer, two.by_key[answer.key]) for answer in judged(one.run.kind, one.answers)]


def _test(pairs: Sequence[Pair], score: str) -> Test:
    before, after = [], []
    for a, b in pairs:
        if score == PASSED:
            before.append(float(a.passed))
            after.append(float(b.passed))
        elif score in a.scores and score in b.scores:
            before.append(a.scores[score])
            after.append(b.scores[score])
    changes = [new - old for old, new in zip(before, after, strict=True)]
    if not changes:
        return Test(score, 0, 0.0, 0.0, 0.0, Interval(0.0, 0.0), 1.0, "no question has it in both")
    exact = score == PASSED
    p = mcnemar(changes.count(-1.0), changes.count(1.0)) if exact else paired_permutation(before, after)
    return Test(
        score,
        len(changes),
        sum(before) / len(before),
        sum(after) / len(after),
        sum(changes) / len(changes),
        bootstrap_mean(changes, resamples=RESAMPLES),
        p,
        "exact McNemar" if exact else "paired permutation",
    )


def _categories(one: Kept, two: Kept) -> list[tuple[str, int, float, float, float]]:
    rows = []
    score = headline(one.run.kind, [*one.answers, *two.answers])
    for name, answers in groups(one.run.kind, one.answers).items():
        pairs = [(answer, two.by_key[answer.key]) for answer in answers]
        before, after = value([a for a, _ in pairs], score), value([b for _, b in pairs], score)
        if before is not None and after is not None and name != ALL_FIVE:
            rows.append((name, len(pairs), before, after, _test(pairs, score).p))
    return rows


def table(made: Comparison) -> Table:
    """By category; a p-value here is one of many, so a small one alone says little."""
    rows = tuple(
        (name, str(count), f"{100 * a:.1f}", f"{100 * b:.1f}", f"{100 * (b - a):+.1f}", _p(p).removeprefix("= "))
        for name, count, a, b, p in made.by_category
    )
    note = f"of {len(rows)} tests one in twenty is below 0.05 by chance" if len(rows) > 1 else ""
    return Table("By category, %", ("category", "n", *made.labels, "change", "p"), rows, note)


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def _range(interval: Interval) -> str:
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f}"


def to_json(made: Comparison) -> dict[str, Any]:
    """The comparison as one JSON-able object."""
    return {
        "runs": list(made.labels),
        "differ_in": list(made.differs),
        "only_in": list(made.only),
        "both_passed": made.both,
        "neither_passed": made.neither,
        "tests": [asdict(test) | {"beyond_chance": test.beyond_chance} for test in made.tests],
        "by_category": [
            {"category": name, "questions": count, "first": a, "second": b, "p": p}
            for name, count, a, b, p in made.by_category
        ],
        "gained": [_change(pair) for pair in made.gained],
        "lost": [_change(pair) for pair in made.lost],
        "in_words": made.in_words(),
    }


def _change(pair: Pair) -> dict[str, Any]:
    first, second = pair
    return {
        "id": first.id,
        "repeat": first.repeat,
        "tags": list(first.tags),
        "question": first.question,
        "expected": list(first.expected),
        "first": first.reply or first.error,
        "second": second.reply or second.error,
    }
