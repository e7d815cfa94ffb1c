"""The folder that a run of an evaluation leaves, the same for every kind of run.

`run.json` says what was run; `answers.jsonl` holds one `Answer` per line, written as it is made. A run that was stopped
is resumed by opening its folder again: what is in `answers.jsonl` is not run again, a last line torn by a crash is
dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

import memagent
from memagent.errors import InputError, NotFoundError, StoreBusyError, StoreFullError, StoreReadOnlyError
from memagent.memory.lock import FileLock

RUN_FILE = "run.json"
ANSWERS_FILE = "answers.jsonl"
FILLS_FILE = "fills.jsonl"
LOCK_FILE = "run.lock"
LOG_FILE = "run.log"
NOT_COMPARED = {"started", "jobs"}  # fields and settings that may differ between the parts of a resumed run

Kind = Literal["scenarios", "locomo", "longmemeval", "questions"]
Key = tuple[str, int]  # id and repeat of an answer


@dataclass(frozen=True)
class HitRecord:
    """One hit of the retrieval behind an answer; `source` is the benchmark's own name of it, such as "D3:4"."""

    kind: str
    id: int
    source: str
    text: str
    score: float
    channels: Mapping[str, float] = field(default_factory=dict)
    gold: bool = False


@dataclass(frozen=True)
class Answer:
    """One question of a run: what was asked, what came back, and how it was judged.

    `group` is the scenario or conversation, `tags` its tags or category, `failed` the names of the checks that do not
    hold, `scores` such as {"f1": 0.5, "recall@5": 1.0}. `cpu_seconds` is processor time of the turn.
    `distance_tokens` lie between what was told and the question; None where that is not known. With `repeat`, counted
    from 1, `id` is unique within a run. `error` says why there is no reply to judge.
    """

    id: str
    group: str
    tags: tuple[str, ...]
    question: str
    reply: str
    expected: tuple[str, ...]
    passed: bool
    failed: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    hits: tuple[HitRecord, ...] = ()
    milliseconds: float = 0.0
    cpu_seconds: float = 0.0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    distance_tokens: int | None = None
    repeat: int = 1
    error: str = ""

    @property
    def key(self) -> Key:
        return self.id, self.repeat


@dataclass(frozen=True)
class Fill:
    """How long it took until all turns of a conversation could be found, embedding included."""

    group: str
    turns: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class UsedFile:
    """A file that was read, by its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Run:
    """What was run: enough to run it again, and to know whether two runs can be compared."""

    kind: Kind
    system: str
    files: tuple[UsedFile, ...]
    model: str
    embedder: str
    mode: str
    settings: Mapping[str, Any]
    seed: int
    version: str = memagent.__version__
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    machine: Mapping[str, Any] = field(default_factory=lambda: this_machine())


def used_file(path: Path) -> UsedFile:
    """Name and checksum of a file. Raises NotFoundError and InputError."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", "check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    return UsedFile(path.name, digest.hexdigest())


def this_machine() -> dict[str, Any]:
    """The processor's model and how many cores this process may use."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass  # not Linux: the platform's own word for it has to do
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"cpu": model, "cores": cores}


def run_folder(home: Path, kind: Kind) -> Path:
    """The folder of a new run below the home folder; it names the time and is not there yet."""
    base = home / "evals" / f"{kind}-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    number, folder = 1, base
    while folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


class RunFolder:
    """A run that is being written; one process at a time. Use as a context manager.

    `answers` are those made so far, `done` their keys.
    """

    def __init__(self, path: Path, run: Run) -> None:
        """Begin a run in `path`, or resume the one that is there.

        Raises InputError when the folder holds a run of something else, or other files; StoreBusyError when another
        process is writing it; StoreReadOnlyError when it cannot be written.
        """
        self.path = path
        self.answers: list[Answer] = []
        self.done: set[Key] = set()
        try:
            path.mkdir(parents=True, exist_ok=True)
            entries = {entry.name for entry in path.iterdir()} - {LOCK_FILE}
            if entries and RUN_FILE not in entries:
                raise InputError(f"{path} holds files that are no run", "choose an empty folder with --out")
            self._lock = FileLock(path / LOCK_FILE)
            if not self._lock.acquire():
                raise StoreBusyError(
                    f"another process is writing the run in {path}", "wait for it, or choose another --out"
                )
            self.run = self._begin(run)
            self._file: BinaryIO = (path / ANSWERS_FILE).open("ab")
        except OSError as error:
            raise StoreReadOnlyError(f"{path} cannot be written: {error.strerror}", "choose another --out") from None
        except BaseException:
            self._unlock()
            raise

    def _begin(self, run: Run) -> Run:
        if not (self.path / RUN_FILE).exists():
            temporary = self.path / f"{RUN_FILE}.new"
            temporary.write_text(_json(asdict(run), indent=2) + "\n", encoding="utf-8")
            os.replace(temporary, self.path / RUN_FILE)
            return run
        earlier = read_run(self.path)
        different = differences(earlier, run)
        if different:
            raise InputError(
                f"{self.path} holds a run that differs in {', '.join(different)}",
                "resume it with what it was started with, or choose another --out",
            )
        self.answers, whole = _read_answers(self.path)
        self.done = {answer.key for answer in self.answers}
        answers_file = self.path / ANSWERS_FILE
        if answers_file.exists() and answers_file.stat().st_size > whole:
            os.truncate(answers_file, whole)
        return earlier

    def add(self, answers: Iterable[Answer]) -> None:
        """Append answers, in one write; one that is there already stays as it is. Raises StoreFullError."""
        new = {answer.key: answer for answer in answers if answer.key not in self.done}
        lines = "".join(_json(asdict(answer)) + "\n" for answer in new.values())
        try:
            self._file.write(lines.encode("utf-8", "backslashreplace"))  # what JSON calls a lone surrogate, too
            self._file.flush()
        except OSError as error:
            raise StoreFullError(f"{self.path} cannot be written: {error.strerror}", "free some space") from None
        self.answers += new.values()
        self.done |= set(new)

    def add_fill(self, fill: Fill) -> None:
        """Keep how long a conversation took to be remembered; of a resumed run one may be there several times."""
        with (self.path / FILLS_FILE).open("a", encoding="utf-8") as file:
            file.write(_json(asdict(fill)) + "\n")

    def log(self, text: str) -> None:
        """Append to the run's log: what processes said on their way, for whoever looks for a cause."""
        with (self.path / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text if text.endswith("\n") else text + "\n")

    def close(self) -> None:
        self._file.close()
        self._unlock()

    def _unlock(self) -> None:
        lock = getattr(self, "_lock", None)
        if lock is not None:
            lock.release()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def differences(earlier: Run, later: Run) -> list[str]:
    """In what two runs differ, when they were started apart: names of fields, and of settings."""
    before, after = (json.loads(_json(asdict(run))) for run in (earlier, later))
    found = []
    for item in fields(Run):
        old, new = before[item.name], after[item.name]
        if item.name in NOT_COMPARED or old == new:
            continue
        if isinstance(old, dict):
            keys = dict.fromkeys([*old, *new])
            found += [
                f"{item.name} ({key})" for key in keys if key not in NOT_COMPARED and old.get(key) != new.get(key)
            ]
        else:
            found.append(item.name)
    return found


def read_run(folder: Path) -> Run:
    """What was run in a folder. Raises NotFoundError and InputError."""
    path = folder / RUN_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        data["files"] = tuple(UsedFile(**file) for file in data["files"])
        return Run(**data)
    except FileNotFoundError:
        raise NotFoundError(f"{folder} holds no run", "a run's folder has a file run.json in it") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not a run of this version: {error}", "run the evaluation again") from None


def read_answers(folder: Path) -> list[Answer]:
    """The answers of a run, in the order in which they were made. Raises InputError."""
    return _read_answers(folder)[0]


def read_fills(folder: Path) -> list[Fill]:
    """How long the conversations of a run took to be remembered; none where that was not measured."""
    path = folder / FILLS_FILE
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        return [Fill(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "remove the file") from None


def _read_answers(folder: Path) -> tuple[list[Answer], int]:
    """The answers, and how many bytes of the file they take: a last line without its end is not counted."""
    path = folder / ANSWERS_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    whole = data.rfind(b"\n") + 1
    answers = []
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            answers.append(_answer(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}:{number} is not an answer: {error}", "remove the line") from None
    return answers, whole


def _answer(data: dict[str, Any]) -> Answer:
    for name in ("tags", "expected", "failed"):
        data[name] = tuple(data[name])
    data["hits"] = tuple(HitRecord(**hit) for hit in data["hits"])
    return Answer(**data)


def _json(data: Mapping[str, Any], indent: int | None = None) -> str:
    return json.dumps(data, ensure_ascii=False, indent=indent, allow_nan=False)
