"""Puts an agent together from settings: the store at once, the models in the background.

The store is usable before the models are; what is written meanwhile is queued and embedded when the embedder arrives.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from typing import Literal

from memagent.config import DEFAULT_MODEL, Settings
from memagent.embedding import Embedder
from memagent.errors import MemagentError, ModelError
from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock, SystemClock
from memagent.models.chat_model import ChatModel

LOG = logging.getLogger(__name__)


@dataclass
class Agent:
    """A store and a model. Stateless between turns: many agents may work on the same store.

    `ready` is set when the models have loaded, or have failed to; then `model` gives the model or raises ModelError.
    """

    store: MemoryStore
    model_name: str
    ready: threading.Event = field(default_factory=threading.Event)
    _model: ChatModel | None = None
    _fault: MemagentError | None = None

    @property
    def model(self) -> ChatModel:
        """The chat model; waits for it."""
        self.ready.wait()
        if self._model is None:
            raise self._fault or ModelError("the model did not load", "for the cause run: memagent doctor")
        return self._model

    def give(self, model: ChatModel, embedder: Embedder | None) -> None:
        """Hand over loaded models."""
        if embedder is not None:
            self.store.attach_embedder(embedder)
        self._model = model
        self.ready.set()

    def load(self, settings: Settings) -> None:
        """Load the models that the settings name. What goes wrong is kept, as an error, for whoever asks for them."""
        try:
            model, embedder = load_models(settings)
            self.store.attach_embedder(embedder)
            self.store.start_background_drain()  # before `ready`: from then on `close` may close the store
            self.give(model, None)
        except MemagentError as error:
            self._fault = error
        except Exception as error:  # nobody is above this thread; the traceback goes to the log
            LOG.exception("the model did not load: %s: %s", type(error).__name__, error)
            self._fault = ModelError(
                f"the model did not load: {type(error).__name__}: {error}",
                "what was said is kept; for the cause run: memagent doctor",
            )
        finally:
            self.ready.set()

    def close(self) -> None:
        """Close the store; waits for models that are still loading."""
        self.ready.wait()
        self.store.close()

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_agent(settings: Settings, load: Literal["background", "now"] = "background") -> Agent:
    """Open the store; load the models, now or in a thread. Raises StoreError and InputError; ModelError with `now`."""
    clock = FixedClock(settings.now) if settings.now else SystemClock()
    store = MemoryStore.open(
        settings.store_url,
        space=settings.space,
        clock=clock,
        data_dir=settings.home,
        vector_url=settings.vector_url,
        full_sync=settings.full_sync,
    )
    agent = Agent(store, settings.model)
    if load == "background":
        threading.Thread(target=agent.load, args=(settings,), name="models", daemon=True).start()
        return agent
    agent.load(settings)
    try:
        _ = agent.model
    except MemagentError:
        store.close()
        raise
    return agent


def load_models(settings: Settings) -> tuple[ChatModel, Embedder]:
    """The chat model and the embedder that the settings name. Raises ModelError."""
    if settings.model != DEFAULT_MODEL:
        raise ModelError(
            f"the model {settings.model!r} is not one this version can run",
            f"use the shipped one: --model {DEFAULT_MODEL}, or unset MEMAGENT_MODEL",
        )
    from memagent.models.embedder import MiniLMEmbedder
    from memagent.models.specialists import Specialists

    return Specialists(context_tokens=settings.context_tokens), MiniLMEmbedder()
