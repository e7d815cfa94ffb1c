"""What --model means."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.errors import InputError, ModelError
from memagent.models.choose import ModelChoice, parse_model


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("memagent", ModelChoice("shipped")),
        ("http://localhost:11434/v1#qwen3:4b", ModelChoice("server", "http://localhost:11434/v1", "qwen3:4b")),
        ("http://localhost:11434#qwen3:4b", ModelChoice("server", "http://localhost:11434/v1", "qwen3:4b")),
        ("http://localhost:8080/", ModelChoice("server", "http://localhost:8080/v1")),
        ("HTTPS://host/api/v1/#a/b#c", ModelChoice("server", "HTTPS://host/api/v1", "a/b#c")),
        ("http://[::1]:8000/v1#m", ModelChoice("server", "http://[::1]:8000/v1", "m")),
        ("Qwen/Qwen3-0.6B", ModelChoice("local", "Qwen/Qwen3-0.6B")),
    ],
)
def test_the_forms_of_a_model(text: str, choice: ModelChoice) -> None:
    assert parse_model(text) == choice


def test_a_folder_is_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    assert parse_model("mine") == ModelChoice("local", "mine")
    assert parse_model(str(tmp_path / "mine")).location == str(tmp_path / "mine")


@pytest.mark.parametrize("text", ["gpt-none", "a/b/c", "./none", "", "x y/z", "ftp://host/v1#m"])
def test_what_names_no_model_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ModelError, match="there is no model") as error:
        parse_model(text)
    assert "http://localhost:11434/v1#qwen3:4b" in error.value.hint


@pytest.mark.parametrize("text", ["http://", "http://:80/v1", "http://host:port/v1", "http://h/v1?key=1#m"])
def test_a_wrong_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no address of a server"):
        parse_model(text)


def test_a_key_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(InputError, match="holds a name or password") as error:
        parse_model("http://me:secret@host/v1#m")
    assert "secret" not in error.value.message + error.value.hint
