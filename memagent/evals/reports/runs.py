"""Kept runs as reports read them, found by folder or by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from memagent.errors import InputError, NotFoundError
from memagent.evals.results import RUN_FILE, Answer, Fill, Key, Run, read_answers, read_fills, read_run

SCENARIOS_ONLY = frozenset({"stores", "sql"})  # checks of memagent's own tables, which no other system has


@dataclass(frozen=True)
class Kept:
    """A run with its answers, one a key, and what filling the memories took."""

    run: Run
    answers: tuple[Answer, ...]
    fills: tuple[Fill, ...]
    folder: Path

    @property
    def by_key(self) -> dict[Key, Answer]:
        return {answer.key: answer for answer in self.answers}


def read_kept(folder: Path) -> Kept:
    """Raises NotFoundError where there is no run, InputError where it cannot be read or holds no answers."""
    run = read_run(folder)
    answers = tuple({answer.key: answer for answer in read_answers(folder)}.values())
    if not answers:
        raise InputError(f"the run in {folder} holds no answers yet", "run it again with --out to go on with it")
    return Kept(run, answers, tuple(read_fills(folder)), folder)


def find_runs(names: Sequence[Path], home: Path) -> list[Kept]:
    """The runs of folders, or of names below `home`/evals; of a folder of runs all. The newest, where none is named.

    Raises NotFoundError and InputError.
    """
    evals = home / "evals"
    if names:
        folders = [name if name.exists() or not (evals / name).exists() else evals / name for name in names]
    else:
        entries = [entry for entry in evals.glob("*") if entry.is_dir()]
        if not entries:
            raise NotFoundError(f"there are no runs in {evals}", "memagent eval run, locomo or longmemeval makes one")
        folders = [max(entries, key=lambda entry: entry.stat().st_mtime)]
    return [kept for name in folders for kept in _runs_in(name)]


def find_run(name: Path | None, home: Path) -> Kept:
    """A single run. Raises NotFoundError, and InputError where several are meant."""
    found = find_runs([] if name is None else [name], home)
    if len(found) > 1:
        inside = ", ".join(one.folder.name for one in found)
        raise InputError(f"{found[0].folder.parent} holds several runs: {inside}", "name one of them")
    return found[0]


def _runs_in(folder: Path) -> list[Kept]:
    """The run in the folder, or those of several systems in it, in the order in which they were started."""
    inside = [] if (folder / RUN_FILE).exists() else [path.parent for path in folder.glob(f"*/{RUN_FILE}")]
    if not inside:
        return [read_kept(folder)]
    return sorted(map(read_kept, inside), key=lambda kept: (kept.run.started, kept.folder.name))


def in_common(kept: Sequence[Kept]) -> list[Kept]:
    """The runs with only what all of them were asked, judged by what all can be judged by.

    Raises InputError for runs of different kinds, or without any question in common.
    """
    if len({one.run.kind for one in kept}) > 1:
        kinds = ", ".join(dict.fromkeys(one.run.kind for one in kept))
        raise InputError(f"these runs are of different kinds: {kinds}", "compare runs of the same benchmark")
    keys = set.intersection(*(set(one.by_key) for one in kept))
    if not keys:
        raise InputError("these runs have no question in common", "compare runs of the same files")
    own = len({one.run.system for one in kept}) > 1
    return [
        replace(one, answers=tuple(_judged(answer, own) for answer in one.answers if answer.key in keys))
        for one in kept
    ]


def _judged(answer: Answer, several_systems: bool) -> Answer:
    if not several_systems or not SCENARIOS_ONLY & set(answer.failed):
        return answer
    failed = tuple(name for name in answer.failed if name not in SCENARIOS_ONLY)
    return replace(answer, failed=failed, passed=not failed)


def labels(kept: Sequence[Kept]) -> list[str]:
    """A name for each run, unlike the others: the system, and the folder where several are of one system."""
    systems = [one.run.system for one in kept]
    return [
        one.run.system if systems.count(one.run.system) == 1 else f"{one.run.system} ({one.folder.name})"
        for one in kept
    ]
