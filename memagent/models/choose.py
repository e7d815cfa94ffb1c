"""From what a person gives as the model to the backend that runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from memagent.config import DEFAULT_MODEL, Settings
from memagent.errors import InputError, ModelError
from memagent.models.chat_model import ChatModel

DEFAULT_WINDOW = 8192  # tokens; of larger windows no more is used unless the person asks for it
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
FORMS = (
    f"{DEFAULT_MODEL} (the shipped one), a folder, a hub id such as Qwen/Qwen3-0.6B, "
    "or a server such as http://localhost:11434/v1#qwen3:4b"
)


@dataclass(frozen=True)
class ModelChoice:
    """Which backend, and what it is to run.

    `location` is the folder, the hub id or the server's base URL; `name` the model on the server, empty where the
    server is to be asked which one it has.
    """

    kind: Literal["shipped", "local", "server"]
    location: str = ""
    name: str = ""


def parse_model(text: str) -> ModelChoice:
    """What `--model TEXT` means.

    Raises ModelError for a text that names nothing of the kind, InputError for an address that is wrong in itself.
    """
    text = text.strip()
    if text == DEFAULT_MODEL:
        return ModelChoice("shipped")
    if text.lower().startswith(("http://", "https://")):
        return _server(text)
    if text and Path(text).expanduser().is_dir():
        return ModelChoice("local", str(Path(text).expanduser()))
    if HUB_ID.fullmatch(text):
        return ModelChoice("local", text)
    raise ModelError(f"there is no model {ascii(text)}: neither a folder nor a hub id nor a server", f"use {FORMS}")


def _server(text: str) -> ModelChoice:
    url, _, name = text.partition("#")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.query:
        raise InputError(f"{ascii(url)} is no address of a server", "write http://HOST:PORT/v1#MODEL")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "the address of the server holds a name or password",
            "leave it out of the address; a key is read from MEMAGENT_API_KEY or OPENAI_API_KEY",
        )
    base = url.rstrip("/")
    return ModelChoice("server", base if parts.path.strip("/") else f"{base}/v1", name.strip())


def is_shipped(settings: Settings) -> bool:
    """Whether the specialists are the chat model themselves."""
    return parse_model(settings.model).kind == "shipped"


def load_chat_model(settings: Settings) -> ChatModel:
    """The chat model that the settings name, ready to respond. Raises ModelError and InputError."""
    choice = parse_model(settings.model)
    if choice.kind == "server":
        from memagent.models.openai_server import connect

        return connect(choice.location, choice.name, context_tokens=settings.asked_context_tokens)
    if choice.kind == "local":
        from memagent.models.local.load import load_local

        return load_local(choice.location, context_tokens=settings.asked_context_tokens, device=settings.device)
    from memagent.models.specialists import Specialists

    return Specialists(context_tokens=settings.context_tokens)
