"""Hand-written training lines beside the packs: messages with their labels, and questions with earlier messages.

They are in the style of real people, which templates are not. Each line is used many times, with fresh noise; the
hand-written *development* sets are other lines by another hand, and a test keeps the two apart.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from memagent.errors import InputError
from memagent.models.evidence import bridged
from memagent.models.labels import ACTS, KINDS, MODES, OTHER_SLOT, PAIRS
from memagent.training.compose import Span
from memagent.training.examples import Example, FactLabel, forget_mode
from memagent.training.pairs import Pair
from memagent.training.reading import Group, Window

FOLDER = Path(__file__).parent / "packs"


def load_messages(*, held: bool | None = None) -> list[Example]:
    """Hand-written messages: all, those that *read* learns questions about, or the fifth that is `held` for judging.

    Raises InputError for a label that is not in the text.
    """
    return [_example(line) for line in _lines("messages_*.jsonl") if held is None or held == _is_held([line["text"]])]


def load_readings(*, held: bool | None = None) -> list[Group]:
    """Hand-written groups: all, those that *read* learns from, or the fifth that is `held` for judging what it reads.

    Groups that share their windows are on the same side. Raises InputError for an answer that is not in its window.
    """
    lines = _lines("readings_*.jsonl")
    return [_group(line) for line in lines if held is None or held == _is_held(line["windows"])]


def load_hops() -> list[Group]:
    """Groups whose windows join two messages: who somebody is, and what was said of them by name.

    Only the right pair answers: not the same words behind another person's link, nor without a link.
    """
    return [_hop(line) for line in _lines("hops_*.jsonl")]


def load_pairs() -> list[Pair]:
    """All hand-written pairs of claims. Raises InputError for an unknown label or a value that is not in its claim."""
    return [_pair(line) for line in _lines("pairs_*.jsonl")]


def _lines(pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in sorted(FOLDER.glob(pattern))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def _is_held(windows: list[str]) -> bool:
    return zlib.crc32(min(windows).encode()) % 5 == 0


def _example(line: dict[str, Any]) -> Example:
    text, context = line["text"], line.get("context") or ""
    facts = tuple(
        FactLabel(
            _find(fact["value"], text),
            _subject(fact["subject"], text, context),
            fact.get("slot") or OTHER_SLOT,
            fact["kind"] if fact["kind"] in KINDS else "fact",
            bool(fact["single"]),
        )
        for fact in line.get("facts", ())
    )
    asked = line.get("subject")
    slot = (line.get("slot") or OTHER_SLOT) if asked else None
    act = line["act"]
    mode = forget_mode(text) if act == "forget" else line.get("mode") or "value"
    if act not in ACTS or mode not in MODES:
        raise InputError(f"unknown act or mode in {text!r}", "see memagent/models/labels.py")
    subject = _subject(asked, text, context) if asked else None
    return Example(text, act, context, mode=mode, facts=facts, slot=slot, subject=subject, subject_known=bool(asked))


def _group(line: dict[str, Any]) -> Group:
    answers: dict[int, str] = {}
    if isinstance(line["in"], list):  # a list, or amounts to be added: several windows answer
        answers = dict(zip(line["in"], line["answer"], strict=True))
    elif line["in"] is not None:
        answers = {line["in"]: line["answer"]}
    windows = [
        Window(text, "span", _find(answers[index], text)) if index in answers else Window(text)
        for index, text in enumerate(line["windows"])
    ]
    return Group(line["question"], tuple(windows))


def _hop(line: dict[str, Any]) -> Group:
    links, targets, right = line["links"], line["targets"], line["right"]
    pairs = [(link, target) for link in range(len(links)) for target in range(len(targets))]
    windows = []
    for link, target in pairs:
        text = bridged(links[link], targets[target])
        if right is not None and [link, target] == list(right):
            at = len(text) - len(targets[target]) + _find(line["answer"], targets[target])[0]
            windows.append(Window(text, "span", (at, at + len(line["answer"]))))
        else:
            windows.append(Window(text))
    if right is not None:
        windows.append(Window(targets[right[1]]))
    return Group(line["question"], tuple(windows))


def _pair(line: dict[str, Any]) -> Pair:
    new, old, label = line["new"], line["old"], line["label"]
    if label not in PAIRS:
        raise InputError(f"unknown label {label!r} of {new!r}", "see memagent/models/labels.py")
    return Pair(new, _find(line["new_value"], new), old, _find(line["old_value"], old), label)


def _find(words: str, text: str) -> Span:
    at = text.find(words)
    if at < 0:
        raise InputError(f"{words!r} is not in {text!r}", "correct the line")
    return at, at + len(words)


def _subject(words: str, text: str, context: str) -> tuple[int, Span] | None:
    if words == "user":
        return None
    if words in text:
        return 0, _find(words, text)
    return 1, _find(words, context)
