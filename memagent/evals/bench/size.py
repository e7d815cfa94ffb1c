"""How much memory and disk a store takes: a process of its own opens it, then searches once.

python -m memagent.evals.bench.size --facts 1000 10000 100000

Vectors are made up, as in the bench of search; the model itself is not loaded, which takes the same at any size.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from memagent.evals.bench.search import ClusteredVectors, Corpus, fill
from memagent.memory.records import SearchQuery
from memagent.memory.store import MemoryStore

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Size:
    """Megabytes: the database file, and the most that the process held when it was open and when it had searched."""

    facts: int
    database: float
    opened: float
    searched: float


def held() -> float:
    """The most memory that this process has held, in megabytes."""
    try:
        # what getrusage tells on Linux includes the process that this one was started by
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / MEGABYTE if sys.platform == "darwin" else most / 1024


def look(url: str, question: str) -> dict[str, float]:
    """In the process that is measured."""
    with MemoryStore.open(url, space="main", embedder=ClusteredVectors(1)) as store:
        opened = held()
        store.search(SearchQuery(question))
        return {"opened": opened, "searched": held()}


def run(folder: Path, facts: int) -> Size:
    url, questions = fill(folder, facts, ClusteredVectors(1), Corpus(1), 1)
    command = [sys.executable, "-m", "memagent.evals.bench.size", "--look", url, questions[0]]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Size(facts, (folder / f"{facts}.db").stat().st_size / MEGABYTE, found["opened"], found["searched"])


def main(arguments: Sequence[str] | None = None) -> list[dict[str, float]]:
    """Print the table, and give its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[1000, 10_000], help="sizes of the store")
    parser.add_argument("--look", nargs=2, metavar=("URL", "QUESTION"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.look:
        print(json.dumps(look(*options.look)))
        return []
    print(f"\n{'size; MB':44}{'database':>12}{'opened':>12}{'searched':>12}")
    rows = []
    for facts in options.facts:
        with tempfile.TemporaryDirectory() as folder:
            size = run(Path(folder), facts)
        print(f"{f'{facts:,} facts':44}{size.database:12.1f}{size.opened:12.1f}{size.searched:12.1f}", flush=True)
        rows.append(asdict(size))
    return rows


if __name__ == "__main__":
    main()
