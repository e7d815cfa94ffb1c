"""Processes in which sessions are played: each session in a new one, which begins with nothing but the database.

A new interpreter that loads the shipped models takes about a second of processor time, and a suite has hundreds of
sessions. So one process, the nursery, imports the libraries and loads the models, opens no store of the run and plays
nothing; each session is a child forked from it. What the child inherits is what an interpreter would load from the
installation: code and immutable weights, and the vectors of the run's small talk.

Forking is unsafe in a process that runs threads, and shares what a model holds of devices and connections. So it is
done only with the shipped models, on Linux, and where there is no second thread (the ONNX Runtime sessions start none).
Otherwise each session starts an interpreter of its own.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, Protocol

from memagent.agent.assemble import load_models
from memagent.config import DEFAULT_MODEL, STORE_FILE, Settings
from memagent.errors import MemagentError, ModelError
from memagent.evals.scenarios.format import FIRST_DAY, Sitting, Step
from memagent.evals.scenarios.play import KILL, Models, Session, play_session
from memagent.evals.scenarios.talk import RememberingEmbedder, SmallTalk

LOOK = 0.2  # seconds between looks at whether to stop
GRACE = 10.0  # seconds in which a killed process must be gone
REHEARSAL = ("my sister Ana has lived in Porto since last May", "where does Ana live?", "what is 12 times 7?")
GONE = (EOFError, BrokenPipeError, ConnectionResetError)  # whoever asked has ended, and wants nothing any more
LOST = "the process that starts the sessions has ended"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Loaded:
    """The models of the nursery, by name, and whether it may fork."""

    model: str
    embedder: str
    context_tokens: int
    forks: bool


class Player(Protocol):
    """Plays one session at a time."""

    def play(self, session: Session, limit: float) -> str:
        """Play a session within `limit` seconds; why it did not end as it should, or nothing."""
        ...


class Shelf:
    """Loaded models, with the small talk of each seed."""

    def __init__(self, settings: Settings) -> None:
        """Load what the settings name. Raises ModelError."""
        self.chat, embedder = load_models(settings)
        self.chat.count_tokens(["."])  # its tokenizer is loaded at the first use
        self.embedder = RememberingEmbedder(embedder)
        self._talk: dict[int, SmallTalk] = {}

    def models(self, seed: int) -> Models:
        talk = self._talk.setdefault(seed, SmallTalk(seed, self.chat))
        return Models(self.chat, self.embedder, talk)

    def prepare(self, talk: Mapping[int, int], progress: Progress) -> None:
        """Embed so many tokens of small talk by seed."""
        for seed, tokens in talk.items():
            self.embedder.remember(self.models(seed).talk.part((), tokens), progress)

    def loaded(self, *, forks: bool) -> Loaded:
        return Loaded(self.chat.name, self.embedder.name, self.chat.context_tokens, forks)


# --- the nursery -----------------------------------------------------------------------------------------------------


def _nursery(ends: Sequence[Connection], settings: Settings) -> None:
    """Load, report, prepare the small talk, then serve each connection from a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(*GONE):
        _prepare(ends, settings)


def _prepare(ends: Sequence[Connection], settings: Settings) -> None:
    front = ends[0]
    try:
        shelf = Shelf(settings)
    except MemagentError as error:
        front.send(error)
        return
    forks = settings.model == DEFAULT_MODEL and may_fork()
    if forks:
        _import_what_a_session_needs(shelf, settings)
        forks = may_fork()
    front.send(shelf.loaded(forks=forks))
    if not forks:
        return
    shelf.prepare(front.recv(), lambda done, total: front.send((done, total)))
    front.send(None)
    gc.freeze()
    mine = 0
    for number in range(1, len(ends)):
        if os.fork() == 0:
            mine = number
            break
    for number, end in enumerate(ends):
        if number != mine:
            end.close()
    _serve(ends[mine], shelf)


def may_fork() -> bool:
    """Whether this process has no thread but this one, and can tell."""
    tasks = Path("/proc/self/task")
    return sys.platform == "linux" and tasks.is_dir() and len(list(tasks.iterdir())) == 1


def _import_what_a_session_needs(shelf: Shelf, settings: Settings) -> None:
    """Much is imported when it is first used. A child rehearses and tells what it has imported; that is imported here.

    A rehearsal that fails tells nothing: the sessions will fail in the same way, and say why.
    """
    with tempfile.TemporaryDirectory(prefix="memagent-eval-") as name:
        folder = Path(name)
        own = replace(settings, home=folder, store_url=f"sqlite:///{folder / STORE_FILE}", vector_url=None)
        rehearsal = Sitting(tuple(Step(say=text) for text in REHEARSAL))
        told = folder / "modules"
        session = Session(own, 1, rehearsal, FIRST_DAY, 0, (), folder / "record", folder / "log")
        if (child := os.fork()) == 0:
            run_and_exit(session, lambda: shelf, lambda: told.write_text("\n".join(sys.modules), encoding="utf-8"))
        os.waitpid(child, 0)
        names = told.read_text(encoding="utf-8").split("\n") if told.exists() else []
    for name in names:
        if name not in sys.modules:
            with suppress(ImportError):  # made at run time, as migrations are
                import_module(name)


def _serve(end: Connection, shelf: Shelf) -> NoReturn:
    """Fork a process for each session that is asked for; tell its id, then its exit code."""
    while True:
        try:
            session: Session = end.recv()
            child = os.fork()
            if child == 0:
                end.close()
                run_and_exit(session, lambda: shelf)
            end.send(child)
            end.send(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        except GONE:
            os._exit(0)


def run_and_exit(
    session: Session, shelf: Callable[[], Shelf], afterwards: Callable[[], object] = lambda: None
) -> NoReturn:
    """Play a session and end this process; what it says, and why it fails, goes to the session's file of errors."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        errors = os.open(session.errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(errors, stream)
        faulthandler.enable(2)
        play_session(session, shelf().models(session.seed))
        afterwards()
        code = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
    finally:
        os._exit(code)


def _alone(session: Session) -> None:
    """A session in an interpreter of its own."""
    run_and_exit(session, lambda: Shelf(session.settings))


# --- this side of it -------------------------------------------------------------------------------------------------


class _Ending:
    """Waits for the process of a session, and says how it ended."""

    def __init__(self, stopping: threading.Event) -> None:
        self.stopping = stopping

    def wait(self, over: Callable[[float], bool], kill: Callable[[], None], limit: float) -> bool:
        """Wait until `over`; kill at the limit or when all is stopped. Whether it was in time."""
        deadline = time.monotonic() + limit
        while not over(LOOK):
            if self.stopping.is_set() or time.monotonic() > deadline:
                kill()
                if not over(GRACE):
                    raise ModelError("a session cannot be stopped", "end its process by hand")
                return False
        return True


def reason_of(session: Session, code: int | None, in_time: bool, limit: float) -> str:
    """Why a process did not end as it should, in one clause; nothing where it did."""
    if not in_time:
        return f"session {session.number} was stopped after {limit:g} seconds"
    if code == (-KILL if session.sitting.killed else 0):
        return ""
    lines = session.errors.read_text(encoding="utf-8", errors="replace").split("\n") if session.errors.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    if code is not None and code < 0:
        return f"the process of session {session.number} was ended by {signal.Signals(-code).name}"
    return f"the process of session {session.number} failed: {last or f'exit code {code}'}"


class _Forked:
    """Sessions that the nursery forks."""

    def __init__(self, end: Connection, stopping: threading.Event) -> None:
        self._end = end
        self._ending = _Ending(stopping)

    def play(self, session: Session, limit: float) -> str:
        try:
            self._end.send(session)
            child: int = self._end.recv()
            in_time = self._ending.wait(self._end.poll, lambda: _kill(child), limit)
            return reason_of(session, self._end.recv(), in_time, limit)
        except (EOFError, OSError):
            raise ModelError(LOST, "run it again with the same --out: it goes on where it stopped") from None


class _Spawned:
    """Sessions in interpreters of their own."""

    def __init__(self, stopping: threading.Event) -> None:
        self._ending = _Ending(stopping)

    def play(self, session: Session, limit: float) -> str:
        process = get_context("spawn").Process(target=_alone, args=(session,), daemon=True)
        with _not_interrupted():
            process.start()

        def over(seconds: float) -> bool:
            process.join(seconds)
            return process.exitcode is not None

        in_time = self._ending.wait(over, process.kill, limit)
        return reason_of(session, process.exitcode, in_time, limit)


class InProcess:
    """Sessions in this very process: quicker to debug, but no restart, and nothing that a process must die for."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def play(self, session: Session, limit: float) -> str:
        try:
            play_session(session, self._shelf.models(session.seed))
        except Exception as error:
            session.errors.write_text(traceback.format_exc(), encoding="utf-8")
            return f"session {session.number} failed: {type(error).__name__}: {error}"
        return ""


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Processes started here never get the Ctrl+C that a terminal sends to all; this one gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing's own process: on its start it would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, KILL)


class Processes:
    """The nursery and its connections. Use as a context manager; `players` may be used from a thread each."""

    def __init__(self, settings: Settings, jobs: int) -> None:
        """Start loading. Raises ModelError."""
        context = get_context("spawn")
        pipes = [context.Pipe() for _ in range(jobs)]
        self._ends = [mine for mine, _ in pipes]
        self._stopping = threading.Event()
        self._process = context.Process(target=_nursery, args=([theirs for _, theirs in pipes], settings), daemon=True)
        with _not_interrupted():
            self._process.start()
        for _, theirs in pipes:
            theirs.close()
        try:
            self.loaded: Loaded = self._receive()
        except BaseException:
            self.close()
            raise

    def prepare(self, talk: Mapping[int, int], progress: Progress) -> list[Player]:
        """The players, when so many tokens of small talk by seed are ready for them; `progress` counts messages."""
        if not self.loaded.forks:
            return [_Spawned(self._stopping) for _ in self._ends]
        self._ends[0].send(dict(talk))
        while (report := self._receive()) is not None:
            progress(*report)
        return [_Forked(end, self._stopping) for end in self._ends]

    def _receive(self) -> Any:
        try:
            received = self._ends[0].recv()
        except (EOFError, OSError):
            self._process.join(GRACE)
            raise ModelError(
                f"{LOST} (exit code {self._process.exitcode})", "for the cause run: memagent doctor"
            ) from None
        if isinstance(received, MemagentError):
            raise received
        return received

    def stop(self) -> None:
        """Kill what is being played."""
        self._stopping.set()

    def close(self) -> None:
        """End all processes; sessions must be over, or stopped."""
        for end in self._ends:
            end.close()
        self._process.join(GRACE)
        if self._process.is_alive():
            self._process.kill()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.close()
