"""The model card says of the shipped weights what is so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memagent.training import card

torch = pytest.importorskip("torch", reason="training needs the [train] extra")


def test_the_card_has_the_sizes_and_counts_of_what_is_shipped() -> None:
    text = card.CARD.read_text(encoding="utf-8")
    part = text[text.index(card.FIRST) : text.index(card.LAST)]
    assert [line for line in [*card.sizes(), *card.data()] if line not in part] == []


def test_what_was_measured_is_replaced_and_the_rest_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "CARD", tmp_path / "CARD.md")
    monkeypatch.setattr(card, "scores", lambda: ["| act | 0.960 |"])
    run = tmp_path / "r1"
    run.mkdir()
    log = [{"seconds": 60.0, "step": 10}, {"seconds": 30.0, "step": 20}]  # resumed once
    (run / "log.jsonl").write_text("\n".join(map(json.dumps, log)), encoding="utf-8")
    card.CARD.write_text("# Models\n\nby hand\n", encoding="utf-8")
    card.write_card([run])
    once = card.CARD.read_text(encoding="utf-8")
    card.write_card([run])
    assert card.CARD.read_text(encoding="utf-8") == once
    assert once.startswith("# Models\n\nby hand\n") and "| act | 0.960 |" in once
    assert "| r1 | 20 | 0.03 h | 1 kJ |" in once
