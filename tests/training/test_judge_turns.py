"""The weights of a judgement move as far as played conversations demand, and no further."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memagent.evals.scenarios.reading import load_scenarios
from memagent.models.judging import FEATURES, LEARNED

pytest.importorskip("torch", reason="training needs the extra `train`")

from memagent.training.judge_turns import RIDGE, SCENARIOS, START, Checked, moved, played, shares  # noqa: E402

READER, SEARCH = FEATURES.index("reader"), FEATURES.index("search")
WEIGHTS = np.array(START)


def turn(*reader: float, right: int | None = None, beside: float = 0.0) -> Checked:
    values = np.zeros((len(reader), len(FEATURES)))
    values[:, 0], values[:, READER], values[:, SEARCH] = 1.0, reader, 0.7
    return Checked(
        values,
        np.arange(len(reader)) == (-1 if right is None else right),
        np.full(len(reader), beside),
        right is not None,
        0.5,
    )


def test_what_was_wanted_scores_higher_than_before_and_what_was_not_lower() -> None:
    turns = [turn(0.5, -3.0, right=0), turn(-1.0, -2.0), turn(0.8, right=0), turn(-1.5)] * 5
    after = moved(turns, WEIGHTS, 1e-4)
    for one in turns:
        before, now = one.values @ WEIGHTS, one.values @ after
        assert (np.sign(now - before)[one.right] == 1).all() or not one.right.any()
    assert after[READER] > WEIGHTS[READER]
    assert shares(turns, [after] * len(turns)) == "10 of 10 answered right, 10 of 10 declined"


def test_a_strong_ridge_keeps_the_start_and_what_never_varies_keeps_its_weight() -> None:
    turns = [turn(0.5, -3.0, right=0), turn(-1.0)] * 5
    assert np.allclose(moved(turns, WEIGHTS, 1e6), WEIGHTS, atol=1e-3)
    after = moved(turns, WEIGHTS, RIDGE)
    assert np.allclose(np.delete(after, [0, READER]), np.delete(WEIGHTS, [0, READER]))


def test_what_counts_beside_the_features_is_not_learned_again() -> None:
    """A hit that was declined for its form says nothing of the features that spoke for it."""
    plain, formless = [turn(3.0, right=0), turn(3.0)], [turn(3.0, right=0), turn(3.0, beside=-12.0)]
    assert moved(formless, WEIGHTS, 1e-2)[0] > moved(plain, WEIGHTS, 1e-2)[0]


def test_the_shipped_weights_have_a_start_for_each() -> None:
    assert len(START) == len(FEATURES) == len(LEARNED)


def test_conversations_are_played_and_their_candidates_labelled(tmp_path: Path) -> None:
    file = tmp_path / "scenarios_x.yaml"
    file.write_text(
        """suite: x
scenarios:
  - id: boiler
    tags: [single]
    sessions:
      - ["the boiler is serviced by Hartnell"]
      - [{say: "who services the boiler?", expect: Hartnell}, {say: "who services the lift?", abstain: true}]
  - id: dated
    tags: [dates]
    sessions:
      - date: 2026-03-02T09:00
        turns: ["dentist on friday", {say: "when is the dentist?", expect: "6 March"}]
""",
        encoding="utf-8",
    )
    (boiler,) = played(load_scenarios([file]))
    assert [one.answerable for one in boiler] == [True, False]
    assert boiler[0].right.any() and not boiler[1].right.any()
    assert all(one.values.shape == (len(one.right), len(FEATURES)) for one in boiler)


def test_all_scenarios_to_learn_from_can_be_read() -> None:
    assert len(load_scenarios(sorted(SCENARIOS.glob("scenarios_*.yaml")))) > 600
