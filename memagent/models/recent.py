"""Results that are kept for a while, since a turn asks the same thing of a model more than once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Calls `work` for those keys whose values are not kept. Keeps about `most`. Thread-safe where `work` is."""

    def __init__(self, work: Callable[[Sequence[Key]], Sequence[Value]], most: int) -> None:
        self._work = work
        self._most = most
        self._kept: dict[Key, Value] = {}

    def __call__(self, keys: Sequence[Key]) -> list[Value]:
        """The values of the keys, in order; every new key is worked out once, all of them together."""
        kept = self._kept
        found = {key: kept[key] for key in keys if key in kept}
        new = [key for key in dict.fromkeys(keys) if key not in found]
        if new:
            worked = dict(zip(new, self._work(new), strict=True))
            found |= worked
            # A new dictionary, so that no other thread loses what it is about to read.
            self._kept = worked if len(kept) + len(new) > self._most else kept | worked
        return [found[key] for key in keys]
