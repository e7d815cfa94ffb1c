"""Scripted recall: YAML scenarios, what their checks mean, and a runner that restarts the agent between sessions.

    python -m memagent.evals.scenarios memagent/evals/dev/scenarios.yaml [--only TAG] [--misses]

The comparison ignores case, accents and punctuation other than inside codes and numbers.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import tempfile
import threading
import time
import zlib
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.conversation import Failed, Finished, ToolReturned
from memagent.errors import InputError
from memagent.evals.filler import small_talk
from memagent.evals.text import folded
from memagent.memory.embedding import Embedder
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel

DECLINED = re.compile(
    r"don't know|do not know|haven't told|have not told|nothing (?:like that|about)|not told|no record|can't say"
    r"|never told|not sure"
)
CHECKS = {"expect", "expect_any", "reject", "abstain", "stores", "sql"}
WRITES = {"memory_add", "memory_update"}


@dataclass(frozen=True)
class Step:
    """One turn of the person, with checks on the reply; or filler of so many tokens."""

    say: str = ""
    filler_tokens: int = 0
    checks: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Sitting:
    """One session of a scenario."""

    steps: tuple[Step, ...]
    date: datetime | None = None


@dataclass(frozen=True)
class Scenario:
    id: str
    tags: tuple[str, ...]
    sessions: tuple[Sitting, ...]


@dataclass(frozen=True)
class Probe:
    """One checked turn: what was asked, what came back, and which checks failed."""

    scenario: str
    tags: tuple[str, ...]
    say: str
    reply: str
    failed: tuple[str, ...]
    milliseconds: float

    @property
    def passed(self) -> bool:
        return not self.failed


class SessionClock:
    """Starts at a scenario's date and runs on, so that what is said later is later."""

    def __init__(self, start: datetime | None) -> None:
        self._start = start or datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._began)


def load_scenarios(path: Path) -> list[Scenario]:
    """Read a file of scenarios. Raises InputError naming the scenario that is wrong."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as scenarios: {error}", "see the scenario format") from error
    if not isinstance(data, Mapping) or not isinstance(data.get("scenarios"), list):
        raise InputError(f"{path} holds no list of scenarios", "see the scenario format")
    return [_scenario(f"{path}: scenario {number}", entry) for number, entry in enumerate(data["scenarios"], 1)]


def _scenario(where: str, entry: Any) -> Scenario:
    try:
        where = f"scenario {entry['id']}"
        sessions = tuple(_sitting(where, session) for session in entry["sessions"])
        return Scenario(entry["id"], tuple(entry.get("tags", ())), sessions)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where} cannot be read: {error!r}", "see the scenario format") from error


def _sitting(where: str, session: Any) -> Sitting:
    date = None
    if isinstance(session, Mapping):
        given = session.get("date")
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given)) if given else None
        date = moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
        session = session["turns"]
    steps = []
    for turn in session:
        if isinstance(turn, str):
            steps.append(Step(turn))
        elif "filler_tokens" in turn:
            steps.append(Step(filler_tokens=int(turn["filler_tokens"])))
        else:
            unknown = set(turn) - CHECKS - {"say"}
            if unknown:
                raise InputError(f"{where}: unknown check {', '.join(sorted(unknown))}", "see the scenario format")
            steps.append(Step(str(turn["say"]), checks={key: turn[key] for key in turn if key in CHECKS}))
    return Sitting(tuple(steps), date)


def failed_checks(step: Step, reply: str, written: int, sql: Callable[[str], Sequence[Sequence[Any]]]) -> list[str]:
    """The checks of a step that do not hold."""
    return [check for check, wanted in step.checks.items() if not _holds(check, wanted, reply, written, sql)]


def _holds(check: str, wanted: Any, reply: str, written: int, sql: Callable[[str], Sequence[Sequence[Any]]]) -> bool:
    said = folded(reply)
    found = [folded(str(item)) in said for item in (wanted if isinstance(wanted, list) else [wanted])]
    match check:
        case "expect":
            return all(found)
        case "expect_any":
            return any(found)
        case "reject":
            return not any(found)
        case "abstain":
            return bool(DECLINED.search(reply.casefold().replace("’", "'"))) == bool(wanted)
        case "stores":
            return written == int(wanted)
        case _:
            return bool([list(row) for row in sql(wanted["query"])] == wanted["rows"])


def run_scenario(scenario: Scenario, model: ChatModel, embedder: Embedder, folder: Path) -> Iterator[Probe]:
    """Play a scenario on a store of its own; the store is closed and opened anew between sessions."""
    url = f"sqlite:///{folder / 'memory.db'}"
    for sitting in scenario.sessions:
        store = MemoryStore.open(url, clock=SessionClock(sitting.date), data_dir=folder)
        agent = Agent(store, model.name)
        agent.give(model, embedder)
        session = store.start_session(model=model.name)
        for step in sitting.steps:
            if step.filler_tokens:
                _fill(store, session.id, model, zlib.crc32(scenario.id.encode()), step.filler_tokens)
                continue
            yield from _play(agent, session.id, scenario, step, url)
        store.close()


def _fill(store: MemoryStore, session: int, model: ChatModel, seed: int, tokens: int) -> None:
    """Push older turns out of the window with small talk, stored as any conversation is."""
    for exchange in small_talk(seed, tokens, lambda text: model.count_tokens([text])[0]):
        store.add_message(session, "user", exchange.said)
        store.add_message(session, "assistant", exchange.reply)


def _play(agent: Agent, session: int, scenario: Scenario, step: Step, url: str) -> Iterator[Probe]:
    from memagent.memory.sql import read_only_query

    started = time.perf_counter()
    reply, written = "", 0
    for event in run_turn(agent, session, step.say, cancel=threading.Event()):
        match event:
            case ToolReturned(call, result) if call.name in WRITES and result.ok:
                written += 1
            case Finished(text):
                reply = text
            case Failed(reason):
                reply = f"failed: {reason}"
    if step.checks:
        spent = (time.perf_counter() - started) * 1000
        failed = failed_checks(step, reply, written, lambda query: read_only_query(url, query, space=None).rows)
        yield Probe(scenario.id, scenario.tags, step.say, reply, tuple(failed), spent)


def report(probes: Sequence[Probe], *, misses: bool) -> str:
    """A table by tag; a scenario passes when all its probes do."""
    passed: Tally[str] = Tally()
    total: Tally[str] = Tally()
    by_scenario: dict[str, list[Probe]] = {}
    for probe in probes:
        by_scenario.setdefault(probe.scenario, []).append(probe)
    for group in by_scenario.values():
        for tag in ("all", *group[0].tags):
            total[tag] += 1
            passed[tag] += all(probe.passed for probe in group)
    lines = [f"{tag:15} {passed[tag]:3} / {total[tag]:3}" for tag in total]
    if not probes:
        return "no turn was checked"
    times = sorted(probe.milliseconds for probe in probes)
    lines.append(f"median turn {times[len(times) // 2]:.0f} ms, p95 {times[int(len(times) * 0.95)]:.0f} ms")
    if misses:
        for probe in probes:
            if not probe.passed:
                lines.append(f"MISS {probe.scenario} {probe.failed}: {probe.say!r} -> {probe.reply!r}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", help="a tag, or an id")
    parser.add_argument("--misses", action="store_true")
    arguments = parser.parse_args()
    from memagent.models.embedder import MiniLMEmbedder
    from memagent.models.specialists import Specialists

    model, embedder = Specialists(), MiniLMEmbedder()
    probes: list[Probe] = []
    for scenario in load_scenarios(arguments.file):
        if arguments.only and arguments.only not in (*scenario.tags, scenario.id):
            continue
        with tempfile.TemporaryDirectory() as folder:
            probes += run_scenario(scenario, model, embedder, Path(folder))
    print(report(probes, misses=arguments.misses))


if __name__ == "__main__":
    main()
