"""Runs a benchmark: every conversation into a memory of its own, every question asked of it, each answer kept."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from memagent.errors import InputError
from memagent.evals.benchmarks import locomo, longmemeval, questions
from memagent.evals.benchmarks.answering import Answerer, Reply
from memagent.evals.benchmarks.conversation import Case, Conversation, Question, Sitting, Turn
from memagent.evals.benchmarks.memory import Found, Memory, System
from memagent.evals.benchmarks.scoring import judge
from memagent.evals.energy import EnergyMeter, open_meter
from memagent.evals.results import Answer, Fill, HitRecord, Kind, Run, RunFolder, used_file
from memagent.models.encoder import tokenizer

LOADERS: Mapping[Kind, Callable[[Path], Iterator[Case]]] = {
    "locomo": locomo.load,
    "longmemeval": longmemeval.load,
    "questions": questions.load,
}
HITS_KEPT = 20
CHARACTERS_KEPT = 400  # of the text of a hit
SEARCHED = 100  # turns: from those the sessions are ranked
WARM_UP = Conversation("warm-up", (Sitting("s1", datetime(2000, 1, 1, tzinfo=UTC), (Turn("t1", "Ready."),)),))

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is run. `limit` conversations at most; `ks` are the depths at which rankings are judged.

    With `cached` a memory may be filled already, and how long filling takes is not kept.
    """

    kind: Kind
    path: Path
    ks: tuple[int, ...] = (5, 10)
    limit: int | None = None
    searched: int = SEARCHED
    cached: bool = False

    def cases(self) -> Iterator[Case]:
        """Raises NotFoundError and InputError for a file that cannot be read."""
        return itertools.islice(LOADERS[self.kind](self.path), self.limit)

    def count(self) -> int:
        """How many questions there are; all is read, so that what is wrong is said before anything is run."""
        number = sum(len(case.questions) for case in self.cases())
        if not number:
            raise InputError(f"{self.path} asks no questions", "a benchmark needs questions")
        return number


def describe(plan: Plan, system: System, answerer: Answerer | None) -> Run:
    """What is about to be run. Raises NotFoundError and InputError."""
    return Run(
        plan.kind,
        system.name,
        (used_file(plan.path),),
        answerer.name if answerer is not None else "",
        system.embedder,
        "answers" if answerer is not None else "retrieval",
        {"k": list(plan.ks), "limit": plan.limit, "searched": plan.searched},
        seed=0,
    )


def run_benchmark(plan: Plan, system: System, answerer: Answerer | None, folder: RunFolder, progress: Progress) -> None:
    """Ask what has not been asked yet. Raises what reading, the system and the folder raise."""
    total, done = plan.count(), 0
    if answerer is None and not system.ranks:
        raise InputError(f"{system.name} ranks nothing that could be judged", "run it with --answers")
    meter, warm = open_meter(), plan.cached
    for case in plan.cases():
        left = [question for question in case.questions if (question.id, 1) not in folder.done]
        done += len(case.questions) - len(left)
        if not left:
            continue
        progress(done, total)
        if not warm:
            warm_up(system)
            warm = True
        distances = Distances(case.conversation)
        asker = Asker(plan, case.conversation, system, answerer, distances, meter)
        started, cpu = time.perf_counter(), time.process_time()
        with system.remember(case.conversation) as memory:
            if not plan.cached:
                seconds, used = time.perf_counter() - started, time.process_time() - cpu
                turns = sum(1 for _ in case.conversation.turns())
                folder.add_fill(Fill(case.conversation.id, turns, round(seconds, 6), round(used, 6)))
            for question in left:
                folder.add([asker.ask(question, memory)])
                done += 1
                progress(done, total)


def warm_up(system: System) -> None:
    """Have the system load its libraries, so that this is not measured."""
    with system.remember(WARM_UP) as memory:
        memory.search("ready?", WARM_UP.end, 1)


@dataclass(frozen=True)
class Asker:
    """Asks about one conversation: a question is searched for, answered, judged."""

    plan: Plan
    conversation: Conversation
    system: System
    answerer: Answerer | None
    distances: Distances
    meter: EnergyMeter | None

    def ask(self, question: Question, memory: Memory) -> Answer:
        plan, system = self.plan, self.system
        if self.meter is not None:
            self.meter.lap()
        started, cpu = time.perf_counter(), time.process_time()
        found = memory.search(question.text, question.asked_at, max(plan.searched, system.reads, *plan.ks))
        searched = time.perf_counter()
        reply = self._reply(question, found)
        ended, cpu = time.perf_counter(), time.process_time() - cpu
        costs = {"search_ms": (searched - started) * 1000, "read_ms": (ended - searched) * 1000}
        if self.meter is not None:
            costs["joules"] = self.meter.lap()
        verdict = judge(plan.kind, self.conversation, question, found, reply, plan.ks, ranked=system.ranks)
        confidence = {} if reply is None else {"confidence": reply.confidence}
        return Answer(
            question.id,
            self.conversation.id,
            (question.category,),
            question.text,
            "" if reply is None else reply.text,
            question.answers,
            not verdict.failed,
            verdict.failed,
            {name: round(value, 6) for name, value in {**verdict.scores, **confidence, **costs}.items()},
            tuple(_record(question, turn) for turn in found[:HITS_KEPT]),
            round((ended - started) * 1000, 3),
            round(cpu, 6),
            _read_tokens(found, reply),
            0 if reply is None else count_tokens([reply.text])[0],
            self.distances.of(question),
        )

    def _reply(self, question: Question, found: Sequence[Found]) -> Reply | None:
        if self.answerer is None:
            return None
        system = self.system
        return self.answerer.reply(question.text, question.asked_at, found, reads=system.reads, ranked=system.ranks)


def _record(question: Question, found: Found) -> HitRecord:
    return HitRecord(
        "message",
        found.id,
        found.turn,
        found.text[:CHARACTERS_KEPT],
        round(found.score, 6),
        {name: round(score, 6) for name, score in found.channels.items()},
        found.turn in question.evidence,
    )


def _read_tokens(found: Sequence[Found], reply: Reply | None) -> int:
    """Tokens of the windows that the reader was given."""
    return 0 if reply is None else sum(count_tokens([found[index].text for index in reply.read]))


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Word pieces of each text."""
    return [len(encoding.ids) for encoding in tokenizer().encode_batch(list(texts), add_special_tokens=False)]


class Distances:
    """How many tokens of a conversation lie between a turn and its end, where the questions are asked."""

    def __init__(self, conversation: Conversation) -> None:
        turns = [turn for _, _, turn in conversation.turns()]
        self._after: dict[str, int] = {}
        after = 0
        for turn, tokens in zip(reversed(turns), reversed(count_tokens([turn.text for turn in turns])), strict=True):
            self._after[turn.id] = after
            after += tokens

    def of(self, question: Question) -> int | None:
        """To the farthest turn that the answer needs; None where no evidence is given."""
        return max((self._after[turn] for turn in question.evidence), default=None)
