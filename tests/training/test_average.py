"""The mean of several runs' weights."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs the [train] extra")

from memagent.training import average  # noqa: E402


def test_each_weight_is_the_mean_and_keeps_its_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []
    for number in (1, 3):
        run = tmp_path / f"r{number}"
        run.mkdir()
        weights = {"layer": torch.full((2, 2), float(number)), "half": torch.tensor([number], dtype=torch.float16)}
        torch.save({**weights, "steps": torch.tensor(number)}, run / "reader.pt")
        runs.append(str(run))
    monkeypatch.setattr(sys, "argv", ["average", "reader", str(tmp_path / "mean"), *runs])
    average.main()
    mean = torch.load(tmp_path / "mean" / "reader.pt", weights_only=True)
    assert mean["layer"].tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert mean["half"].dtype == torch.float16 and mean["half"].tolist() == [2.0]
    assert mean["steps"].item() == 1
