"""Settings: defaults, then `config.toml` in the home folder, then the environment, then the command line.

Owns what a setting is called, what it may hold and where its value came from. It opens nothing: no database, no model.
A value that cannot be used is an `InputError` that names the key, the source and what is allowed. API keys are no
settings: the model that needs one reads it from the environment, and it is never written to the file.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from memagent.errors import InputError

CONFIG_FILE = "config.toml"
STORE_FILE = "memory.db"
DEFAULT_MODEL = "memagent"
DEFAULT_CONTEXT_TOKENS = 2048
LEAST_CONTEXT_TOKENS = 2000  # the instructions, the tools, a short exchange and the reply

Mode = Literal["tools", "auto", "both"]
MemoryMode = Literal["on", "ask", "read-only", "off"]
Expand = Literal["never", "errors", "always"]

_DEVICE = re.compile(r"(auto|cpu|mps|cuda(:\d+)?)(:(fp32|bf16|fp16))?")
_STORE_SCHEMES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


@dataclass(frozen=True)
class Settings:
    """What one run of the program works with.

    `home` holds the configuration, the default store, the vector index and the log. `now` fixes the session clock, for
    scripted runs. `keys` maps actions of the terminal interface to keys. `sources` tells where each value came from, by
    key.
    """

    home: Path
    store_url: str
    model: str = DEFAULT_MODEL
    space: str = "default"
    vector_url: str | None = None
    context_tokens: int = DEFAULT_CONTEXT_TOKENS
    mode: Mode = "both"
    capture: bool = True
    reading: bool = True
    check: bool = True
    best_of: int = 1
    think_tokens: int = 2000
    think_seconds: int = 60
    device: str = "auto"
    full_sync: bool = False
    now: datetime | None = None
    memory: MemoryMode = "on"
    theme: str | None = None
    expand: Expand = "never"
    keys: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def config_file(self) -> Path:
        return self.home / CONFIG_FILE

    @property
    def asked_context_tokens(self) -> int | None:
        """The window that a person asked for; None where it is left to the model."""
        given = "context_tokens" in self.sources or self.context_tokens != DEFAULT_CONTEXT_TOKENS
        return self.context_tokens if given else None

    @property
    def store_path(self) -> Path | None:
        """The database file of an SQLite store; None for a server."""
        scheme, _, rest = self.store_url.partition(":///")
        return Path(rest.partition("?")[0]) if scheme.startswith("sqlite") else None


class _Rejected(Exception):
    """What is allowed instead; the caller knows the key and the source."""


def _text(value: Any, base: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Rejected("a text that is not empty")
    if any(not character.isprintable() for character in value):
        raise _Rejected("a text without control characters, in valid UTF-8")
    return value.strip()


def _path(value: Any, base: Path) -> Path:
    if not isinstance(value, (str, Path)) or not str(value).strip() or "\0" in str(value):
        raise _Rejected("the path of a folder")
    path = base / Path(value).expanduser()
    if path.exists() and not path.is_dir():
        raise _Rejected("the path of a folder; there is a file of that name")
    return path


def _store_url(value: Any, base: Path) -> str:
    allowed = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    url = _text(value, base)
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise _Rejected(f"{allowed}; for a file: sqlite:///{url}")
    if scheme not in _STORE_SCHEMES:
        raise _Rejected(allowed)
    if not scheme.startswith("sqlite"):
        if not rest.strip("/"):
            raise _Rejected(allowed)
        return url
    path, question, query = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or path in ("", ":memory:"):
        raise _Rejected("sqlite:///PATH (a memory that lasts needs a file)")
    return f"{scheme}:///{base / Path(path).expanduser()}{question}{query}"


def _server_url(value: Any, base: Path) -> str:
    url = _text(value, base)
    scheme, _, host = url.partition("://")
    if scheme not in ("http", "https") or not host:
        raise _Rejected("http://HOST:PORT or https://HOST:PORT")
    return url.rstrip("/")


def _space(value: Any, base: Path) -> str:
    name = _text(value, base)
    if len(name) > 100:
        raise _Rejected("a name of at most 100 characters")
    return name


def _context_tokens(value: Any, base: Path) -> int:
    try:
        number = int(value) if not isinstance(value, (bool, float)) else 0
    except (TypeError, ValueError):
        number = 0
    if not LEAST_CONTEXT_TOKENS <= number <= 10_000_000:
        raise _Rejected(f"a whole number from {LEAST_CONTEXT_TOKENS}, which the tools need, to 10000000")
    return number


def _whole_number(least: int, most: int) -> Callable[[Any, Path], int]:
    def check(value: Any, base: Path) -> int:
        if isinstance(value, (bool, float)) or not re.fullmatch(r"\d{1,9}", str(value)):
            raise _Rejected(f"a whole number from {least} to {most}")
        if not least <= int(value) <= most:
            raise _Rejected(f"a whole number from {least} to {most}")
        return int(value)

    return check


def _mode(value: Any, base: Path) -> str:
    if value not in get_args(Mode):
        raise _Rejected("tools (only the model's own calls), auto (only the specialists) or both")
    return str(value)


def _device(value: Any, base: Path) -> str:
    if not _DEVICE.fullmatch(str(value)):
        raise _Rejected("auto, cpu, cuda, cuda:1 or mps, with :fp32, :bf16 or :fp16 behind it for the type of numbers")
    return str(value)


def _flag(value: Any, base: Path) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in words:
        raise _Rejected("true or false")
    return words[str(value).lower()]


def _one_of(*allowed: str) -> Callable[[Any, Path], str]:
    def check(value: Any, base: Path) -> str:
        word = {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else str(value).strip().lower()
        if word not in allowed:
            raise _Rejected(", ".join(allowed))
        return word

    return check


def _moment(value: Any, base: Path) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Rejected("a date and time such as 2026-03-02T09:00 or 2026-03-02T09:00+01:00") from None
    return moment if moment.tzinfo else moment.astimezone()


@dataclass(frozen=True)
class _Key:
    field: str
    environment: str
    check: Callable[[Any, Path], Any]
    meaning: str


KEYS: Mapping[str, _Key] = {
    "home": _Key("home", "MEMAGENT_HOME", _path, "folder of configuration, store, index and log"),
    "store": _Key("store_url", "MEMAGENT_STORE", _store_url, "SQL URL of the memory"),
    "model": _Key("model", "MEMAGENT_MODEL", _text, "the chat model; 'memagent' is the shipped one"),
    "space": _Key("space", "MEMAGENT_SPACE", _space, "namespace of memory: a person, a project"),
    "vector_url": _Key("vector_url", "MEMAGENT_VECTOR_URL", _server_url, "Chroma server; without it a local index"),
    "context_tokens": _Key("context_tokens", "MEMAGENT_CONTEXT_TOKENS", _context_tokens, "size of the context window"),
    "mode": _Key("mode", "MEMAGENT_MODE", _mode, "who uses memory beside another chat model: tools, auto or both"),
    "capture": _Key("capture", "MEMAGENT_CAPTURE", _flag, "the specialists keep what another chat model did not"),
    "reading": _Key("reading", "MEMAGENT_READING", _flag, "the specialists look things up for another chat model"),
    "check": _Key("check", "MEMAGENT_CHECK", _flag, "names and numbers of a reply must occur in memory or talk"),
    "best_of": _Key("best_of", "MEMAGENT_BEST_OF", _whole_number(0, 16), "further attempts when the check fails"),
    "think_tokens": _Key(
        "think_tokens", "MEMAGENT_THINK_TOKENS", _whole_number(0, 1_000_000), "tokens that further attempts may cost"
    ),
    "think_seconds": _Key(
        "think_seconds", "MEMAGENT_THINK_SECONDS", _whole_number(0, 86_400), "seconds that further attempts may take"
    ),
    "device": _Key("device", "MEMAGENT_DEVICE", _device, "where a checkpoint runs: auto, cpu, cuda, mps, cpu:bf16"),
    "full_sync": _Key("full_sync", "MEMAGENT_FULL_SYNC", _flag, "survive power loss too, at one fsync a write"),
    "memory": _Key(
        "memory", "MEMAGENT_MEMORY", _one_of(*get_args(MemoryMode)), "on, ask (before a write), read-only, off"
    ),
    "theme": _Key("theme", "MEMAGENT_THEME", _text, "colours of the terminal interface"),
    "expand": _Key("expand", "MEMAGENT_EXPAND", _one_of(*get_args(Expand)), "which tool cards stand open"),
    "now": _Key("now", "MEMAGENT_NOW", _moment, "a fixed clock, for scripted runs"),
}


def default_home() -> Path:
    """The folder where the platform keeps a person's data."""
    import platformdirs

    return Path(platformdirs.user_data_dir("memagent", appauthor=False))


def load_settings(**overrides: Any) -> Settings:
    """The settings of this run; an override is named like the field of `Settings`, and None means not given.

    Raises InputError for a value that cannot be used and for an unreadable file.
    """
    unknown = set(overrides) - {item.name for item in fields(Settings)}
    if unknown:
        raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
    home, home_source = _home(overrides.get("home"))
    values: dict[str, Any] = {"home": home}
    sources = {"home": home_source}
    file_values = read_config_file(home / CONFIG_FILE)
    here = Path.cwd()
    for name, key in KEYS.items():
        if name == "home":
            continue
        given = [
            (overrides.get(key.field), "the command line", here),
            (os.environ.get(key.environment) or None, key.environment, here),
            (file_values.get(name), str(home / CONFIG_FILE), home),
        ]
        for value, source, base in given:
            if value is not None:
                values[key.field] = check_value(name, value, source, base)
                sources[name] = source
                break
    values.setdefault("store_url", f"sqlite:///{home / STORE_FILE}")
    keys = _keys(file_values.get("keys", {}), home / CONFIG_FILE)
    return Settings(**values, keys=keys, sources=sources)


def _keys(table: Any, path: Path) -> dict[str, str]:
    """The `[keys]` table, action to keys, as in `"chat.stop" = "ctrl+x"`; the interface knows the actions."""
    if not isinstance(table, dict) or not all(isinstance(keys, str) and keys.strip() for keys in table.values()):
        raise InputError(f"[keys] in {path} cannot be used", 'write an action and its key: "chat.stop" = "ctrl+x"')
    return {action: keys.strip() for action, keys in table.items()}


def _home(override: Any) -> tuple[Path, str]:
    if override is not None:
        return check_value("home", override, "the command line", Path.cwd()), "the command line"
    variable = KEYS["home"].environment
    if os.environ.get(variable):
        return check_value("home", os.environ[variable], variable, Path.cwd()), variable
    return default_home(), "default"


def check_value(name: str, value: Any, source: str, base: Path) -> Any:
    """The value of setting `name` in its own type; relative paths are taken from `base`. Raises InputError."""
    if name not in KEYS:
        raise InputError(f"there is no setting {name!r} ({source})", f"settings: {', '.join(KEYS)}")
    try:
        return KEYS[name].check(value, base)
    except _Rejected as rejected:
        shown = ascii(masked(str(value))[:80])
        raise InputError(f"{name} = {shown} ({source}) cannot be used", f"allowed: {rejected}") from None


def masked(url: str) -> str:
    """The URL with its password replaced, for the screen."""
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:***@", url)


def read_config_file(path: Path) -> dict[str, Any]:
    """The keys of a configuration file, unchecked but known; empty when there is no file."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}", "mend the line or remove the file") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    for name in values:
        if (name not in KEYS or name == "home") and name != "keys":
            allowed = ", ".join(key for key in KEYS if key != "home")
            raise InputError(f"there is no setting {name!r} in {path}", f"settings: {allowed}")
    return values


def write_setting(home: Path, name: str, value: str) -> Path:
    """Set one key of the configuration file, its other lines and comments kept; returns the file's path.

    Raises InputError for a value that `load_settings` would refuse.
    """
    path = home / CONFIG_FILE
    if name == "home":
        raise InputError("the home folder is not set in the file that it holds", "use --home or MEMAGENT_HOME")
    checked = check_value(name, value, "config set", Path.cwd())
    read_config_file(path)
    stored = checked.isoformat() if isinstance(checked, datetime) else checked
    line = f"{name} = {json.dumps(stored, ensure_ascii=False)}"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [line if _sets(old, name) else old for old in lines]
    if line not in kept:  # in front of the first table, or it would belong to that
        kept.insert(next((at for at, old in enumerate(kept) if old.lstrip().startswith("[")), len(kept)), line)
    text = "\n".join(kept) + "\n"
    if tomllib.loads(text).get(name) != stored:
        raise InputError(f"{path} sets {name} in a way that cannot be changed safely", f"write in an editor: {line}")
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", "check its permissions") from None
    return path


def _sets(line: str, name: str) -> bool:
    return "=" in line and line.partition("=")[0].strip().strip("\"'") == name
