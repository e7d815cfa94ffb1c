"""Joules: measured where the machine counts them (Linux, Intel and AMD: RAPL), else a power times processor seconds.

RAPL counts whole processor packages, so what other programs use is in it; a measurement wants an idle machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
WATTS = 15.0  # of a busy core of a laptop or server, its share of the rest included; a statement, not a measurement


@dataclass(frozen=True)
class _Package:
    """One counter, in microjoules; it starts again at 0 after `span`."""

    counter: Path
    span: int

    def read(self) -> int:
        return int(self.counter.read_text(encoding="ascii"))


class EnergyMeter:
    """Joules since it was read last. Use `open_meter`."""

    def __init__(self, packages: Sequence[_Package]) -> None:
        self._packages = packages
        self._before = [package.read() for package in packages]

    def lap(self) -> float:
        """Joules used since the last call, or since the meter was opened; of a longer time than a minute call often."""
        now = [package.read() for package in self._packages]
        used = sum(
            (after - before) % package.span
            for package, before, after in zip(self._packages, self._before, now, strict=True)
        )
        self._before = now
        return used / 1e6


def open_meter(folder: Path = POWERCAP) -> EnergyMeter | None:
    """A meter over all packages of this machine; None where it has none that this process may read."""
    packages = []
    for entry in sorted(folder.glob("intel-rapl:*")):
        if entry.name.count(":") > 1:
            continue  # a part of a package, counted in it
        try:
            span = int((entry / "max_energy_range_uj").read_text(encoding="ascii")) + 1
            package = _Package(entry / "energy_uj", span)
            package.read()
        except (OSError, ValueError):
            return None
        packages.append(package)
    return EnergyMeter(packages) if packages else None
