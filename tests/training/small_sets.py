"""The sources of the embedder's training, in their forms and in small."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from memagent.training.conversations import Asked, Conversation, Sitting, Turn
from memagent.training.reading import Group, Window

READINGS = [
    Group("who is the vet?", (Window("the vet is Dr Soto", "span", (11, 18)), Window("the car is red"))),
    Group("is it raining?", (Window("it rains", "yes"), Window("my dog is Rex"), Window("lunch was good"))),
]


def write_public_sets(folder: Path) -> None:
    """QAMR, FriendsQA and Molweni."""
    for name in ("qamr", "friendsqa", "molweni"):
        (folder / name).mkdir()
    sentences = [f"Archaea number{n} lives within the sponge Axinella kind{n} ." for n in range(6)]
    lines = [f"s{n}\t{sentence}" for n, sentence in enumerate(sentences)]
    (folder / "qamr" / "wiki-sentences.tsv").write_text("\n".join(lines), encoding="utf-8")
    asked = [f"s{n}\t0\t0\t0\t0\tWhat lives within the sponge kind{n}?\t0 1\t0\t0" for n in range(6)]
    for name in ("filtered-dev.tsv", "filtered-test.tsv"):
        (folder / "qamr" / name).write_text("\n".join(asked), encoding="utf-8")
    spoken = [{"speakers": ["Ross Geller"], "utterance": f"line {n} says breathe ."} for n in range(5)]
    question = {"question": "What does line 3 say?", "answers": [{"utterance_id": 3, "answer_text": "breathe"}]}
    scene = {"data": [{"paragraphs": [{"utterances:": spoken, "qas": [question]}]}]}
    for name in ("friendsqa_dev.json", "friendsqa_tst.json"):
        (folder / "friendsqa" / name).write_text(json.dumps(scene), encoding="utf-8")
    edus = [{"speaker": "nit-wit", "text": f"mount it with fstab {n}"} for n in range(4)]
    qas = [
        {"question": "How?", "is_impossible": False, "answers": [{"text": "fstab 2"}]},
        {"question": "Who?", "is_impossible": True, "answers": []},
    ]
    chat = {"data": {"dialogues": [{"edus": edus, "qas": qas}]}}
    (folder / "molweni" / "mrc-test.json").write_text(json.dumps(chat), encoding="utf-8")


def conversation() -> Conversation:
    """Two sittings of Ana and Bo; three questions, one of which nothing answers."""

    def sitting(number: int, *texts: str) -> Sitting:
        turns = (Turn(f"{number}:{at}", ("Ana", "Bo")[at % 2], text) for at, text in enumerate(texts))
        return Sitting(datetime(2026, number, 1), tuple(turns))

    return Conversation(
        "c",
        ("Ana", "Bo"),
        (
            sitting(1, "hello", "my canoe sank", "oh no", "in the lake", "which lake?", "Windermere", "brr", "yes"),
            sitting(2, "hi again", "I bought a kayak", "what colour?", "green", "nice", "thanks", "bye", "bye"),
        ),
        (
            Asked("What sank Bo's day?", "single", "a canoe", ("1:1",), (), None),
            Asked("Which boats did Bo have?", "multi", "canoe, kayak", ("2:1", "1:1"), (), None),
            Asked("Where is Ana's boat?", "adversarial", None, ("1:3",), (), None),
        ),
    )
