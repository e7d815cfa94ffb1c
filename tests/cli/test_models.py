"""`memagent models` and `memagent context`: what there is, what works, what would be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memagent.cli import models as models_command
from memagent.memory.store import MemoryStore
from tests.cli.conftest import Run
from tests.models.peer import Answer, Peer


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hub cache and no servers of whoever runs this."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setattr(models_command, "PORTS", {})


def test_the_models_at_hand_are_listed_as_model_takes_them(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, kind in (("org--talks", "Qwen3ForCausalLM"), ("org--embeds", "BertModel")):
        snapshot = tmp_path / "hub" / "hub" / f"models--{name}" / "snapshots" / "abc"
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text(json.dumps({"architectures": [kind]}), encoding="utf-8")
    with Peer("openai_text", models={"data": [{"id": "qwen3:4b"}, {"id": 5}]}) as peer:
        port = int(peer.url.rpartition(":")[2].partition("/")[0])
        monkeypatch.setattr(models_command, "PORTS", {port: "Ollama"})
        rows = json.loads(run("models", "list", "--json").stdout)
    assert [row["model"] for row in rows] == ["memagent", "org/talks", f"http://localhost:{port}/v1#qwen3:4b"]
    assert [row["used"] for row in rows] == [True, False, False]


def test_use_sets_the_model_and_refuses_what_is_none(run: Run, home: Path) -> None:
    run("models", "use", "http://localhost:9/v1#x")
    assert 'model = "http://localhost:9/v1#x"' in (home / "config.toml").read_text(encoding="utf-8")
    assert "http://localhost:9/v1#x" in run("models", "list").stdout
    result = run("models", "use", "nonsense", code=6)
    assert "there is no model" in result.stderr
    run("ask", "hello", code=6)
    run("models", "use", "memagent")
    run("ask", "hello")


def test_the_shipped_model_passes_its_check(run: Run) -> None:
    lines = {line["name"]: line for line in json.loads(run("models", "check", "--json").stdout)}
    assert {line["state"] for name, line in lines.items() if name != "reuse"} == {"ok"}
    assert "Brandt" in lines["memory"]["detail"] and "memory_update" in lines["tools"]["detail"]


def test_a_server_is_checked_with_what_it_can_do(run: Run) -> None:
    pytest.importorskip("openai", reason="the extra [openai] is not installed")

    def reply(body: dict[str, Any]) -> str:
        last = body["messages"][-1]["content"]
        return last.partition("Looked up for this message:")[2].strip().partition("\n")[0] or "I see."

    with Peer(Answer(reply=reply)) as peer:
        result = run("models", "check", f"{peer.url}#m", "--mode", "both", "--json")
        lines = {line["name"]: line for line in json.loads(result.stdout)}
        alone = json.loads(run("models", "check", f"{peer.url}#m", "--mode", "tools", "--json", code=1).stdout)
    assert lines["memory"]["state"] == "ok" and lines["tools"]["state"] == "missing"
    assert {line["name"]: line["state"] for line in alone}["memory"] == "failed"


def test_a_model_that_cannot_be_reached_is_an_error_not_a_report(run: Run) -> None:
    pytest.importorskip("openai", reason="the extra [openai] is not installed")
    result = run("models", "check", "http://127.0.0.1:9/v1#x", code=6)
    assert "nothing answers at http://127.0.0.1:9/v1" in result.stderr


def held(store_url: str) -> list[int]:
    with MemoryStore.open(store_url) as store:
        counts = store.stats()
        return [counts["sessions"], counts["messages"], counts["current_facts"], len(store.operations())]


def test_context_shows_every_part_with_its_tokens_and_stores_nothing(run: Run, boiler: int, store_url: str) -> None:
    before = held(store_url)
    seen = json.loads(run("context", "who services the boiler?", "--new", "--json").stdout)
    parts = {part["name"]: part for part in seen["parts"]}
    assert set(parts) == {"recalled", "message"}, "the shipped model reads neither instructions nor tools"
    assert any("Hartnell" in part["text"] for part in seen["parts"] if part["name"] == "recalled")
    assert all(part["tokens"] > 0 for part in parts.values())
    usage = seen["usage"]
    told = sum(part["tokens"] for part in seen["parts"])
    used = usage["system"] + usage["core"] + usage["recalled"] + usage["recent"]
    assert told <= used <= usage["window"] - usage["reserved"]
    assert held(store_url) == before


def test_context_shows_the_conversation_it_would_go_on_with(run: Run, boiler: int) -> None:
    shown = run("context", "--full").stdout
    assert "the boiler is serviced by Hartnell" in shown and "--- assistant" in shown
    assert "Hartnell" not in run("context", "--new").stdout
    assert "tokens" in run("context").stderr
    run("context", "--session", "99", code=4)
