"""All benchmarks, a table each: start-up, store, search, turn and the terminal interface.

python -m memagent.evals.bench          stores of 1,000 and 10,000 facts, three minutes
python -m memagent.evals.bench --full   up to 100,000 facts, with the vector index
"""

from __future__ import annotations

import argparse

from memagent.evals.bench import interface, search, startup, store, turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="larger stores, and the vector index")
    full = parser.parse_args().full
    startup.main(["--runs", "20" if full else "5"])
    store.main(["--facts", "10000", "--writes", "2000" if full else "500"])
    search.main(["--facts", "1000", "10000", *(["100000", "--index"] if full else []), "--queries", "200"])
    turn.main(["--facts", "10000" if full else "1000", "--turns", "40" if full else "20"])
    interface.main(["--facts", "10000" if full else "1000"])


if __name__ == "__main__":
    main()
