"""Readings from public sets, where a folder with them is given: QAMR (MIT), FriendsQA (Apache-2.0), Molweni (Apache-2.0).

Negatives are other sentences that share words with the question, or other utterances of the same conversation.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

from memagent.training.reading import Reading

LONGEST = 400


def load_readings(folder: Path | None, seed: int) -> list[Reading]:
    """All public readings in a stable order; empty without a folder."""
    if folder is None:
        return []
    rng = random.Random(seed)
    found = [*_qamr(folder / "qamr", rng), *_friendsqa(folder / "friendsqa", rng), *_molweni(folder / "molweni", rng)]
    return [reading for reading in found if len(reading.window) <= LONGEST]


def _detokenise(tokens: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """Plain text of Penn-style tokens, and where each token stands in it."""
    names = {"-LRB-": "(", "-RRB-": ")", "``": '"', "''": '"'}
    text, spans = "", []
    for raw in tokens:
        token = names.get(raw, raw)
        glue = not text or token in {".", ",", "?", "!", ")", ";", ":", "%"} or token.startswith("'") or token == "n't"
        if not glue and not text.endswith("("):
            text += " "
        spans.append((len(text), len(text) + len(token)))
        text += token
    return text, spans


def _qamr(folder: Path, rng: random.Random) -> list[Reading]:
    sentences = {}
    for line in (folder / "wiki-sentences.tsv").read_text(encoding="utf-8").splitlines():
        name, _, words = line.partition("\t")
        sentences[name] = words.split(" ")
    readings, by_word = [], defaultdict(set)
    for name, words in sentences.items():
        for word in words:
            if len(word) > 4:
                by_word[word.lower()].add(name)
    for file in ("filtered-dev.tsv", "filtered-test.tsv"):
        for line in (folder / file).read_text(encoding="utf-8").splitlines():
            columns = line.split("\t")
            name, question, answer = columns[0], columns[5], columns[6]
            if name not in sentences or not answer.strip():
                continue
            positions = sorted(map(int, answer.split()))
            if positions[-1] - positions[0] + 1 != len(positions):
                continue
            text, spans = _detokenise(sentences[name])
            readings.append(Reading(question, text, "span", (spans[positions[0]][0], spans[positions[-1]][1])))
            if rng.random() < 0.6:
                near = {other for word in question.lower().rstrip("?").split() for other in by_word.get(word, ())} - {
                    name
                }
                other = rng.choice(sorted(near)) if near else rng.choice(list(sentences))
                readings.append(Reading(question, _detokenise(sentences[other])[0], "none"))
    return readings


def _friendsqa(folder: Path, rng: random.Random) -> list[Reading]:
    readings = []
    for file in ("friendsqa_dev.json", "friendsqa_tst.json"):
        for scene in json.loads((folder / file).read_text(encoding="utf-8"))["data"]:
            for paragraph in scene["paragraphs"]:
                utterances = paragraph["utterances:"]
                windows = [f"{' '.join(u['speakers'])}: {u['utterance']}" for u in utterances]
                for qa in paragraph["qas"]:
                    for answer in qa["answers"][:1]:
                        row = int(answer["utterance_id"])
                        at = windows[row].find(answer["answer_text"])
                        if at >= 0:
                            span = (at, at + len(answer["answer_text"]))
                            readings.append(Reading(qa["question"], windows[row], "span", span))
                        other = rng.randrange(len(windows))
                        if other != row:
                            readings.append(Reading(qa["question"], windows[other], "none"))
    return readings


def _molweni(folder: Path, rng: random.Random) -> list[Reading]:
    readings = []
    for dialogue in json.loads((folder / "mrc-test.json").read_text(encoding="utf-8"))["data"]["dialogues"]:
        windows = [f"{edu['speaker']}: {edu['text']}" for edu in dialogue["edus"]]
        for qa in dialogue["qas"]:
            if qa["is_impossible"]:
                readings.append(Reading(qa["question"], rng.choice(windows), "none"))
                continue
            wanted = qa["answers"][0]["text"]
            for window in windows:
                at = window.find(wanted)
                if at >= 0:
                    readings.append(Reading(qa["question"], window, "span", (at, at + len(wanted))))
                    break
    return readings
