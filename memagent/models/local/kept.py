"""The key-value cache that is kept between requests, and how it goes back to where two prompts part.

Three kinds of cache: attention over everything is cropped to any length; sliding windows and short convolutions can
take back the last forward only; recurrent states can take back nothing. What cannot be cropped is copied at stable
boundaries, and taken up again from the copy.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

SNAPSHOTS = 3  # the first one, at the end of the instructions, and the newest ones


@dataclass(frozen=True)
class Snapshot:
    length: int  # tokens that it holds
    cache: Any
    recording: bool


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size
    return next(index for index in range(size) if one[index] != other[index])


class KeptCache:
    """A cache and the tokens it holds. Every forward of the model goes through `forward`."""

    def __init__(self, model: Any) -> None:
        parameters = inspect.signature(model.forward).parameters
        self._model = model
        self._argument = "past_key_values" if "past_key_values" in parameters else "cache_params"
        self._few_logits = "logits_to_keep" in parameters
        self._snapshots: list[Snapshot] = []
        self._cache: Any = None
        self._recording = False
        self.ids: list[int] = []
        self.forwards = 0

    @property
    def kind(self) -> Literal["croppable", "last", "fixed"]:
        """What can be taken back: any number of tokens, some of the last forward, nothing. Known after a forward."""
        if not self._cache.is_croppable:
            return "fixed"
        return "last" if self._convolution or self._window is not None else "croppable"

    @property
    def _window(self) -> int | None:
        """The shortest sliding window, in tokens."""
        sizes = (layer.sliding_window for layer in self._cache.layers if getattr(layer, "is_sliding", False))
        return min(sizes, default=None)

    @property
    def _convolution(self) -> bool:
        from transformers.cache_utils import LinearAttentionCacheLayerMixin

        return any(isinstance(layer, LinearAttentionCacheLayerMixin) for layer in self._cache.layers)

    @property
    def needs_copies(self) -> bool:
        """Whether it cannot be cropped to any length, or is not known yet to be."""
        return self._cache is None or self.kind != "croppable"

    def _can_crop(self) -> bool:
        """Whether it can be cropped to any length as it is now; a window that is not full yet can be."""
        if self._cache is None or self.kind == "fixed" or self._convolution:
            return False
        return self._window is None or len(self.ids) < self._window

    def forward(self, ids: Sequence[int], logits: int) -> Any:
        """Append tokens; the logits after each of the last `logits` of them, (logits, vocabulary), on the device."""
        import torch
        from transformers import DynamicCache

        if self._cache is None:
            self._cache = DynamicCache(config=self._model.config.get_text_config(decoder=True))
        arguments: dict[str, Any] = {self._argument: self._cache, "use_cache": True}
        if self._few_logits:
            arguments["logits_to_keep"] = logits
        tokens = torch.tensor([list(ids)], device=self._model.device)
        output = self._model(input_ids=tokens, **arguments)
        self.forwards += 1
        self.ids += ids
        return output.logits[0, -logits:]

    def settle(self, unwanted: int = 0) -> None:
        """Take back the last `unwanted` tokens of the last forward, and let go of what was recorded to do that."""
        if unwanted or self._recording:
            self._cache.crop(-unwanted)
        if unwanted:
            del self.ids[-unwanted:]

    def record(self) -> bool:
        """Make sure that tokens of the forwards to come can be taken back; False where that is not possible."""
        if self.kind == "fixed":
            return False
        if not self._recording:
            self._cache.activate_past_recording()
            self._recording = True
        return True

    def rewind(self, ids: Sequence[int]) -> int:
        """Go back to what the cache shares with `ids`; returns how many of `ids` it holds then, never all of them."""
        shared = shared_length(self.ids, ids[: len(ids) - 1])
        self._snapshots = [snapshot for snapshot in self._snapshots if snapshot.length <= shared]
        unwanted = len(self.ids) - shared
        if not unwanted:
            return shared
        if self._can_crop():
            self.settle(unwanted)
            return shared
        self._cache, self._recording, kept = None, False, 0
        if self._snapshots:
            newest = self._snapshots[-1]
            kept, self._recording = newest.length, newest.recording
            self._cache = copy.deepcopy(newest.cache)
        del self.ids[kept:]
        return kept

    def snapshot(self) -> None:
        """Copy the cache as it is, where it could not be cropped to this length later."""
        if (
            not self.ids
            or self.kind == "croppable"
            or any(snapshot.length == len(self.ids) for snapshot in self._snapshots)
        ):
            return
        if len(self._snapshots) == SNAPSHOTS:
            del self._snapshots[1]
        self._snapshots.append(Snapshot(len(self.ids), copy.deepcopy(self._cache), self._recording))
