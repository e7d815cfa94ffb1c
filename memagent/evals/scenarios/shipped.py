"""The scenarios that are shipped: a word stands for their files, which lie where a person need not know."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from memagent.errors import InputError

WORD = "suite"
FOLDER = Path(__file__).parents[1] / "suite"


def scenario_files(given: Iterable[Path]) -> list[Path]:
    """The given paths, with all shipped files in place of `suite`, and one of them in place of `suite/NAME`.

    A file of the person's own at such a path comes first. Raises InputError where the suite has no file of that name.
    """
    shipped = {Path(WORD, file.stem): file for file in sorted(FOLDER.glob("*.yaml"))}
    found: list[Path] = []
    for path in given:
        if path.parts[:1] != (WORD,) or os.path.isfile(path):
            found.append(path)
        elif path == Path(WORD):
            found += shipped.values()
        elif path in shipped:
            found.append(shipped[path])
        else:
            names = ", ".join(name.as_posix() for name in shipped)
            raise InputError(f"there is no {path}", f"shipped are {names}; all of them: {WORD}")
    return found
