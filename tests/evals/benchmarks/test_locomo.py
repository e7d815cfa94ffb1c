"""LoCoMo's official file, and what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memagent.errors import InputError
from memagent.evals.benchmarks.locomo import evidence_ids, load
from tests.evals.benchmarks.samples import LOCOMO, locomo_sample, write_json

Change = Callable[[dict[str, Any]], object]


def test_a_sample_becomes_a_conversation_with_dates_speakers_and_captions(tmp_path: Path) -> None:
    (case,) = load(write_json(tmp_path / "l.json", LOCOMO))
    conversation = case.conversation
    assert [sitting.id for sitting in conversation.sittings] == ["S1", "S2"]  # the empty one is none
    assert conversation.sittings[0].date == datetime(2023, 3, 3, 19, 15, tzinfo=UTC)
    assert conversation.sittings[1].date == datetime(2023, 6, 20, 0, 5, tzinfo=UTC)
    turns = {turn.id: turn for _, _, turn in conversation.turns()}
    assert turns["D1:4"].text == "Look at my new tent! [shares a photo of an orange tent by a lake]"
    assert turns["D2:1"].speaker == "Bram"
    assert conversation.end > conversation.sittings[1].date


def test_questions_have_their_category_answer_and_repaired_evidence(tmp_path: Path) -> None:
    (case,) = load(write_json(tmp_path / "l.json", LOCOMO))
    single, temporal, multi, open_domain, adversarial = case.questions
    assert (single.id, single.category, single.answers) == ("talk-1:1", "single-hop", ("the sailing boat",))
    assert temporal.category == "temporal" and temporal.asked_at == case.conversation.end
    assert multi.evidence == ("D2:3", "D1:4") and multi.evidence_sittings == ("S2", "S1")
    assert open_domain.evidence == () and open_domain.answers == ("Yes; she has a greyhound",)
    assert adversarial.evidence == ("D2:1",) and adversarial.trap == "the accordion"
    assert not adversarial.answerable and adversarial.answers == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["D8:6; D9:17"], ("D8:6", "D9:17")),
        (["D:11:26"], ("D11:26",)),
        (["D30:05", "D30:5"], ("D30:5",)),
        (["D", "D1:18"], ("D1:18",)),
        (["D1:18 D30:5"], ("D1:18", "D30:5")),
        (["D99:1"], ()),
        ([], ()),
    ],
)
def test_malformed_evidence_is_repaired_and_what_names_no_turn_is_left_out(
    given: list[str], expected: tuple[str, ...]
) -> None:
    assert evidence_ids(given, {"D8:6", "D9:17", "D11:26", "D30:5", "D1:18"}) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("sample_id"), "record 1 has no 'sample_id'"),
        (lambda s: s.pop("conversation"), "sample talk-1 has no 'conversation'"),
        (lambda s: s.update(conversation={"speaker_a": "A"}), "has no sessions"),
        (lambda s: s["conversation"].pop("session_2_date_time"), "has no 'session_2_date_time'"),
        (lambda s: s["conversation"].update(session_1_date_time="3 March"), "is not like"),
        (lambda s: s["conversation"].update(session_1_date_time="1:00 pm on 30 February, 2023"), "does not exist"),
        (lambda s: s["conversation"]["session_1"][0].pop("text"), "turn D1:1 has no 'text'"),
        (lambda s: s["conversation"]["session_1"][0].update(dia_id="D1:2"), "turn 'D1:2' is there twice"),
        (lambda s: s["qa"][0].update(category=9), "question 1: there is no category 9"),
        (lambda s: s["qa"][0].pop("answer"), "question 1 has no 'answer'"),
        (lambda s: s["qa"].append("what?"), "question 6 is not an object"),
    ],
)
def test_what_is_wrong_with_a_sample_is_said_with_its_place(change: Change, said: str, tmp_path: Path) -> None:
    sample = locomo_sample()
    change(sample)
    with pytest.raises(InputError, match=said):
        list(load(write_json(tmp_path / "l.json", [sample])))


def test_a_sample_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'talk-1' is there twice"):
        list(load(write_json(tmp_path / "l.json", [*LOCOMO, *LOCOMO])))
