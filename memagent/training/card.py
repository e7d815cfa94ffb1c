"""Writes the measured part of `bundled/MODEL_CARD.md`: sizes, training data, scores on the development sets.

    python -m memagent.training.card [RUN ...]

With the folders of the runs that led to the shipped weights, their time and energy too (a busy core at 15 W, for
machines that do not count joules). What stands outside of the two marks in the card is written by people.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from memagent.evals import dev_sets
from memagent.models.encoder import BUNDLED
from memagent.models.reader import Reader
from memagent.models.understanding import Understanding
from memagent.training.conversations import load_conversations
from memagent.training.packs import load_packs
from memagent.training.written import load_hops, load_messages, load_pairs, load_readings

CARD = BUNDLED / "MODEL_CARD.md"
FIRST, LAST = "<!-- measured: written by memagent.training.card -->", "<!-- end of what was measured -->"
WATTS = 15.0


def sizes() -> list[str]:
    """A line for each file of weights, and their sum."""
    files = sorted(BUNDLED.glob("*.safetensors"))
    lines = [f"| `{file.name}` | {file.stat().st_size / 1e6:.2f} MB |" for file in files]
    return [*lines, f"| all | {sum(file.stat().st_size for file in files) / 1e6:.2f} MB |"]


def data() -> list[str]:
    """A line for each kind of training text in this repository."""
    conversations = load_conversations()
    counts = {
        "slots with templates": len(load_packs().slots),
        "messages by hand": len(load_messages()),
        "questions over a few messages, by hand": len(load_readings()),
        "of these never learned from, for judging": len(load_readings(held=True)),
        "questions over two messages, by hand": len(load_hops()),
        "pairs of claims, by hand": len(load_pairs()),
        "conversations by hand": len(conversations),
        "questions about them": sum(len(conversation.questions) for conversation in conversations),
    }
    return [f"| {name} | {count} |" for name, count in counts.items()]


def scores() -> list[str]:
    """A line for each score on the development sets."""
    misses: list[str] = []
    found = dev_sets.score_messages(Understanding(), misses) | dev_sets.score_reading(Reader(), misses)
    return [f"| {name} | {value:.3f} |" for name, value in found.items()]


def effort(runs: Sequence[Path]) -> list[str]:
    """Steps, hours and joules of each run, from its log; a resumed run counts each of its parts."""
    lines = []
    for run in runs:
        log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        ends = [a["seconds"] for a, b in zip(log, log[1:], strict=False) if b["seconds"] < a["seconds"]]
        seconds = sum(ends) + log[-1]["seconds"]
        steps = max(line.get("step", 0) for line in log)
        lines.append(f"| {run.name} | {steps} | {seconds / 3600:.2f} h | {seconds * WATTS / 1000:.0f} kJ |")
    return lines


def measured(runs: Sequence[Path]) -> str:
    """The part of the card between the marks."""
    parts = [
        ("| file | size |", sizes()),
        ("| training text | lines |", data()),
        ("| development set | score |", scores()),
    ]
    if runs:
        parts.append(("| run | steps | time | energy, at most |", effort(runs)))
    tables = [f"{head}\n|{'---|' * (head.count('|') - 1)}\n" + "\n".join(lines) for head, lines in parts]
    return f"{FIRST}\n\n" + "\n\n".join(tables) + f"\n\n{LAST}"


def write_card(runs: Sequence[Path] = ()) -> None:
    """Replace what was measured, or append it where the card has no such part yet."""
    text = CARD.read_text(encoding="utf-8")
    before, mark, rest = text.partition(FIRST)
    after = rest.partition(LAST)[2] if mark else ""
    CARD.write_text(f"{before.rstrip()}\n\n{measured(runs)}\n\n{after.strip()}".rstrip() + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*")
    write_card(parser.parse_args().runs)


if __name__ == "__main__":
    main()
