"""What the benchmarks measured, as a file: for plots, and to be compared with an earlier one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import memagent
from memagent.errors import InputError, NotFoundError, StoreReadOnlyError
from memagent.evals.bench.timing import Measure
from memagent.evals.results import this_machine


def write(path: Path, found: Sequence[Measure], sizes: Sequence[Mapping[str, float]]) -> None:
    """Raises StoreReadOnlyError."""
    data = {
        "version": memagent.__version__,
        "machine": this_machine(),
        "latency": [asdict(measure) for measure in found],
        "size": [dict(size) for size in sizes],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreReadOnlyError(f"{path} cannot be written: {error.strerror}", "choose another --json") from None


def read(path: Path) -> list[Measure]:
    """Raises NotFoundError and InputError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [Measure(**row) for row in data["latency"]]
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", "make bench BENCH='--json FILE' writes one") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} holds no measurements: {error}", "make bench BENCH='--json FILE' writes one"
        ) from None
