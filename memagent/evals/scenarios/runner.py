"""Runs scenarios: a store of its own for each, a new process for each session, an answer for each checked turn."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from queue import SimpleQueue

from memagent.config import STORE_FILE, Settings
from memagent.errors import InputError
from memagent.evals.results import Answer, Run, used_file
from memagent.evals.scenarios.format import Scenario, Sitting, Step, starts
from memagent.evals.scenarios.play import NOT_ANSWERED, Session, Turn, read_record
from memagent.evals.scenarios.processes import InProcess, Loaded, Player, Processes, Progress, Shelf
from memagent.evals.text import occurs

SECONDS = 600.0  # a session may take
NOT_PART_OF_A_RUN = {"home", "store_url", "vector_url", "now", "sources", "model", "mode"}


@dataclass(frozen=True)
class Plan:
    """How scenarios are run. `seed` is that of the small talk; the second repeat has the next one."""

    repeat: int = 1
    jobs: int = 1
    seed: int = 7
    in_process: bool = False
    seconds: float = SECONDS


@dataclass(frozen=True)
class Result:
    """A scenario that has been run once: its answers, and what its processes wrote to stderr."""

    scenario: Scenario
    repeat: int
    answers: tuple[Answer, ...]
    errors: str


class ScenarioRunner:
    """Scenarios with loaded models. Use it within `open_runner`."""

    def __init__(
        self, settings: Settings, plan: Plan, loaded: Loaded, processes: Processes | None, shelf: Shelf | None
    ):
        self.settings = settings
        self.plan = plan
        self.loaded = loaded
        self._processes = processes
        self._shelf = shelf

    def describe(self, files: Sequence[Path]) -> Run:
        """What is about to be run. Raises NotFoundError and InputError for files that cannot be read."""
        settings = {item.name: getattr(self.settings, item.name) for item in fields(Settings)}
        kept = {name: value for name, value in settings.items() if name not in NOT_PART_OF_A_RUN}
        restart = "none" if self.plan.in_process else "fork" if self.loaded.forks else "spawn"
        return Run(
            "scenarios",
            "memagent",
            tuple(used_file(path) for path in files),
            self.loaded.model,
            self.loaded.embedder,
            str(settings.get("mode", "")),
            kept | {"context_tokens": self.loaded.context_tokens, "restart": restart, "jobs": self.plan.jobs},
            self.plan.seed,
        )

    def run(self, wanted: Sequence[tuple[Scenario, int]], progress: Progress) -> Generator[Result, None, None]:
        """Run scenarios, each as the repeat of that number, and yield each as it is over; `progress` is that of the
        small talk, in messages. Raises ModelError where nothing more can be run."""
        if self.plan.in_process:
            for scenario, _ in wanted:
                if any(sitting.killed for sitting in scenario.sittings):
                    raise InputError(f"{scenario.id} kills its process", "run it without --in-process")
        players: SimpleQueue[Player] = SimpleQueue()
        for player in self._players(wanted, progress):
            players.put(player)

        def play(scenario: Scenario, repeat: int) -> Result:
            player = players.get()
            try:
                return play_scenario(scenario, repeat, player, self.settings, self.plan, self.loaded.context_tokens)
            finally:
                players.put(player)

        pool = ThreadPoolExecutor(self.plan.jobs, thread_name_prefix="scenarios")
        running: list[Future[Result]] = []
        try:
            running += [pool.submit(play, scenario, repeat) for scenario, repeat in wanted]
            for future in as_completed(running):
                yield future.result()
        finally:
            if self._processes is not None and not all(future.done() for future in running):
                self._processes.stop()
            pool.shutdown(cancel_futures=True)

    def _players(self, wanted: Sequence[tuple[Scenario, int]], progress: Progress) -> Sequence[Player]:
        talk: dict[int, int] = {}
        for scenario, repeat in wanted:
            seed = self.plan.seed + repeat - 1
            tokens = sum(fillers(scenario.sittings, self.loaded.context_tokens))
            talk[seed] = max(tokens, talk.get(seed, 0))
        if self._processes is not None:
            return self._processes.prepare(talk, progress)
        assert self._shelf is not None
        self._shelf.prepare(talk, progress)
        return [InProcess(self._shelf)]


@contextmanager
def open_runner(settings: Settings, plan: Plan) -> Iterator[ScenarioRunner]:
    """Load the models that the settings name, in processes or here. Raises ModelError and InputError."""
    if plan.in_process:
        if plan.jobs > 1:
            raise InputError("one process plays one session at a time", "leave out --jobs or --in-process")
        shelf = Shelf(settings)
        yield ScenarioRunner(settings, plan, shelf.loaded(forks=False), None, shelf)
        return
    with Processes(settings, plan.jobs) as processes:
        yield ScenarioRunner(settings, plan, processes.loaded, processes, None)


def fillers(sittings: Sequence[Sitting], context_tokens: int) -> list[int]:
    """The tokens of each piece of small talk, in order."""
    return [tokens for sitting in sittings for step in sitting.steps if (tokens := step.filler(context_tokens))]


def play_scenario(
    scenario: Scenario, repeat: int, player: Player, settings: Settings, plan: Plan, context_tokens: int
) -> Result:
    """Play the sessions one after the other; when one does not end as it should, the others are not played."""
    played: list[list[Turn]] = []
    errors: list[str] = []
    reason = ""
    with tempfile.TemporaryDirectory(prefix="memagent-eval-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        own = replace(settings, home=home, store_url=f"sqlite:///{home / STORE_FILE}", vector_url=None)
        for number, (sitting, start) in enumerate(zip(scenario.sittings, starts(scenario.sittings), strict=True), 1):
            session = Session(
                own,
                number,
                sitting,
                start,
                plan.seed + repeat - 1,
                tuple(fillers(scenario.sittings[: number - 1], context_tokens)),
                home / f"session-{number}.jsonl",
                home / f"session-{number}.log",
            )
            reason = player.play(session, plan.seconds)
            played.append(read_record(session.record))
            if session.errors.exists() and (said := session.errors.read_text(encoding="utf-8", errors="replace")):
                errors.append(f"--- {scenario.id}, session {number}\n{said}")
            if reason or len(played[-1]) < len(sitting.steps):
                reason = reason or f"session {number} ended before its last turn"
                break
    return Result(scenario, repeat, tuple(answers_of(scenario, repeat, played, reason)), "".join(errors))


def answers_of(scenario: Scenario, repeat: int, played: Sequence[Sequence[Turn]], reason: str) -> Iterator[Answer]:
    """An answer for each turn with checks, and for each that failed without any.

    Where a session did not end as it should, `reason` says why: what it did not answer has failed, and when all was
    answered its last turn has.
    """
    heard: list[tuple[Step, Turn]] = []
    lost = False
    for index, sitting in enumerate(scenario.sittings):
        turns = played[index] if index < len(played) else ()
        broke = bool(reason) and index == len(played) - 1
        for number, step in enumerate(sitting.steps, 1):
            turn = turns[number - 1] if number <= len(turns) else None
            if turn is None and reason:
                failed = Turn(number, 0, failed=(NOT_ANSWERED,), error=reason)
                if step.checks or not lost:
                    yield _answer(scenario, index + 1, step, failed, repeat, heard)
                lost = True
                continue
            assert turn is not None
            if broke and number == len(sitting.steps):
                turn, lost = replace(turn, failed=(*turn.failed, "end"), error=reason), True
            if step.checks or turn.failed:
                yield _answer(scenario, index + 1, step, turn, repeat, heard)
            heard.append((step, turn))


def _answer(
    scenario: Scenario, sitting: int, step: Step, turn: Turn, repeat: int, heard: Sequence[tuple[Step, Turn]]
) -> Answer:
    return Answer(
        id=f"{scenario.id}#{sitting}.{turn.number}",
        group=scenario.id,
        tags=scenario.tags,
        question=step.say,
        reply=turn.reply,
        expected=step.checks.in_words(),
        passed=not turn.failed,
        failed=turn.failed,
        scores={"facts stored": float(turn.stored)},
        hits=turn.hits,
        milliseconds=round(turn.milliseconds, 3),
        cpu_seconds=round(turn.cpu_seconds, 6),
        prompt_tokens=turn.prompt_tokens,
        reply_tokens=turn.reply_tokens,
        distance_tokens=distance(step, heard),
        repeat=repeat,
        error=turn.error,
    )


def distance(step: Step, heard: Sequence[tuple[Step, Turn]]) -> int | None:
    """Tokens said between the turn that told what the reply must contain and this one, the farthest of several.

    The telling turn is the latest in which the person (or a document) says it; None where nothing told it.
    """
    distances = []
    for choice in step.checks.wanted:
        behind = 0
        for earlier, turn in reversed(heard):
            told = f"{earlier.say} {earlier.document.text if earlier.document else ''}"
            if any(occurs(word, told) for word in choice):
                distances.append(behind + turn.reply_tokens)
                break
            behind += turn.said_tokens + turn.reply_tokens
    return max(distances, default=None)


def probe_keys(scenario: Scenario, repeat: int) -> set[tuple[str, int]]:
    """The keys of the answers that a run of a scenario is sure to give."""
    return {
        (f"{scenario.id}#{index}.{number}", repeat)
        for index, sitting in enumerate(scenario.sittings, 1)
        for number, step in enumerate(sitting.steps, 1)
        if step.checks
    }


def selected(scenarios: Sequence[Scenario], only: Sequence[str]) -> list[Scenario]:
    """The scenarios with one of these tags or ids; all where none is named. Raises InputError for one nobody has."""
    known = {name for scenario in scenarios for name in (scenario.id, *scenario.tags)}
    for name in only:
        if name not in known:
            tags = sorted({tag for scenario in scenarios for tag in scenario.tags})
            raise InputError(f"no scenario has the tag or id {name!r}", f"tags: {', '.join(tags) or 'none'}")
    return [scenario for scenario in scenarios if not only or {scenario.id, *scenario.tags} & set(only)]
