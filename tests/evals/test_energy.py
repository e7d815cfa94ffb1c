"""Joules from the counters of the machine, and what happens where there are none."""

from __future__ import annotations

from pathlib import Path

from memagent.evals.energy import open_meter


def package(folder: Path, name: str, microjoules: int, span: int = 1_000_000) -> Path:
    entry = folder / name
    entry.mkdir(parents=True, exist_ok=True)
    (entry / "max_energy_range_uj").write_text(f"{span}\n")
    (entry / "energy_uj").write_text(f"{microjoules}\n")
    return entry


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 100_000)
    package(tmp_path, "intel-rapl:1", 500_000)
    package(tmp_path, "intel-rapl:0:0", 0)
    meter = open_meter(tmp_path)
    assert meter is not None
    package(tmp_path, "intel-rapl:0", 350_000)
    package(tmp_path, "intel-rapl:1", 600_000)
    package(tmp_path, "intel-rapl:0:0", 900_000)
    assert meter.lap() == 0.35 and meter.lap() == 0.0


def test_a_counter_that_starts_again_has_gone_on(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 900_000)
    meter = open_meter(tmp_path)
    assert meter is not None
    package(tmp_path, "intel-rapl:0", 99_999)
    assert meter.lap() == 0.2


def test_without_counters_that_can_be_read_there_is_no_meter(tmp_path: Path) -> None:
    assert open_meter(tmp_path / "none") is None and open_meter(tmp_path) is None
    entry = package(tmp_path, "intel-rapl:0", 1)
    (entry / "energy_uj").write_text("not a number")
    assert open_meter(tmp_path) is None
    (entry / "energy_uj").unlink()
    assert open_meter(tmp_path) is None
