"""Scores of the shipped models on the hand-written development sets beside this file.

    python -m memagent.evals.dev_sets [--misses]

The sets were written before the training data and by another hand; a test keeps the two apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from memagent.evals.text import folded
from memagent.models.labels import ACTS
from memagent.models.reader import Reader
from memagent.models.understanding import Understanding

FOLDER = Path(__file__).parent / "dev"
SURE = 0.5


def load(name: str) -> list[dict[str, Any]]:
    """The lines of a development set."""
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def score_messages(understanding: Understanding, misses: list[str]) -> dict[str, float]:
    """Recall by act and its macro average; values found, exact, with their subject; silence where there is nothing."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in load("messages.jsonl"):
        context = line["context"][0] if line["context"] else ""
        understood = understanding.read(line["text"], context)
        total[line["act"]] += 1
        right[line["act"]] += understood.act == line["act"]
        if understood.act != line["act"]:
            misses.append(f"act {line['act']} taken for {understood.act}: {line['text']!r} after {context!r}")
        found = {value.words.casefold(): value for value in understood.values}
        for fact in line["facts"]:
            wanted = fact["value"].casefold()
            total["values"] += 1
            near = [value for words, value in found.items() if wanted in words or words in wanted]
            right["values present"] += bool(near)
            right["values exact"] += wanted in found
            if wanted not in found:
                misses.append(f"value {fact['value']!r}: found {list(found)} in {line['text']!r}")
            elif near:
                subject = near[0].subject.words if near[0].subject else "user"
                right["subject"] += folded(subject) == folded(fact["subject"])
                total["subject"] += 1
                if folded(subject) != folded(fact["subject"]):
                    misses.append(f"subject {fact['subject']!r}: found {subject!r} in {line['text']!r}")
    scores = {act: right[act] / total[act] for act in ACTS}
    scores["macro"] = sum(scores.values()) / len(scores)
    scores["values present"] = right["values present"] / total["values"]
    scores["values exact"] = right["values exact"] / total["values"]
    scores["subject of exact values"] = right["subject"] / total["subject"]
    return scores


def score_reading(reader: Reader, misses: list[str]) -> dict[str, float]:
    """Answerable questions answered right, and near misses refused."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in load("reading.jsonl"):
        answers = reader.read(line["question"], line["evidence"])
        best = max(answers, key=lambda answer: answer.probability)
        kind = "refused" if line["answer"] is None else "answered"
        total[kind] += 1
        if line["answer"] is None:
            held = best.probability < SURE
        else:
            wanted, said = folded(line["answer"]), folded(best.words)
            held = best.probability >= SURE and bool(said) and (wanted in said or said in wanted)
            right["exact"] += held and wanted == said
        right[kind] += held
        if not held:
            misses.append(f"{line['question']!r} {line['answer']!r}: {best.words!r} {best.probability:.2f}")
    scores = {kind: right[kind] / total[kind] for kind in ("answered", "refused")}
    scores["exact span"] = right["exact"] / total["answered"]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true")
    arguments = parser.parse_args()
    misses: list[str] = []
    for name, scores in (
        ("messages", score_messages(Understanding(), misses)),
        ("reading", score_reading(Reader(), misses)),
    ):
        print(name)
        for key, value in scores.items():
            print(f"  {key:24} {value:.3f}")
    if arguments.misses:
        print("\n".join(misses))


if __name__ == "__main__":
    main()
