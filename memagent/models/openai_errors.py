"""What goes wrong with a server, said in one sentence with what to do about it; the key is in none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from memagent.errors import ModelError

LONGEST = 300  # characters of a server's own words
TEMPLATE = re.compile(r"jinja|chat[ _]template|template|lazy grammar|must alternate|No user query", re.IGNORECASE)
TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum context|too many tokens|prompt is too long"
    r"|exceeds? the (?:available|model)",
    re.IGNORECASE,
)
NO_TOOLS = re.compile(
    r"does not support (?:tools|function)|enable-auto-tool-choice|tool-call-parser|tools? (?:param|are not|is not)"
    r"|requires --jinja|tools param requires",
    re.IGNORECASE,
)
UNREACHED = re.compile(r"refused|name or service|nodename|resolution|unreachable|no route", re.IGNORECASE)
BUSY = (408, 409, 429, 500, 502, 503, 504)


class Fault:
    """One failed request, as far as anything can be learnt from it."""

    def __init__(self, error: Exception, secret: str) -> None:
        self.error = error
        self.status: int | None = getattr(error, "status_code", None)
        self.kind = type(error).__name__
        self.said = _said(error, secret)
        response = getattr(error, "response", None)
        self._headers: Mapping[str, str] = getattr(response, "headers", None) or {}

    @property
    def refuses_tools(self) -> bool:
        """Whether the server, as it was started, or the model takes no tools."""
        return self.status in (400, 422, 500, 501) and NO_TOOLS.search(self.said) is not None

    def refuses(self, option: str) -> bool:
        """Whether the server does not take an optional parameter."""
        return self.status in (400, 422) and option in self.said

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a little later."""
        if self.status is None:
            return self.kind in ("APITimeoutError", "APIConnectionError") and not self.refused
        spent = "insufficient_quota" in self.said or "billing" in self.said.lower()
        return self.status in BUSY and not (spent or self._template or TOO_LONG.search(self.said))

    @property
    def refused(self) -> bool:
        """Whether nothing listens at the address, or it has no such name."""
        words = " ".join(str(cause) for cause in _causes(self.error))
        return bool(
            re.search(r"refused|name or service|nodename|resolution|unreachable|No route", words, re.IGNORECASE)
        )

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait, where it says so in seconds."""
        try:
            return float(self._headers.get("retry-after", ""))
        except ValueError:
            return None

    @property
    def _template(self) -> bool:
        return self.status in (400, 422, 500) and TEMPLATE.search(self.said) is not None

    def as_error(self, server: str, name: str, available: str = "") -> ModelError:
        """The error for the person. `server` is its address, `available` what other models it has."""
        if self.status is None:
            return self._unreached(server)
        if self.status in (401, 403):
            return ModelError(
                f"{server} refuses the key ({self.status}): {self.said}",
                "set MEMAGENT_API_KEY, for api.openai.com OPENAI_API_KEY, to a key that is valid there",
            )
        if TOO_LONG.search(self.said):
            return ModelError(f"the prompt is too long for {name}: {self.said}", "set a smaller context_tokens")
        if self._template:
            return ModelError(
                f"the chat template of {name} failed on {server}: {self.said}",
                "start llama-server with --jinja, or use --mode auto, which needs no tools",
            )
        if self.status == 404:
            return ModelError(f"{server} has no model {name!r}: {self.said}", available or "check the address: .../v1")
        if self.status == 429:
            return ModelError(f"{server} takes no more requests for now: {self.said}", "wait, or use another model")
        return ModelError(f"{server} failed ({self.status}): {self.said}", "look at the server's log")

    def _unreached(self, server: str) -> ModelError:
        if self.refused:
            return ModelError(f"nothing answers at {server}", "start the server, or check host and port")
        if self.kind == "APITimeoutError":
            return ModelError(f"{server} did not answer in time", "look at the server's log; a smaller model is faster")
        if self.kind == "APIConnectionError":
            return ModelError(
                f"the connection to {server} broke off: {self.said}", "look at the server's log, ask again"
            )
        return ModelError(
            f"{server} sent what cannot be read: {self.said}", "check that it is an OpenAI-compatible /v1"
        )


def _said(error: Exception, secret: str) -> str:
    """The server's own words on one line, without the key."""
    body = getattr(error, "body", None)
    words: Any = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(words, Mapping):
        words = words.get("message") or words.get("detail") or words
    if not words:
        causes = [str(cause) for cause in _causes(error) if str(cause)]
        words = getattr(error, "message", "") or (causes[-1] if causes else type(error).__name__)
    text = " ".join(str(words).split())
    if secret:
        text = text.replace(secret, "***")
    text = re.sub(r"\b(sk|Bearer)[-_ ][\w*.-]{6,}", r"\1-***", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
