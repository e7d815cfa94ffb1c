"""Scenarios played on other systems: what is said is remembered, what is asked is searched for and read.

The shipped models stand around every system, so that memory is what is compared: *understanding* tells a question from
a statement, the reader answers from what the system found. Nothing is restarted or killed: a system keeps what it was
told through all sessions, which favours it. Only checks of the reply are judged.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memagent.agent.assemble import load_models
from memagent.config import Settings
from memagent.evals.benchmarks.answering import Answerer
from memagent.evals.benchmarks.conversation import TURN_SECONDS
from memagent.evals.benchmarks.conversation import Turn as SaidTurn
from memagent.evals.benchmarks.memory import Found
from memagent.evals.results import Answer, HitRecord, Run, used_file
from memagent.evals.scenarios.checks import failed_checks
from memagent.evals.scenarios.format import Checks, Scenario, Step, starts
from memagent.evals.scenarios.play import Turn
from memagent.evals.scenarios.runner import answers_of
from memagent.evals.scenarios.talk import SmallTalk
from memagent.evals.systems.index import IndexMemory, IndexSystem, Said, Vectors
from memagent.evals.text import occurs
from memagent.models.understanding import Understanding

ASKING = frozenset({"ask", "calculate"})
NOTED = "Noted."
SEARCHED = 20
HITS_KEPT = 20


class KnownVectors(Vectors):
    """Vectors that are made once a text: all scenarios hear the same small talk."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._known: dict[str, NDArray[np.float32]] = {}
        self.name = vectors.name
        self.dimension = vectors.dimension

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(new, self._vectors.texts(new), strict=True)
        return np.stack([self._known[text] for text in texts]) if texts else self._vectors.texts([])

    def question(self, text: str) -> NDArray[np.float32]:
        return self._vectors.question(text)


class OtherRunner:
    """Plays scenarios on one system."""

    def __init__(self, settings: Settings, system: IndexSystem, answerer: Answerer, seed: int) -> None:
        """Load the model that small talk is counted with. Raises ModelError."""
        self._chat, _ = load_models(settings)
        self._system = system
        self._answerer = answerer
        self._understanding = Understanding()
        self._seed = seed
        self._talk: dict[int, SmallTalk] = {}

    def describe(self, files: Sequence[Path]) -> Run:
        """What is about to be run. Raises NotFoundError and InputError for files that cannot be read."""
        return Run(
            "scenarios",
            self._system.name,
            tuple(used_file(path) for path in files),
            self._answerer.name,
            self._system.embedder,
            "",
            {"context_tokens": self._chat.context_tokens, "restart": "none"},
            self._seed,
        )

    def play(self, scenario: Scenario, repeat: int) -> list[Answer]:
        """The answers to what can be judged of a scenario."""
        judged = reply_checks_only(scenario)
        seed = self._seed + repeat - 1
        talk = self._talk.setdefault(seed, SmallTalk(seed, self._chat))
        with self._system.open() as memory:
            told = _Told(self, memory, talk)
            played = [
                [told.step(f"session {number}", at, index, step) for index, step in enumerate(sitting.steps, 1)]
                for number, (sitting, at) in enumerate(zip(judged.sittings, starts(judged.sittings), strict=True), 1)
            ]
        return list(answers_of(judged, repeat, played, ""))

    def reply(self, memory: IndexMemory, text: str, at: datetime) -> tuple[str, list[Found], int]:
        """The reply to what is said, what was found for it, and the tokens that were read."""
        if self._understanding.read(text).act not in ASKING:
            return NOTED, [], 0
        system = self._system
        found = memory.search(text, at, max(SEARCHED, system.reads))
        reply = self._answerer.reply(text, at, found, reads=system.reads, ranked=system.ranks)
        return reply.text, found, sum(self.count([found[index].text for index in reply.read]))

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return self._chat.count_tokens(list(texts)) if texts else []

    @property
    def context_tokens(self) -> int:
        return self._chat.context_tokens


class _Told:
    """One scenario's memory, filled as it is played."""

    def __init__(self, runner: OtherRunner, memory: IndexMemory, talk: SmallTalk) -> None:
        self._runner = runner
        self._memory = memory
        self._talk = talk
        self._talked: list[int] = []
        self._number = 0

    def step(self, sitting: str, start: datetime, number: int, step: Step) -> Turn:
        at = start + timedelta(seconds=TURN_SECONDS * number)
        tokens = step.filler(self._runner.context_tokens)
        if tokens:
            return Turn(number, self._fill(sitting, at, tokens))
        if step.document is not None:
            text = step.document.text
            self._add(sitting, at, [(part, "") for part in text.split("\n\n") if part.strip()])
            return Turn(number, sum(self._runner.count([text])))
        return self._say(sitting, at, number, step)

    def _fill(self, sitting: str, at: datetime, tokens: int) -> int:
        parts = self._talk.part(self._talked, tokens)
        self._talked.append(tokens)
        exchanges = [part.exchange for part in parts]
        self._add(sitting, at, [line for each in exchanges for line in ((each.said, ""), (each.reply, "assistant"))])
        return sum(part.tokens for part in parts)

    def _say(self, sitting: str, at: datetime, number: int, step: Step) -> Turn:
        started, used = time.perf_counter(), time.process_time()
        reply, found, read = self._runner.reply(self._memory, step.say, at)
        self._add(sitting, at, [(step.say, "")])
        milliseconds, cpu = (time.perf_counter() - started) * 1000, time.process_time() - used
        said, replied = self._runner.count([step.say, reply])
        failed = failed_checks(step.checks, reply, 0, lambda query: ())
        hits = tuple(_records(found[:HITS_KEPT], step.checks))
        return Turn(number, said, reply, replied, read, milliseconds, cpu, failed=failed, hits=hits)

    def _add(self, sitting: str, at: datetime, lines: Sequence[tuple[str, str]]) -> None:
        said = []
        for text, role in lines:
            self._number += 1
            name = f"{sitting}, {at:%Y-%m-%d}, {self._number}"
            said.append(Said(SaidTurn(name, text, "", "assistant" if role else "user"), sitting, at))
        self._memory.add(said)


def reply_checks_only(scenario: Scenario) -> Scenario:
    """The scenario without what looks into memagent's own tables."""

    def stripped(steps: Sequence[Step]) -> tuple[Step, ...]:
        return tuple(replace(step, checks=replace(step.checks, stores=None, sql=None)) for step in steps)

    sittings = tuple(replace(sitting, steps=stripped(sitting.steps)) for sitting in scenario.sittings)
    return replace(scenario, sittings=sittings)


def _records(found: Sequence[Found], checks: Checks) -> Iterator[HitRecord]:
    for hit in found:
        gold = any(occurs(word, hit.text) for choice in checks.wanted for word in choice)
        yield HitRecord("message", hit.id, hit.turn, hit.text, hit.score, {}, gold)
