"""How one question is judged, by the protocol of its benchmark.

| score | is |
|---|---|
| `recall@k`, `hit@k`, `all@k`, `ndcg@k`, `mrr` | of the turns that the benchmark calls evidence, among all turns |
| `session_...` | the same of the sessions that hold it, ranked by their best turn |
| `official_...`, `official_turn_...` | LongMemEval's own protocol: only what the user said, where it is evidence |
| `f1` | LoCoMo's token F1 of the reply; `f1_forced` of the likeliest answer, had it not declined |
| `match` | 1 where the right answer stands in the reply as whole words; to be declined: where it declines |

A score that the benchmark does not define for a question is left out, and no mean counts it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memagent.evals.benchmarks import longmemeval, ranking
from memagent.evals.benchmarks.answering import Reply
from memagent.evals.benchmarks.conversation import Conversation, Question
from memagent.evals.benchmarks.locomo import ADVERSARIAL
from memagent.evals.benchmarks.memory import Found
from memagent.evals.benchmarks.token_f1 import best_f1, declined, locomo_f1
from memagent.evals.results import Kind
from memagent.evals.scenarios.checks import declines
from memagent.evals.text import folded

PASSING_F1 = 0.5
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_NUMBER = re.compile(rf"\b(?:{'|'.join(NUMBERS)})\b")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True)
class Verdict:
    """The scores of a question, and the names of the checks that do not hold; it has passed when there are none."""

    scores: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()


def judge(
    kind: Kind,
    conversation: Conversation,
    question: Question,
    found: Sequence[Found],
    reply: Reply | None,
    ks: Sequence[int],
    *,
    ranked: bool = True,
) -> Verdict:
    """Judge what was found and the reply, None where none was asked for; a ranking only where it is `ranked`."""
    scores = retrieval_scores(question, found, ks) if ranked else {}
    if kind == "longmemeval" and ranked:
        scores |= official_scores(conversation, question, found, ks)
    deepest = f"{'session_' if kind == 'longmemeval' else ''}hit@{max(ks)}"
    missed = [f"evidence@{max(ks)}"] if scores.get(deepest) == 0.0 else []
    if reply is None:
        return Verdict(scores, tuple(missed))
    scores |= answer_scores(kind, question, reply)
    right = scores["f1"] >= PASSING_F1 if kind == "locomo" else scores.get("match", float(not missed)) == 1.0
    return Verdict(scores, () if right else ("answer", *missed))


def retrieval_scores(question: Question, found: Sequence[Found], ks: Sequence[int]) -> dict[str, float]:
    """Turns and sessions against the evidence; empty where the benchmark gives none."""
    scores: dict[str, float] = {}
    turns = [turn.turn for turn in found]
    sessions = ranking.distinct([turn.sitting for turn in found])
    for prefix, ranked, gold in (
        ("", turns, question.evidence),
        ("session_", sessions, question.evidence_sittings),
    ):
        if gold:
            for k in ks:
                scores[f"{prefix}recall@{k}"] = ranking.recall(ranked, gold, k)
                scores[f"{prefix}hit@{k}"] = ranking.hit(ranked, gold, k)
                scores[f"{prefix}all@{k}"] = ranking.all_found(ranked, gold, k)
                scores[f"{prefix}ndcg@{k}"] = ranking.ndcg(ranked, gold, k)
            scores[f"{prefix}mrr"] = ranking.reciprocal_rank(ranked, gold)
    return scores


def official_scores(
    conversation: Conversation, question: Question, found: Sequence[Found], ks: Sequence[int]
) -> dict[str, float]:
    """LongMemEval's `recall_any`, `recall_all` and `ndcg_any` over what the user said.

    Empty for questions to be declined, and where no turn of the user is evidence: the official code leaves them out.
    """
    sessions = {turn.id: sitting.id for sitting, _, turn in conversation.turns() if turn.role == "user"}
    gold = [turn for turn in question.evidence if turn in sessions]
    if not question.answerable or not gold:
        return {}
    turns = [turn.turn for turn in found if turn.turn in sessions]
    scores: dict[str, float] = {}
    for prefix, ranked, wanted in (
        ("official_turn_", turns, gold),
        ("official_", ranking.distinct([sessions[turn] for turn in turns]), {sessions[turn] for turn in gold}),
    ):
        for k in ks:
            scores[f"{prefix}any@{k}"] = ranking.hit(ranked, wanted, k)
            scores[f"{prefix}all@{k}"] = ranking.all_found(ranked, wanted, k)
            scores[f"{prefix}ndcg@{k}"] = ranking.ndcg_any(ranked, wanted, k)
    return scores


def answer_scores(kind: Kind, question: Question, reply: Reply) -> dict[str, float]:
    """The reply against the right answers."""
    if kind == "locomo":
        gold = question.answers[0] if question.answers else ""
        scores = {"f1": locomo_f1(reply.text, gold, question.category)}
        forced = 0.0 if question.category == ADVERSARIAL else locomo_f1(reply.best, gold, question.category)
        return scores | {"f1_forced": forced}
    if not question.answerable:
        return {"match": float(declined(reply.text) or declines(reply.text))}
    if question.category == longmemeval.PREFERENCE:
        return {}  # its answers describe a good reply, which no comparison of words can judge
    return {
        "match": float(any(matches(answer, reply.text) for answer in question.answers)),
        "f1": best_f1(reply.text, question.answers),
    }


def matches(answer: str, reply: str) -> bool:
    """Whether the answer stands in the reply as whole words, articles aside; "four" and "4" are the same."""
    wanted = comparable(answer)
    return bool(wanted) and f" {wanted} " in f" {comparable(reply)} "


def comparable(text: str) -> str:
    """A text without what does not count when answers are compared."""
    plain = _NUMBER.sub(lambda match: str(NUMBERS.index(match.group())), folded(text))
    return " ".join(_ARTICLE.sub(" ", plain).split())
