"""Where a setting comes from, and what happens to one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.config import LEAST_CONTEXT_TOKENS, load_settings, masked, write_setting
from memagent.errors import InputError


def test_without_anything_the_store_is_in_the_home(home: Path) -> None:
    settings = load_settings()
    assert settings.home == home
    assert settings.store_url == f"sqlite:///{home / 'memory.db'}"
    assert settings.store_path == home / "memory.db"
    assert (settings.model, settings.space, settings.context_tokens) == ("memagent", "default", 2048)


def test_the_nearer_source_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_setting(home, "space", "file")
    write_setting(home, "model", "file-model")
    assert load_settings().space == "file"
    monkeypatch.setenv("MEMAGENT_SPACE", "environment")
    assert load_settings().space == "environment"
    settings = load_settings(space="line")
    assert settings.space == "line"
    assert settings.model == "file-model"
    assert settings.sources["space"] == "the command line"
    assert settings.sources["model"] == str(home / "config.toml")


def test_relative_paths_are_made_absolute(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(store_url="sqlite:///x.db").store_path == tmp_path / "x.db"
    home.mkdir()
    (home / "config.toml").write_text('store = "sqlite:///y.db"\n', encoding="utf-8")
    assert load_settings().store_path == home / "y.db"
    assert load_settings(home="elsewhere").home == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("store_url", "memory.db"),
        ("store_url", "mysql://host/db"),
        ("store_url", "sqlite://"),
        ("store_url", "sqlite:///:memory:"),
        ("store_url", "postgresql://"),
        ("model", " "),
        ("space", "a\x1bb"),
        ("space", "x" * 101),
        ("space", "\udcff"),
        ("context_tokens", "12"),
        ("context_tokens", str(LEAST_CONTEXT_TOKENS - 1)),
        ("context_tokens", "1e6"),
        ("vector_url", "localhost:8000"),
        ("full_sync", "perhaps"),
        ("now", "yesterday"),
        ("home", "/dev/null"),
    ],
)
def test_a_bad_value_names_its_key_its_source_and_what_is_allowed(field: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        load_settings(**{field: value})
    assert field.removesuffix("_url") in caught.value.message
    assert "the command line" in caught.value.message
    assert caught.value.hint.startswith("allowed: ")


def test_the_environment_is_named_where_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMAGENT_STORE", "nonsense")
    with pytest.raises(InputError, match="MEMAGENT_STORE"):
        load_settings()


@pytest.mark.parametrize(
    "text", ["surprise = 1\n", "home = '/x'\n", "space = \n", "context_tokens = 'x'\n", "space = [1]\n"]
)
def test_a_file_that_cannot_be_used_is_named(home: Path, text: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.toml"):
        load_settings()


def test_writing_a_setting_keeps_the_rest_of_the_file(home: Path) -> None:
    home.mkdir()
    path = home / "config.toml"
    path.write_text("# mine\nspace = 'old' # why\nmodel = \"m\"\n", encoding="utf-8")
    write_setting(home, "space", 'a "b" \\ ü')
    assert path.read_text(encoding="utf-8").splitlines()[0] == "# mine"
    settings = load_settings()
    assert (settings.space, settings.model) == ('a "b" \\ ü', "m")


def test_a_moment_without_a_zone_is_local() -> None:
    now = load_settings(now="2026-03-02T09:00").now
    assert now is not None and now.tzinfo is not None and now.hour == 9


def test_passwords_are_not_shown() -> None:
    assert masked("postgresql://ann:s3cret@host/db") == "postgresql://ann:***@host/db"
    assert masked("postgresql://ann@host/db") == "postgresql://ann@host/db"
    assert masked("sqlite:///x.db") == "sqlite:///x.db"


def test_keys_of_the_interface_are_a_table_that_other_settings_do_not_fall_into(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[keys]\n"chat.stop" = "ctrl+x"\n', encoding="utf-8")
    write_setting(home, "theme", "nord")
    settings = load_settings()
    assert (settings.keys, settings.theme) == ({"chat.stop": "ctrl+x"}, "nord")


@pytest.mark.parametrize("table", ['keys = "ctrl+x"', "[keys]\nchat = 3", '[keys]\n"chat.stop" = " "'])
def test_keys_that_cannot_be_used_are_refused(home: Path, table: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(table, encoding="utf-8")
    with pytest.raises(InputError, match="keys"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "mode"), [("ask", "ask"), ("off", "off"), (False, "off"), ("Read-Only", "read-only")]
)
def test_the_memory_mode_is_one_of_four(given: object, mode: str) -> None:
    assert load_settings(memory=given).memory == mode
    with pytest.raises(InputError) as refused:
        load_settings(memory="sometimes")
    assert refused.value.hint == "allowed: on, ask, read-only, off"
