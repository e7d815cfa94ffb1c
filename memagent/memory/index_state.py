"""Where the index is, and what is known about its files: which collections are complete, and how its files looked when
last written.

Chroma notices only some kinds of damage (a cut graph file or an overwritten page goes unnoticed, a lost segment
answers with 6 of 26), and a damaged native index may end the process. So the files are compared with this note before
Chroma opens them. The note says `busy` while Chroma may be writing; a process killed then leaves an index that is not
worth trusting, and the next one builds it anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from memagent.memory.database import Database

Files = dict[str, tuple[int, int]]  # relative path -> size in bytes, modification time in ns


@dataclass(frozen=True)
class IndexPlace:
    """Where the index is: a server (`url`) or a folder; its note and its lock are files beside the folder."""

    folder: Path
    url: str | None = None

    @classmethod
    def of(cls, database: Database, data_dir: Path | None = None, url: str | None = None) -> IndexPlace | None:
        """The index that belongs to a database.

        None where there is nowhere to keep its note (no file, no data directory).
        """
        beside = database.path.absolute().parent if database.path is not None else None
        home = data_dir.absolute() if data_dir is not None else beside
        if home is None:
            return None
        name = database.path.name if database.path is not None else "server"
        if home != beside:
            name += "-" + hashlib.sha256(identity(database).encode()).hexdigest()[:12]
        return cls(home / "chroma" / name, url)

    @property
    def note(self) -> Path:
        """The state file; the one about a server names it, so that a change of server is a new index."""
        suffix = "" if self.url is None else "-" + hashlib.sha256(self.url.encode()).hexdigest()[:8]
        return self.folder.with_name(f"{self.folder.name}{suffix}.json")

    @property
    def lock(self) -> Path:
        return self.folder.with_name(self.folder.name + ".lock")


def identity(database: Database) -> str:
    """What tells this database from others that may share a data directory or a Chroma server."""
    return str(database.path.absolute()) if database.path is not None else database.where


@dataclass(frozen=True)
class IndexState:
    """The note. `complete` names the collections that hold all vectors of their space but those still queued."""

    busy: bool = False
    complete: tuple[str, ...] = ()
    files: Files = field(default_factory=dict)


class StateFile:
    """The note on disk at `path`, about the files under `folder` (None for an index on a server)."""

    def __init__(self, path: Path, folder: Path | None) -> None:
        self.path = path
        self.folder = folder

    def read(self) -> IndexState | None:
        """The note; None where there is none or it cannot be read, which means that nothing is known."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            files = {str(name): (int(size), int(time)) for name, (size, time) in data["files"].items()}
            return IndexState(bool(data["busy"]), tuple(str(name) for name in data["complete"]), files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, state: IndexState) -> None:
        """Replace the note in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
        os.replace(draft, self.path)

    def begin(self) -> None:
        """Chroma may write from now on."""
        self.write(replace(self.read() or IndexState(), busy=True))

    def finish(self, complete: tuple[str, ...]) -> None:
        """Chroma is at rest, and these collections are complete."""
        self.write(IndexState(False, complete, self.listing()))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def listing(self) -> Files:
        """The files as they are now."""
        if self.folder is None:
            return {}
        found: Files = {}
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                status = path.stat()
                found[path.relative_to(self.folder).as_posix()] = (status.st_size, status.st_mtime_ns)
        return found

    def changed(self, state: IndexState) -> list[str]:
        """The files that are not as the note says."""
        now = self.listing()
        return sorted(name for name in now.keys() | state.files.keys() if now.get(name) != state.files.get(name))
