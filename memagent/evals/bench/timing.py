"""Times of many calls, and the table that every benchmark prints."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Milliseconds of each call: on the clock, and of processor time, which other programs lengthen less."""

    wall: list[float]
    processor: list[float]


def measure(action: Callable[[int], object], count: int) -> Timing:
    """Time each of `count` calls; the processor time is that of this thread."""
    wall, processor = [], []
    for number in range(count):
        start, used = time.perf_counter(), time.thread_time()
        action(number)
        processor.append((time.thread_time() - used) * 1000)
        wall.append((time.perf_counter() - start) * 1000)
    return Timing(wall, processor)


@dataclass(frozen=True)
class Measure:
    """One row of a table: milliseconds on the clock and of the processor, over `count` calls.

    `facts`, or turns of conversation, were in the store; `group` is the table, such as "search".
    """

    group: str
    name: str
    facts: int
    p50: float
    p95: float
    p99: float
    longest: float
    cpu_p50: float
    cpu_p95: float
    count: int


def shown(group: str, facts: int, results: Mapping[str, Timing], unit: str = "facts") -> list[Measure]:
    """Print a table, and give its rows."""
    print_table(f"{group}, {facts:,} {unit}", results)
    return [_measure(group, name, facts, timing) for name, timing in results.items()]


def _measure(group: str, name: str, facts: int, timing: Timing) -> Measure:
    wall, cpu = ([round(value, 4) for value in percentiles(values)] for values in (timing.wall, timing.processor))
    longest = round(max(timing.wall), 4)
    return Measure(group, name, facts, wall[49], wall[94], wall[98], longest, cpu[49], cpu[94], len(timing.wall))


def print_table(title: str, results: Mapping[str, Timing]) -> None:
    """Percentiles in milliseconds, a row for each thing that was measured."""
    print(f"\n{title + '; ms':44}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}{'cpu p50':>9}{'cpu p95':>9}{'n':>7}")
    for name, timing in results.items():
        wall, cpu = percentiles(timing.wall), percentiles(timing.processor)
        figures = f"{wall[49]:9.2f}{wall[94]:9.2f}{wall[98]:9.2f}{max(timing.wall):9.2f}{cpu[49]:9.2f}{cpu[94]:9.2f}"
        print(f"{name:44}{figures}{len(timing.wall):7}", flush=True)


def percentiles(values: list[float]) -> list[float]:
    """The 99 percentiles; a single value is all of them."""
    return statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else values * 99
