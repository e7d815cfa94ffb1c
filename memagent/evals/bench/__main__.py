"""All benchmarks, a table each: start-up, store, search, turn, the terminal interface, size, and other memories.

python -m memagent.evals.bench                 stores of 1,000 and 10,000 facts, some minutes
python -m memagent.evals.bench --full          up to 1,000,000 facts, with the vector index: hours, 8 GB of memory
python -m memagent.evals.bench --json FILE     keep the figures, for: memagent eval report --bench FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

from memagent.evals.bench import interface, others, record, search, size, startup, store, turn

USUAL = ("1000", "10000")
FULL = (*USUAL, "100000", "1000000")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="larger stores, and the vector index")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures there")
    options = parser.parse_args()
    full = options.full
    sizes = FULL if full else USUAL
    found = startup.main(["--runs", "20" if full else "5"])
    found += store.main(["--facts", *sizes, "--writes", "2000" if full else "500"])
    turns = ("--turns", *(sizes[1:3] if full else sizes[:2]))
    found += search.main(["--facts", *sizes, *turns, "--queries", "200", *(["--index"] if full else [])])
    found += turn.main(["--facts", *(USUAL if full else USUAL[:1]), "--turns", "40" if full else "20"])
    interface.main(["--facts", "10000" if full else "1000"])
    found += others.main(["--facts", *(USUAL if full else USUAL[:1])])
    sizes_found = size.main(["--facts", *sizes])
    if options.json:
        record.write(options.json, found, sizes_found)


if __name__ == "__main__":
    main()
