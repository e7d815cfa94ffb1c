"""Copying: by the machine's own tool where there is one, else through the terminal; and a word on which it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

SECONDS = 2.0


def native_tool(environment: Mapping[str, str] = os.environ) -> Sequence[str] | None:
    """The command that puts its input on the clipboard; None over SSH, in a browser, or where there is none."""
    if environment.get("SSH_CONNECTION") or environment.get("TEXTUAL_DRIVER"):
        return None  # it would be the clipboard of another machine
    candidates: list[tuple[bool, Sequence[str]]] = [
        (sys.platform == "darwin", ("pbcopy",)),
        (bool(environment.get("WAYLAND_DISPLAY")), ("wl-copy",)),
        (bool(environment.get("DISPLAY")), ("xclip", "-selection", "clipboard")),
        (bool(environment.get("DISPLAY")), ("xsel", "--clipboard", "--input")),
        (sys.platform == "win32" or bool(environment.get("WSL_DISTRO_NAME")), ("clip.exe",)),
    ]
    return next((command for usable, command in candidates if usable and shutil.which(command[0])), None)


def copy_natively(text: str, command: Sequence[str]) -> bool:
    """Run the tool; whether it took the text."""
    try:
        done = subprocess.run(
            command,
            input=text.encode(errors="replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
