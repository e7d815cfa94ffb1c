"""`memagent models`: which chat models are at hand, whether one works, and which is used."""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import Group
from memagent.cli.memories import json_option
from memagent.cli.screen import json_out, note, one_line, out, table
from memagent.config import DEFAULT_MODEL, write_setting

PORTS = {11434: "Ollama", 1234: "LM Studio", 8080: "llama.cpp", 8000: "vLLM or transformers serve"}
LOOK_SECONDS = 1.0
Row = tuple[str, str, str]  # what --model takes, what runs it, where it was found
SIGNS = {"ok": click.style("ok     ", fg="green"), "failed": click.style("failed ", fg="red"), "missing": "-      "}


@click.group(cls=Group, name="models")
def models() -> None:
    """List, try and choose chat models."""


@models.command("list")
@json_option
@pass_app
def list_models(app: App, as_json: bool) -> None:
    """List the chat models on this machine, as --model takes them.

    Looks at the shipped one, the cache of the Hugging Face hub, and servers on the usual ports of this machine.
    """
    rows = [(DEFAULT_MODEL, "the shipped specialists", "shipped"), *_cached(), *_served()]
    if app.settings.model not in {name for name, *_ in rows}:
        rows.append((app.settings.model, "", f"set by {app.settings.sources.get('model', 'default')}"))
    if as_json:
        used = app.settings.model
        json_out([{"model": n, "runs": runs, "found": where, "used": n == used} for n, runs, where in rows])
        return
    table(["", "model", "runs on", "found"], [("*" if row[0] == app.settings.model else "", *row) for row in rows])


def _cached() -> Iterator[Row]:
    """Checkpoints of language models in the hub's cache."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    for folder in sorted(cache.glob("models--*--*")):
        if any(map(_talks, folder.glob("snapshots/*/config.json"))):
            size = sum(file.stat().st_size for file in folder.glob("blobs/*"))
            name = folder.name.removeprefix("models--").replace("--", "/", 1)
            yield name, "transformers, in this process", f"hub cache, {size / 1e9:.1f} GB"


def _talks(config: Path) -> bool:
    try:
        kinds = json.loads(config.read_text(encoding="utf-8")).get("architectures") or ()
    except (OSError, ValueError):
        return False
    return any(str(kind).endswith(("ForCausalLM", "ForConditionalGeneration")) for kind in kinds)


def _served() -> Iterator[Row]:
    """Models of servers that answer on the usual ports."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for port, kind in PORTS.items():
        base = f"http://localhost:{port}/v1"
        try:
            with opener.open(f"{base}/models", timeout=LOOK_SECONDS) as answer:
                data = json.loads(answer.read(1_000_000)).get("data") or ()
        except (OSError, ValueError, AttributeError):
            continue
        for item in data:
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                yield f"{base}#{item['id']}", "a server", f"port {port}, as {kind} uses it"


@models.command("use")
@click.argument("name", metavar="MODEL")
@pass_app
def use(app: App, name: str) -> None:
    """Make MODEL the chat model, in the configuration file."""
    from memagent.models.choose import parse_model

    choice = parse_model(name)
    if choice.kind == "local" and Path(choice.location).is_dir():
        name = str(Path(choice.location).resolve())
    written = write_setting(app.settings.home, "model", name)
    note(f"{name} is the chat model from now on, set in {written}")
    if choice.kind != "shipped":
        note("whether it works: memagent models check")


@models.command("check")
@click.argument("name", metavar="[MODEL]", required=False)
@json_option
@click.pass_context
def check(context: click.Context, name: str | None, as_json: bool) -> None:
    """Try MODEL, or the one that is set, in five short turns on a scratch memory.

    In the mode that is set; --mode tools shows what the model does without the specialists. Exit code 1 where
    something fails.
    """
    from memagent.agent.assemble import load_models
    from memagent.agent.routing import routing_of
    from memagent.evals.model_check import check_model

    app = context.ensure_object(App)
    if name is not None:
        app.overrides["model"] = name
    settings = app.settings
    note(f"{settings.model}, mode {settings.mode}", dim=False)
    chat_model, embedder = load_models(settings)
    cancel = threading.Event()
    lines = []
    for line in check_model(chat_model, embedder, routing_of(settings), cancel):
        lines.append(line)
        if not as_json:
            out(f"{SIGNS[line.state]}{line.name:12}{one_line(line.detail)}")
    if as_json:
        json_out(lines)
    context.exit(int(any(line.state == "failed" for line in lines)))
