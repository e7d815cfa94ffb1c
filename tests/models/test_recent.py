"""What is kept of a model's results."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from memagent.models.recent import Recent


def test_every_key_is_worked_out_once_and_all_new_ones_together() -> None:
    worked: list[list[int]] = []

    def work(keys: Sequence[int]) -> list[int]:
        worked.append(list(keys))
        return [key * key for key in keys]

    squares = Recent(work, 10)
    assert squares([2, 3, 2]) == [4, 9, 4]
    assert squares([3, 4]) == [9, 16]
    assert squares([]) == []
    assert worked == [[2, 3], [4]]


def test_no_more_is_kept_than_was_asked_for() -> None:
    worked: list[int] = []
    kept = Recent(lambda keys: [worked.append(key) or key for key in keys], 3)  # type: ignore[func-returns-value]
    for key in (1, 2, 3, 4, 1, 4):
        assert kept([key]) == [key]
    assert worked == [1, 2, 3, 4, 1]


def test_no_thread_loses_what_another_throws_away() -> None:
    kept = Recent(lambda keys: [key + 1 for key in keys], 2)
    right: list[bool] = []

    def work(first: int) -> None:
        right.append(all(kept([key, key + 1]) == [key + 1, key + 2] for key in range(first, first + 3000)))

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 4  # a thread that lost a value has ended without a word
