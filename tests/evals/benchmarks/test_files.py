"""Files of benchmarks: arrays and lines, gzipped or not, and what is said about those that are broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from memagent.errors import InputError, NotFoundError
from memagent.evals.benchmarks.files import records

DATA = [{"a": 1}, {"b": ["x", "ü\u2028"]}]
ARRAY = json.dumps(DATA, indent=1)
LINES = "\n\n".join(json.dumps(record, ensure_ascii=False) for record in DATA)


@pytest.mark.parametrize("text", [ARRAY, LINES, "\ufeff" + ARRAY, LINES + "\n", f"  {ARRAY}\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_arrays_and_lines_are_read_gzipped_or_not_whatever_the_name(text: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    data = text.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    assert [record for _, record in records(path)] == DATA


def test_the_place_of_a_record_is_its_line_or_its_number(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text(LINES, encoding="utf-8")
    assert [place for place, _ in records(path)] == [f"{path}:1", f"{path}:3"]
    path.write_text(ARRAY, encoding="utf-8")
    assert [place for place, _ in records(path)] == [f"{path}, record 1", f"{path}, record 2"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no records"),
        (b"[]", "holds no records"),
        (b'{"a": 1}\n{"b": ', ":2 is not JSON"),
        (b'[{"a": 1}, {"b": ]', "record 2 is not JSON"),
        (b'[{"a": 1} {"b": 2}]', "record 1 is not followed by a comma"),
        (b'[{"a": 1}', "record 1 is not followed by a comma"),
        (b'[{"a": 1}] x', "goes on after its array"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"\x1f\x8bnot gzip", "damaged gzip"),
        (gzip.compress(b'{"a": 1}')[:-6], "damaged gzip"),
    ],
)
def test_a_broken_file_is_refused_in_one_sentence(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        list(records(path))


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        list(records(tmp_path / "none"))
    with pytest.raises(InputError):
        list(records(tmp_path))
