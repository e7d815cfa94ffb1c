"""Groups from public sets, where a folder with them is given.

QAMR (MIT): questions about single sentences. FriendsQA and Molweni (Apache-2.0): questions about conversations. Near
misses are sentences that share words with the question, other utterances of the same conversation, and the right
sentence with a name or noun of the question exchanged. Topical-Chat (CDLA-Sharing) and Synthetic-Persona-Chat (CC BY
4.0) give real talk in which nothing is answered.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from memagent.training.reading import WINDOWS, Group, Window

LONGEST = 320
Draw = Callable[[random.Random], Group]
# question, utterances with their speakers in front, row and span of the answer if there is one
DialogueQuestion = tuple[str, list[str], int | None, tuple[int, int] | None]


def load_groups(folder: Path | None) -> Sequence[Draw]:
    """One function a set, repeated by its weight; each draws a group. Empty without a folder."""
    if folder is None:
        return []
    qamr, friends, molweni = (
        Qamr(folder / "qamr"),
        friends_questions(folder / "friendsqa"),
        molweni_questions(folder / "molweni"),
    )
    weighted: list[tuple[Draw, int]] = [
        (qamr.draw, 14),
        (_Dialogues(friends).draw, 4),
        (_Dialogues(molweni).draw, 2),
    ]
    return [draw for draw, weight in weighted for _ in range(weight)]


def load_chatter(folder: Path | None) -> list[str]:
    """Utterances of real talk; empty without a folder."""
    if folder is None:
        return []
    lines: set[str] = set()
    for path in sorted((folder / "topicalchat" / "conversations").glob("valid_*.json.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for conversation in json.load(file).values():
                lines.update(turn["message"] for turn in conversation["content"])
    with (folder / "synthpersonachat" / "Synthetic-Persona-Chat_valid.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for line in row["Best Generated Conversation"].splitlines():
                lines.add(line.partition(": ")[2].strip())
    return sorted(line for line in lines if 20 < len(line) < 200)


class Qamr:
    """Questions about single sentences.

    `sentences` are text, spans of the tokens and tokens by name; `questions` are (question, name, span of the answer);
    `by_word` has the names of the sentences with a word.
    """

    def __init__(self, folder: Path) -> None:
        self.sentences: dict[str, tuple[str, list[tuple[int, int]], list[str]]] = {}
        self.by_word: dict[str, list[str]] = defaultdict(list)
        self.names: list[str] = []
        self.nouns: list[str] = []
        for line in (folder / "wiki-sentences.tsv").read_text(encoding="utf-8").splitlines():
            name, _, words = line.partition("\t")
            tokens = words.split(" ")
            text, spans = _detokenise(tokens)
            if len(text) > LONGEST:
                continue
            self.sentences[name] = (text, spans, tokens)
            for token in tokens:
                if len(token) > 4 and token.isalpha():
                    self.by_word[token.lower()].append(name)
                    (self.names if token[0].isupper() else self.nouns).append(token)
        self.questions = list(self._read(folder))

    def _read(self, folder: Path) -> Iterator[tuple[str, str, tuple[int, int]]]:
        for file in ("filtered-dev.tsv", "filtered-test.tsv"):
            for line in (folder / file).read_text(encoding="utf-8").splitlines():
                columns = line.split("\t")
                name, question, answer = columns[0], columns[5], sorted(map(int, columns[6].split() or ["-1"]))
                if name in self.sentences and answer[0] >= 0 and answer[-1] - answer[0] + 1 == len(answer):
                    spans = self.sentences[name][1]
                    yield question, name, (spans[answer[0]][0], spans[answer[-1]][1])

    def draw(self, rng: random.Random) -> Group:
        question, name, span = rng.choice(self.questions)
        text = self.sentences[name][0]
        windows: list[Window] = []
        roll = rng.random()
        if roll < 0.62:
            windows.append(Window(text, "span", span))
        elif roll < 0.85:
            changed = self._exchanged(question, name, text[span[0] : span[1]], rng)
            if changed is not None:
                question = changed
                windows.append(Window(text))
        words = [word for word in question.lower().rstrip("?").split() if word in self.by_word]
        while len(windows) < WINDOWS:
            near = rng.choice(self.by_word[rng.choice(words)]) if words else rng.choice(list(self.sentences))
            if near == name:
                near = rng.choice(list(self.sentences))
            windows.append(Window(self.sentences[near][0]))
        rng.shuffle(windows)
        return Group(question.lower() if rng.random() < 0.2 else question, tuple(windows))

    def _exchanged(self, question: str, name: str, answer: str, rng: random.Random) -> str | None:
        """The question about somebody or something else that the sentence does not mention."""
        tokens = set(self.sentences[name][2])
        words = question.rstrip("?").split()
        long = [word for word in words[1:] if len(word) > 4 and word.isalpha()]
        shared = [word for word in long if word in tokens and word not in answer]
        if not shared:
            return None
        names = [word for word in shared if word[0].isupper()]
        old = rng.choice(names or shared)
        new = rng.choice(self.names if old[0].isupper() else self.nouns)
        return None if new in tokens else question.replace(old, new)


class _Dialogues:
    """Groups of questions about conversations."""

    def __init__(self, items: list[DialogueQuestion]) -> None:
        self.items = items

    def draw(self, rng: random.Random) -> Group:
        question, utterances, row, span = rng.choice(self.items)
        others = [text for index, text in enumerate(utterances) if index != row and len(text) <= LONGEST]
        windows = [Window(text) for text in rng.sample(others, min(len(others), WINDOWS))]
        if row is not None and span is not None and len(utterances[row]) <= LONGEST and rng.random() < 0.75:
            windows = [*windows[: WINDOWS - 1], Window(utterances[row], "span", span)]
        rng.shuffle(windows)
        return Group(question, tuple(windows)) if windows else self.draw(rng)


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


def friends_questions(folder: Path) -> list[DialogueQuestion]:
    """FriendsQA: questions about scenes of a television series."""
    items: list[DialogueQuestion] = []
    for file in ("friendsqa_dev.json", "friendsqa_tst.json"):
        for scene in json.loads((folder / file).read_text(encoding="utf-8"))["data"]:
            for paragraph in scene["paragraphs"]:
                windows = [f"{' '.join(u['speakers'])}: {u['utterance']}" for u in paragraph["utterances:"]]
                for qa in paragraph["qas"]:
                    for answer in qa["answers"][:1]:
                        row, words = int(answer["utterance_id"]), answer["answer_text"]
                        at = windows[row].find(words) if row < len(windows) else -1
                        if at >= 0:
                            items.append((qa["question"], windows, row, (at, at + len(words))))
    return items


def molweni_questions(folder: Path) -> list[DialogueQuestion]:
    """Molweni: questions about chats on Ubuntu; some have no answer."""
    items: list[DialogueQuestion] = []
    for dialogue in json.loads((folder / "mrc-test.json").read_text(encoding="utf-8"))["data"]["dialogues"]:
        windows = [f"{edu['speaker']}: {edu['text']}" for edu in dialogue["edus"]]
        for qa in dialogue["qas"]:
            if qa["is_impossible"]:
                items.append((qa["question"], windows, None, None))
                continue
            words = qa["answers"][0]["text"]
            for row, window in enumerate(windows):
                at = window.find(words)
                if at >= 0:
                    items.append((qa["question"], windows, row, (at, at + len(words))))
                    break
    return items
