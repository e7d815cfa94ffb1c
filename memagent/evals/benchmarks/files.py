"""Reading files of benchmarks: JSON, JSON Lines, either gzipped; what is wrong is said with its place."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from memagent.errors import InputError, NotFoundError

T = TypeVar("T")

ENCODING_HINT = "benchmarks are UTF-8 JSON, JSON Lines, or either gzipped"


def read_text(path: Path) -> str:
    """The text of a file, unpacked when it is gzipped. Raises NotFoundError and InputError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}", "check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    try:
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is a damaged gzip file: {error}", "fetch it again") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start})", ENCODING_HINT) from None


def records(path: Path) -> Iterator[tuple[str, Any]]:
    """Every record of a JSON array, or of JSON Lines, with its place for messages ("file:3", "file, record 3").

    Records are decoded one by one, so that only the text of a large file is in memory. Raises InputError where the
    text is no JSON, and when there is no record.
    """
    text = read_text(path)
    found = False
    for place, record in _array(path, text) if text.lstrip()[:1] == "[" else _lines(path, text):
        found = True
        yield place, record
    if not found:
        raise InputError(f"{path} holds no records", ENCODING_HINT)


def _lines(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except ValueError as error:
                raise InputError(f"{path}:{number} is not JSON: {error}", ENCODING_HINT) from None


def _array(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    number = 0
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            if text[at + 1 :].strip():
                raise InputError(f"{path} goes on after its array", ENCODING_HINT)
            return
        number += 1
        place = f"{path}, record {number}"
        try:
            record, at = decoder.raw_decode(text, at)
        except ValueError as error:
            raise InputError(f"{place} is not JSON: {error}", ENCODING_HINT) from None
        yield place, record
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "]":
            raise InputError(f"{place} is not followed by a comma or the end of the array", ENCODING_HINT)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\r", "\t"):
        at += 1
    return at


def member(record: Any, name: str, kind: type[T], place: str, hint: str) -> T:
    """A required member of a record, of the type that it must have. Raises InputError."""
    if not isinstance(record, Mapping):
        raise InputError(f"{place} is not an object", hint)
    if name not in record:
        raise InputError(f"{place} has no {name!r}", hint)
    value = record[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{place}: {name!r} is {ascii(value)[:60]}, not {_words(kind)}", hint)
    return value


def texts(value: Any, what: str, place: str, hint: str) -> tuple[str, ...]:
    """A list of texts. Raises InputError."""
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{place}: {what!r} is not a list of texts", hint)
    return tuple(value)


def unique(seen: set[str], identity: str, what: str, place: str, hint: str) -> str:
    """`identity`, which must be new. Raises InputError."""
    if identity in seen:
        raise InputError(f"{place}: the {what} {identity!r} is there twice", hint)
    seen.add(identity)
    return identity


def _words(kind: type[Any]) -> str:
    return {str: "a text", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}.get(
        kind, kind.__name__
    )
