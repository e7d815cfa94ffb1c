"""How long commands take in fresh processes, from the start to the end; for a chat, from the start to the first prompt.

python -m memagent.evals.bench.startup --facts 1000 --runs 10

The baseline is Python itself. The store holds embedded facts; "new home" is a first start, which makes the database.
"""

from __future__ import annotations

import argparse
import os
import pty
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from memagent.errors import ModelError
from memagent.evals.bench.timing import Measure, Timing, shown
from memagent.evals.bench.turn import drafts, fill
from memagent.memory.store import MemoryStore

MEMAGENT = (sys.executable, "-m", "memagent")
COMMANDS = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "memagent --help": (*MEMAGENT, "--help"),
    "memagent sql": (*MEMAGENT, "sql", "select count(*) from current_facts"),
    "memagent memories list": (*MEMAGENT, "memories", "list"),
}
PROMPT = b"> "
PATIENCE = 60.0  # seconds


def command(words: Sequence[str], home: Path) -> None:
    subprocess.run(words, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MEMAGENT_HOME": str(home), "TERM": "xterm"}


class Chat:
    """`memagent chat` on a terminal of its own."""

    def __init__(self, home: Path) -> None:
        self._screen, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [*MEMAGENT, "chat"], env=environment(home), stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._unread = b""

    def wait_for(self, text: bytes) -> None:
        """Read the screen until `text` follows what was waited for before. Raises ModelError."""
        give_up = time.monotonic() + PATIENCE
        while text not in self._unread:
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise ModelError(f"the chat did not show {text!r}", self._unread.decode(errors="replace"))
            self._read()
        self._unread = self._unread.partition(text)[2]

    def _read(self) -> None:
        if select.select([self._screen], [], [], 0.1)[0]:
            with suppress(OSError):  # the other end is closed
                self._unread += os.read(self._screen, 65536)

    def type(self, line: str) -> None:
        os.write(self._screen, line.encode() + b"\r")

    def close(self) -> None:
        """End it as a person would, and wait until it has."""
        with suppress(OSError):
            os.write(self._screen, b"\x04")
        end = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            if time.monotonic() > end:
                self._process.kill()
            self._read()
        os.close(self._screen)


def first_prompt(home: Path) -> tuple[float, float]:
    """Milliseconds to the prompt of a chat, and to the end of its first reply."""
    started = time.perf_counter()
    chat = Chat(home)
    try:
        chat.wait_for(b"leaves.")
        chat.wait_for(PROMPT)
        prompt = time.perf_counter()
        chat.type("hello")
        chat.wait_for(b"context ")
        reply = time.perf_counter()
        chat.wait_for(PROMPT)  # what is typed before is lost
        return (prompt - started) * 1000, (reply - started) * 1000
    finally:
        chat.close()


def measure(action: Callable[[], None], runs: int) -> Timing:
    """Time `action`; the processor time is that of the processes it has started and waited for."""
    wall, processor = [], []
    for _ in range(runs):
        start, used = time.perf_counter(), _used()
        action()
        processor.append((_used() - used) * 1000)
        wall.append((time.perf_counter() - start) * 1000)
    return Timing(wall, processor)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(folder: Path, facts: int, runs: int) -> dict[str, Timing]:
    """The timings, by command."""
    home = folder / "home"
    home.mkdir()
    with MemoryStore.open(f"sqlite:///{home / 'memory.db'}", data_dir=home) as store:
        fill(store, drafts(facts, seed=1))
    results = {}
    for name, words in COMMANDS.items():
        command(words, home)  # once unmeasured: the files are in memory then
        results[name] = measure(lambda words=words: command(words, home), runs)  # type: ignore[misc]
    for name, homes in (
        ("chat, existing store", [home] * runs),
        ("chat, new home", [folder / f"new-{n}" for n in range(runs)]),
    ):
        times = [first_prompt(place) for place in homes]
        for what, milliseconds in zip(("first prompt", "first reply"), zip(*times, strict=True), strict=True):
            results[f"{name}: {what}"] = Timing(list(milliseconds), [0.0] * runs)
    return results


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Print the tables, and give their rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[1000], help="facts in the store")
    parser.add_argument("--runs", type=int, default=10, help="processes of each kind")
    options = parser.parse_args(arguments)
    found: list[Measure] = []
    for facts in options.facts:
        with tempfile.TemporaryDirectory() as folder:
            results = run(Path(folder), facts, options.runs)
        found += shown("start-up", facts, results)
    return found


if __name__ == "__main__":
    main()
