"""A benchmark from file to kept answers, on the real store; stopped and resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.evals.benchmarks.answering import NOT_SAID, Answerer
from memagent.evals.benchmarks.memory import StoreSystem
from memagent.evals.benchmarks.runner import Plan, describe, run_benchmark
from memagent.evals.results import Answer, RunFolder, read_answers, read_run
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.hash_embedder import HashEmbedder
from tests.evals.benchmarks.samples import LOCOMO, LONGMEMEVAL, QUESTIONS, write_json, write_lines


def run(plan: Plan, folder: Path, answerer: Answerer | None = None, system: StoreSystem | None = None) -> list[Answer]:
    system = system or StoreSystem(HashEmbedder())
    with RunFolder(folder, describe(plan, system, answerer)) as kept:
        run_benchmark(plan, system, answerer, kept, lambda done, total: None)
    return read_answers(folder)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Answer]:
    """LoCoMo's questions answered by the shipped models."""
    folder = tmp_path_factory.mktemp("answered")
    plan = Plan("locomo", write_json(folder / "l.json", LOCOMO), (1, 3))
    return run(plan, folder / "run", Answerer.shipped(), StoreSystem(MiniLMEmbedder()))


def test_every_question_is_searched_answered_and_judged(answered: Sequence[Answer]) -> None:
    assert [answer.id for answer in answered] == [f"talk-1:{number}" for number in range(1, 6)]
    sold, when, *_ = answered
    assert sold.group == "talk-1" and sold.tags == ("single-hop",) and sold.expected == ("the sailing boat",)
    assert sold.scores["recall@1"] == 1.0 and sold.scores["f1"] > 0.5 and sold.passed
    assert when.reply == "the Friday before 3 March 2023" and when.scores["f1"] == 1.0
    gold = [hit for hit in sold.hits if hit.gold]
    assert [(hit.source, hit.kind) for hit in gold] == [("D1:2", "message")] and gold[0].channels


def test_an_answer_knows_what_it_took_and_how_far_back_its_evidence_lies(answered: Sequence[Answer]) -> None:
    sold, _, cities, dog_park, _ = answered
    assert sold.milliseconds == pytest.approx(sold.scores["search_ms"] + sold.scores["read_ms"], abs=0.01)
    assert sold.cpu_seconds > 0 and sold.prompt_tokens > 20 and sold.reply_tokens > 0
    assert sold.distance_tokens is not None and cities.distance_tokens is not None
    assert sold.distance_tokens > cities.distance_tokens > 20  # the farther of its two turns is D1:4
    assert dog_park.distance_tokens is None


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    plan = Plan("locomo", write_json(tmp_path / "l.json", LOCOMO))
    system = StoreSystem(HashEmbedder())
    seen: list[int] = []

    def stop_at_three(done: int, total: int) -> None:
        seen.append(done)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path / "run", describe(plan, system, None)) as kept:
        run_benchmark(plan, system, None, kept, stop_at_three)
    first = read_answers(tmp_path / "run")
    assert len(first) == 3 and seen == [0, 1, 2, 3]
    assert run(plan, tmp_path / "run")[:3] == first
    assert len(read_answers(tmp_path / "run")) == 5


def test_a_run_is_described_so_that_another_one_is_told_from_it(tmp_path: Path) -> None:
    plan = Plan("locomo", write_json(tmp_path / "l.json", LOCOMO), (5, 10), limit=1)
    run(plan, tmp_path / "run")
    described = read_run(tmp_path / "run")
    assert (described.kind, described.system, described.mode) == ("locomo", "memagent", "retrieval")
    assert described.settings == {"k": [5, 10], "limit": 1, "searched": 100} and described.embedder == "hash-384"
    with pytest.raises(InputError, match=r"settings \(k\)"):
        run(Plan("locomo", plan.path, (5,), limit=1), tmp_path / "run")


def test_no_more_conversations_than_asked_for(tmp_path: Path) -> None:
    path = write_json(tmp_path / "l.json", LONGMEMEVAL)
    assert [answer.id for answer in run(Plan("longmemeval", path, limit=1), tmp_path / "run")] == ["q-one"]
    assert Plan("longmemeval", path).count() == 2


def test_questions_of_ones_own_are_run_and_what_memory_does_not_say_is_declined(tmp_path: Path) -> None:
    plan = Plan("questions", write_lines(tmp_path / "q.jsonl", QUESTIONS))
    bought, cat = run(plan, tmp_path / "run", Answerer.shipped(), StoreSystem(MiniLMEmbedder()))
    assert bought.passed and bought.scores["match"] == 1.0 and "canoe" in bought.reply
    assert cat.reply == NOT_SAID and cat.passed and cat.scores == cat.scores | {"match": 1.0}


def test_a_file_that_asks_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="asks no questions"):
        Plan("questions", write_lines(tmp_path / "q.jsonl", QUESTIONS[:1])).count()
