"""How soon the terminal interface is there, and how soon it echoes a key, on a real terminal.

python -m memagent.evals.bench.interface --facts 10000 --runs 5 --keys 40

The echo is the time from writing a key to the terminal until the character comes back on the screen: while nothing
happens, while the shipped model works on a reply, and while the store is searched with every key.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from memagent.errors import ModelError
from memagent.evals.bench.startup import MEMAGENT, PATIENCE, environment
from memagent.evals.bench.timing import Timing, print_table
from memagent.evals.bench.turn import drafts, fill
from memagent.memory.store import MemoryStore

LETTERS = [chr(code) for code in range(0x400, 0x482)]  # Cyrillic: nothing else on the screen is
FIRST_FRAME = b"ay something"  # the cursor is on the first letter
READY = "● ready".encode()
F3, CTRL_Q, ENTER = b"\x1b[13~", b"\x11", b"\r"
SHOWN = 3.0  # seconds within which a screen has been filled
PAUSE = 0.03  # seconds between two keys: a fast typist needs 0.1


class Interface:
    """`memagent` on a terminal of 120 columns and 36 rows."""

    def __init__(self, home: Path) -> None:
        self._screen, theirs = pty.openpty()
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self._process = subprocess.Popen(
            MEMAGENT, env=environment(home), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._unread = b""
        self._letters = iter(LETTERS)

    def wait_for(self, text: bytes) -> None:
        """Read the screen until `text` follows what was waited for before. Raises ModelError."""
        give_up = time.monotonic() + PATIENCE
        while text not in self._unread:
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise ModelError(f"the screen did not show {text!r}", self._unread[-500:].decode(errors="replace"))
            self.read(0.1)
        self._unread = self._unread.partition(text)[2]

    def read(self, seconds: float) -> None:
        if select.select([self._screen], [], [], seconds)[0]:
            with suppress(OSError):  # the other end is closed
                self._unread += os.read(self._screen, 65536)

    def send(self, data: bytes) -> None:
        os.write(self._screen, data)

    def echo(self) -> float:
        """Milliseconds until a letter that is typed, for the first time, is on the screen."""
        letter = next(self._letters)
        started = time.perf_counter()
        self.send(letter.encode())
        self.wait_for(letter.encode())
        return (time.perf_counter() - started) * 1000

    def settle(self, least: float = 0.0) -> None:
        """Read for at least some seconds, and until nothing has come for a while."""
        before, soonest = -1, time.monotonic() + least
        while time.monotonic() < soonest:
            self.read(0.1)
        while before != len(self._unread):
            before = len(self._unread)
            self.read(0.3)
        self._unread = b""

    def close(self) -> None:
        """End it as a person would, and wait until it has."""
        with suppress(OSError):
            self.send(CTRL_Q)
        give_up = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            if time.monotonic() > give_up:
                self._process.kill()
            self.read(0.1)
        os.close(self._screen)


@contextmanager
def opened(home: Path) -> Iterator[Interface]:
    interface = Interface(home)
    try:
        yield interface
    finally:
        interface.close()


def start(home: Path) -> tuple[float, float]:
    """Milliseconds to the first frame, and until the model is ready."""
    started = time.perf_counter()
    with opened(home) as interface:
        interface.wait_for(FIRST_FRAME)
        frame = time.perf_counter()
        interface.wait_for(READY)
        return (frame - started) * 1000, (time.perf_counter() - started) * 1000


def echoes(interface: Interface, keys: int) -> list[float]:
    """The echo of `keys` letters, one after the other."""
    times = []
    for _ in range(keys):
        times.append(interface.echo())
        time.sleep(PAUSE)
    return times


def run(folder: Path, facts: int, runs: int, keys: int) -> dict[str, Timing]:
    """The timings, by what was measured; no processor time is known of another process."""
    home = folder / "home"
    home.mkdir()
    with MemoryStore.open(f"sqlite:///{home / 'memory.db'}", data_dir=home) as store:
        store.start_session()
        fill(store, drafts(facts, seed=1))
    start(home)  # once unmeasured: the files are in memory then
    frames, ready = zip(*(start(home) for _ in range(runs)), strict=True)
    found = {"first frame": list(frames), "model ready": list(ready)}
    with opened(home) as interface:
        interface.wait_for(READY)
        interface.settle()
        found["echo, nothing else going on"] = echoes(interface, keys)
        busy: list[float] = []
        while len(busy) < keys:
            interface.send(ENTER)  # what has been typed goes to the model, and the next keys meet it at work
            busy += echoes(interface, 5)
        found["echo, model at work on a reply"] = busy
        interface.settle()
        interface.send(F3)
        interface.wait_for(b"Search memories")
        interface.settle(SHOWN)
        interface.send(b"/")
        interface.settle()
        found[f"echo, {facts:,} memories searched at each key"] = echoes(interface, keys)
    return {name: Timing(times, [0.0] * len(times)) for name, times in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, default=10_000, help="facts in the store")
    parser.add_argument("--runs", type=int, default=5, help="starts")
    parser.add_argument("--keys", type=int, default=40, choices=range(1, 41), metavar="N", help="keys of each kind")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        results = run(Path(folder), options.facts, options.runs, options.keys)
    print_table(f"terminal interface, {options.facts:,} facts", results)


if __name__ == "__main__":
    main()
