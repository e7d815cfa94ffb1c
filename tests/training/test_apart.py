"""The development sets measure what the training packs do not contain.

Two rules, on lower-case words without apostrophes. No text of `memagent/evals/dev` or `suite` is an instance of a
template with at least `LONG` words of its own; and none shares `GRAM` words in a row with a template, placeholders
standing for any one word, where at least `CONTENT` of them carry meaning. What is shorter ("hi", "forget that") is
common property.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import yaml

from memagent.evals import dev_sets
from memagent.memory.words import STOP_WORDS
from memagent.training.packs import PLACEHOLDER, load_packs
from memagent.training.written import FOLDER, load_hops, load_messages, load_pairs, load_readings

SUITE = dev_sets.FOLDER.parent / "suite"
GRAM = 6
LONG = 5
CONTENT = 3
WORD = re.compile(r"[^\W_]+")
ANY = ""  # a placeholder's word
PLAIN_STOP_WORDS = {word.replace("'", "") for word in STOP_WORDS}

Gram = tuple[str, ...]


def words(text: str) -> list[str]:
    return WORD.findall(text.replace("’", "'").replace("'", "").casefold())


@cache
def dev_texts() -> frozenset[str]:
    """Every sentence of the development sets and the suite: messages and contexts, questions and evidence, turns."""
    texts = set()
    for line in dev_sets.load("messages.jsonl"):
        texts |= {line["text"], *line["context"]}
    for line in dev_sets.load("reading.jsonl"):
        texts |= {line["question"], *line["evidence"]}
    for file in [*dev_sets.FOLDER.glob("*.yaml"), *SUITE.glob("*.yaml")]:
        texts |= said_in(file)
    return frozenset(texts)


def said_in(file: Path) -> set[str]:
    """What is said in the turns of a scenario file."""
    scenarios = yaml.safe_load(file.read_text(encoding="utf-8"))["scenarios"]
    sessions = [session for scenario in scenarios for session in scenario["sessions"]]
    turns = [turn for session in sessions for turn in (session if isinstance(session, list) else session["turns"])]
    return {turn if isinstance(turn, str) else turn.get("say", "") for turn in turns} - {""}


@cache
def templates() -> frozenset[str]:
    """Every sentence of the packs, placeholders and all, and every hand-written training line."""
    packs = load_packs()
    kinds = ("states", "asks", "changes", "befores", "yesnos", "forgets", "lists", "whens")
    found = {template for slot in packs.slots for kind in kinds for template in getattr(slot, kind)}
    written = {text for example in load_messages() for text in (example.text, example.context) if text}
    groups = [*load_readings(), *load_hops()]
    written |= {text for group in groups for text in (group.question, *(window.text for window in group.windows))}
    written |= {text for pair in load_pairs() for text in (pair.new, pair.old)}
    written = written.union(*(said_in(file) for file in FOLDER.glob("scenarios_*.yaml")))
    return frozenset(found.union(written, *packs.acts.values()))


def forms(template: str) -> Iterator[list[str]]:
    """The words of a template, once for each choice of `[x|y]`; another placeholder is ANY."""
    parts = PLACEHOLDER.split(template)
    choices: list[list[list[str]]] = []
    for number, piece in enumerate(parts):
        if number % 2 == 0:
            choices.append([words(piece)])
        else:
            choices.append([words(form) for form in piece.split("|")] if "|" in piece else [[ANY]])
    for chosen in product(*choices):
        yield [word for piece in chosen for word in piece]


def grams(text: Sequence[str]) -> Iterator[Gram]:
    return (tuple(text[at : at + GRAM]) for at in range(len(text) - GRAM + 1))


def index(texts: Iterable[str]) -> dict[Gram, set[str]]:
    """Texts by their runs of GRAM words, whole and with any one word left open."""
    found: dict[Gram, set[str]] = defaultdict(set)
    for text in texts:
        for gram in grams(words(text)):
            found[gram].add(text)
            for at in range(GRAM):
                found[(*gram[:at], ANY, *gram[at + 1 :])].add(text)
    return found


def carries_meaning(gram: Gram) -> bool:
    return len({word for word in gram if word} - PLAIN_STOP_WORDS) >= CONTENT


def collisions(texts: Iterable[str], packs: Iterable[str]) -> set[tuple[str, str]]:
    """Pairs of a template and a development text that are too much alike."""
    by_gram = index(texts)
    by_word: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for word in words(text):
            by_word[word].add(text)
    found = set()
    for template in packs:
        for form in forms(template):
            shared = (by_gram.get(gram, set()) for gram in grams(form) if carries_meaning(gram))
            found |= {(template, text) for several in shared for text in several}
            own = [word for word in form if word]
            if len(own) >= LONG:
                pattern = re.compile(" ".join(word or r"\w+(?: \w+){0,5}?" for word in form))
                alike = set.intersection(*(by_word.get(word, set()) for word in own))
                found |= {(template, text) for text in alike if pattern.fullmatch(" ".join(words(text)))}
    return found


@pytest.mark.slow
def test_the_development_sets_are_not_in_the_packs() -> None:
    assert len(dev_texts()) > 1000 and len(templates()) > 5000
    assert sorted(collisions(dev_texts(), templates())) == []


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("The boiler's serviced by a firm called Hartnell", "the boilers serviced by a firm called [V]"),
        ("mum gets her teeth done by Dr Ines Soto, on Elm Road", "[S] [get|gets] [my|her] teeth done by [V]"),
        ("who do you reckon looks after my boiler?", "who do you reckon looks after [S's] boiler"),
        ("well, you know, the spare key hangs behind blue door panels", "the spare key hangs behind [V] door"),
    ],
)
def test_a_copied_template_is_found(text: str, template: str) -> None:
    assert collisions([text], [template]) == {(template, text)}


def test_a_template_copied_into_a_development_set_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = next(t for t in sorted(templates()) if len(words(t)) > 8 and "[" not in t)
    copied = json.dumps({"text": f"Oh: {template}!", "context": []})
    for file in dev_sets.FOLDER.iterdir():
        extra = f"{copied}\n" if file.name == "messages.jsonl" else ""
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8") + extra, encoding="utf-8")
    monkeypatch.setattr(dev_sets, "FOLDER", tmp_path)
    dev_texts.cache_clear()
    try:
        assert (template, f"Oh: {template}!") in collisions(dev_texts(), templates())
    finally:
        dev_texts.cache_clear()


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("hi", "hi"),
        ("forget that", "forget that"),
        ("what was the name of the vet who treated Rufus?", "what was the name of the one over the fence"),
        ("my sister lives in Porto", "[S] [live|lives] in [V]"),
    ],
)
def test_common_property_is_no_collision(text: str, template: str) -> None:
    assert collisions([text], [template]) == set()
