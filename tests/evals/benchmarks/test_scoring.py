"""What one question is worth, by the protocol of its benchmark."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memagent.evals.benchmarks.answering import NOT_SAID, Reply
from memagent.evals.benchmarks.conversation import Case, Question
from memagent.evals.benchmarks.locomo import load
from memagent.evals.benchmarks.longmemeval import load as load_longmemeval
from memagent.evals.benchmarks.memory import Found
from memagent.evals.benchmarks.scoring import judge, matches
from tests.evals.benchmarks.samples import LOCOMO, LONGMEMEVAL, longmemeval_sample, write_json

KS = (1, 3)


def found(case: Case, *turns: str) -> list[Found]:
    """The turns with these ids, in that order."""
    known = {turn.id: (sitting, turn) for sitting, _, turn in case.conversation.turns()}
    result = []
    for identity in turns:
        sitting, turn = known[identity]
        result.append(Found(identity, sitting.id, turn.text, turn.speaker, turn.role, sitting.date, 0.5))
    return result


@pytest.fixture
def talk(tmp_path: Path) -> Case:
    (case,) = load(write_json(tmp_path / "l.json", LOCOMO))
    return case


def test_turns_and_sessions_are_scored_apart(talk: Case) -> None:
    multi = talk.questions[2]
    verdict = judge("locomo", talk.conversation, multi, found(talk, "D1:1", "D1:4", "D2:1"), None, KS)
    scores = verdict.scores
    assert (scores["recall@1"], scores["recall@3"], scores["all@3"], scores["mrr"]) == (0.0, 0.5, 0.0, 0.5)
    assert (scores["session_recall@1"], scores["session_all@3"], scores["session_mrr"]) == (0.5, 1.0, 1.0)
    assert verdict.failed == () and "f1" not in scores


def test_without_evidence_there_are_no_scores_of_retrieval(talk: Case) -> None:
    verdict = judge("locomo", talk.conversation, talk.questions[3], found(talk, "D1:3"), None, KS)
    assert verdict.scores == {} and verdict.failed == ()


def test_evidence_that_was_not_found_is_a_failed_check(talk: Case) -> None:
    verdict = judge("locomo", talk.conversation, talk.questions[0], found(talk, "D1:1", "D2:1"), None, KS)
    assert verdict.failed == ("evidence@3",)


def test_a_reply_is_scored_as_given_and_had_it_not_declined(talk: Case) -> None:
    single = talk.questions[0]
    right = judge("locomo", talk.conversation, single, found(talk, "D1:2"), Reply("the sailing boat", 0.9), KS)
    assert (right.scores["f1"], right.scores["f1_forced"], right.failed) == (1.0, 1.0, ())
    declined = judge("locomo", talk.conversation, single, found(talk, "D1:1"), Reply("the sailing boat", 0.2), KS)
    assert (declined.scores["f1"], declined.scores["f1_forced"]) == (0.0, 1.0)
    assert declined.failed == ("answer", "evidence@3")


def test_an_adversarial_question_must_be_declined(talk: Case) -> None:
    adversarial = talk.questions[4]
    taken_in = judge("locomo", talk.conversation, adversarial, found(talk, "D2:1"), Reply("the accordion", 0.95), KS)
    refused = judge("locomo", talk.conversation, adversarial, found(talk, "D2:1"), Reply("the accordion", 0.1), KS)
    assert (taken_in.scores["f1"], taken_in.failed) == (0.0, ("answer",))
    assert (refused.scores["f1"], refused.scores["f1_forced"], refused.failed) == (1.0, 0.0, ())


def test_the_official_protocol_of_longmemeval_hears_the_user_only(tmp_path: Path) -> None:
    case, _ = load_longmemeval(write_json(tmp_path / "l.json", LONGMEMEVAL))
    ranked = found(case, "s-bread_2", "answer_garden_2", "s-car_1", "answer_garden_1")
    scores = judge("longmemeval", case.conversation, case.questions[0], ranked, None, KS).scores
    assert scores["session_hit@1"] == 0.0 and scores["session_hit@3"] == 1.0
    assert scores["session_mrr"] == 0.5  # by what the assistant said in the right session
    assert (scores["official_all@1"], scores["official_all@3"]) == (0.0, 1.0)
    assert (scores["official_turn_any@1"], scores["official_turn_ndcg@3"]) == (0.0, 1.0)


def test_the_official_protocol_leaves_out_what_the_community_counts(tmp_path: Path) -> None:
    _, abstention = load_longmemeval(write_json(tmp_path / "l.json", LONGMEMEVAL))
    ranked = found(abstention, "answer_cat_1")
    scores = judge("longmemeval", abstention.conversation, abstention.questions[0], ranked, None, KS).scores
    assert scores["session_hit@1"] == 1.0 and not any(name.startswith("official") for name in scores)
    sample = longmemeval_sample()
    for turn in sample["haystack_sessions"][0]:
        turn["has_answer"] = turn["role"] == "assistant"
    (told,) = load_longmemeval(write_json(tmp_path / "a.json", [sample]))
    ranked = found(told, "answer_garden_2")
    scores = judge("longmemeval", told.conversation, told.questions[0], ranked, None, KS).scores
    assert scores["recall@1"] == 1.0 and not any(name.startswith("official") for name in scores)


def test_answers_of_longmemeval_match_as_words_and_preferences_are_not_judged(tmp_path: Path) -> None:
    case, abstention = load_longmemeval(write_json(tmp_path / "l.json", LONGMEMEVAL))
    ranked = found(case, "answer_garden_1")
    right = judge("longmemeval", case.conversation, case.questions[0], ranked, Reply("forty (40)", 0.9), KS)
    wrong = judge("longmemeval", case.conversation, case.questions[0], ranked, Reply("140", 0.9), KS)
    assert (right.scores["match"], right.failed) == (1.0, ())
    assert (wrong.scores["match"], wrong.failed) == (0.0, ("answer",))
    ranked = found(abstention, "answer_cat_1")
    declined = judge("longmemeval", abstention.conversation, abstention.questions[0], ranked, Reply("Fig", 0.1), KS)
    assert declined.scores["match"] == 1.0
    sample = longmemeval_sample() | {"question_type": "single-session-preference"}
    (preference,) = load_longmemeval(write_json(tmp_path / "p.json", [sample]))
    ranked = found(preference, "answer_garden_1")
    scores = judge("longmemeval", preference.conversation, preference.questions[0], ranked, Reply("40", 0.9), KS).scores
    assert "match" not in scores


@pytest.mark.parametrize(
    ("answer", "reply", "same"),
    [
        ("a canoe", "The canoe, from Hartnell.", True),
        ("four", "I own 4 of them", True),
        ("4", "14", False),
        ("$185", "$185 in all", True),
        ("10%", "10 %", False),
        ("Persistent cough", "persistent coughs", False),
        ("", "anything", False),
        ("the", "the", False),
    ],
)
def test_an_answer_matches_as_whole_words(answer: str, reply: str, same: bool) -> None:
    assert matches(answer, reply) is same


def test_a_question_of_ones_own_without_evidence_is_judged_by_its_answer_alone(talk: Case) -> None:
    question = Question("q", "?", ("Pistachio",), "pets", (), (), datetime(2023, 7, 1, tzinfo=UTC))
    assert judge("questions", talk.conversation, question, [], Reply("Pistachio", 0.9), KS).failed == ()
    assert judge("questions", talk.conversation, question, [], Reply("Fig", 0.9), KS).failed == ("answer",)
    assert judge("questions", talk.conversation, question, [], Reply("Pistachio", 0.1), KS).scores["match"] == 0.0
    assert Reply("Pistachio", 0.1).text == NOT_SAID
