"""Plots of a report, each as PNG and SVG; matplotlib is imported when one is drawn.

Colours are Okabe and Ito's, told apart by the colour-blind; systems differ in their markers as well.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from memagent.errors import InputError, StoreReadOnlyError
from memagent.evals.bench.timing import Measure
from memagent.evals.reports.report import BINS, Report, Series, score_words

FORMATS = ("png", "svg")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31", "#999999")
MARKERS = "osD^vPX*h"
GREY = "#666666"
LEAST = 0.0001  # ms: what is quicker is not told apart
SETTINGS = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "savefig.dpi": 160,
    "svg.fonttype": "none",
    "svg.hashsalt": "memagent",
}
LEGEND = {"frameon": False, "loc": "center left", "bbox_to_anchor": (1.01, 0.5)}


def draw(made: Report, folder: Path, bench: Sequence[Measure] = ()) -> list[Path]:
    """Every plot that the report has data for; the files that were written.

    Raises InputError without matplotlib, StoreReadOnlyError where the folder cannot be written.
    """
    os.environ.setdefault("MPLBACKEND", "agg")
    try:
        matplotlib = import_module("matplotlib")
        figures = import_module("matplotlib.figure")
    except ImportError:
        raise InputError("plots need matplotlib, which is not installed", "pip install 'memagent[plots]'") from None
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context(SETTINGS), _without_glyph_warnings():
            for name, figure in _figures(figures.Figure, made, bench):
                for kind in FORMATS:
                    path = folder / f"{name}.{kind}"
                    figure.savefig(path, metadata={"Date": None} if kind == "svg" else None)
                    written.append(path)
    except OSError as error:
        raise StoreReadOnlyError(
            f"{folder} cannot be written: {error.strerror}", "choose another folder with --plots"
        ) from None
    return written


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    """A tag may be in a script that the font lacks; it is drawn as boxes then."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def _figures(figure: Any, made: Report, bench: Sequence[Measure]) -> Iterator[tuple[str, Any]]:
    if any(series.points for series in made.categories):
        yield "accuracy-by-category", _categories(figure, made)
    if any(series.points for series in made.distances):
        yield "accuracy-by-distance", _distances(figure, made)
    if made.tokens and max(made.tokens.values()) > 0:
        yield "tokens-per-answer", _tokens(figure, made.tokens)
    if bench:
        yield "latency-by-size", _latency(figure, bench)


def _categories(figure: Any, made: Report) -> Any:
    """Dots with their intervals, a row for each category."""
    names = list(dict.fromkeys(name for series in made.categories for name in series.points))
    height = 1.2 + len(names) * max(0.34, 0.13 * len(made.categories) + 0.12)
    drawn = figure(figsize=(8.4 if len(made.categories) > 1 else 6.6, height))
    axes = drawn.add_subplot()
    for number, series in enumerate(made.categories):
        shift = _shift(number, len(made.categories))
        at = [names.index(name) + shift for name in series.points]
        _dots(axes, number, series, at, horizontal=True)
    counts = {name: max(s.points[name].questions for s in made.categories if name in s.points) for name in names}
    axes.set_yticks(range(len(names)), [f"{plain(name)} ({counts[name]})" for name in names])
    axes.invert_yaxis()
    axes.set_xlim(-2, 102)
    axes.set_xlabel(f"{plain(score_words(made.score))}, % (bars: 95 % confidence)")
    axes.set_title("Accuracy by category (number of questions)")
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    _legend(axes, made.categories)
    return drawn


def _distances(figure: Any, made: Report) -> Any:
    names = [name for name in BINS if any(name in series.points for series in made.distances)]
    drawn = figure(figsize=(8.4 if len(made.distances) > 1 else 6.6, 4.0))
    axes = drawn.add_subplot()
    for number, series in enumerate(made.distances):
        shift = _shift(number, len(made.distances)) / 2
        present = [name for name in names if name in series.points]
        at = [names.index(name) + shift for name in present]
        _dots(axes, number, Series(series.label, series.score, {n: series.points[n] for n in present}), at)
    counts = {name: max(s.points[name].questions for s in made.distances if name in s.points) for name in names}
    axes.set_xticks(range(len(names)), [f"{name}\n({counts[name]})" for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(-2, 102)
    axes.set_xlabel("context windows between what was told and the question (number of questions)")
    axes.set_ylabel(f"{plain(score_words(made.score))}, %")
    axes.set_title("Accuracy by distance (bars: 95 % confidence)")
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    _legend(axes, made.distances)
    return drawn


def _dots(axes: Any, number: int, series: Series, at: Sequence[float], *, horizontal: bool = False) -> None:
    shares = [100 * point.share for point in series.points.values()]
    # a mean of few questions may lie a hair outside its bootstrap interval
    spread = [
        [max(0.0, 100 * (point.share - point.interval.low)) for point in series.points.values()],
        [max(0.0, 100 * (point.interval.high - point.share)) for point in series.points.values()],
    ]
    look = {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 5,
        "elinewidth": 1.2,
        "label": plain(series.label),
    }
    if horizontal:
        axes.errorbar(shares, at, xerr=spread, linestyle="none", **look)
    else:
        axes.errorbar(at, shares, yerr=spread, linewidth=1.2, **look)


def _tokens(figure: Any, tokens: Mapping[str, float]) -> Any:
    names, values = list(tokens), list(tokens.values())
    drawn = figure(figsize=(6.6, 1.2 + 0.38 * len(names)))
    axes = drawn.add_subplot()
    bars = axes.barh(range(len(names)), values, color=COLOURS[0], height=0.6)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=4, color=GREY)
    axes.set_yticks(range(len(names)), [plain(name) for name in names])
    axes.set_xlim(0, max(values) * 1.15)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.invert_yaxis()
    axes.set_xlabel("tokens read for a question, mean")
    axes.set_title("Tokens per answer")
    return drawn


def _latency(figure: Any, bench: Sequence[Measure]) -> Any:
    """Medians over the size of the store, both logarithmic, a panel for each table of the bench.

    What was measured at a single size is left out of a panel where something else was at several.
    """
    panels: dict[str, dict[str, list[Measure]]] = {}
    for measure in bench:
        panels.setdefault(measure.group, {}).setdefault(measure.name, []).append(measure)
    sizes = sorted({measure.facts for measure in bench})
    heights = [max(2.2, 0.24 * len(lines) + 0.6) for lines in panels.values()]
    drawn = figure(figsize=(8.4, 0.6 + sum(heights)))
    every = drawn.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (group, lines) in zip(every, panels.items(), strict=True):
        several = {name: points for name, points in lines.items() if len({point.facts for point in points}) > 1}
        for number, (name, points) in enumerate((several or lines).items()):
            _line(axes, number, name, sorted(points, key=lambda point: point.facts))
        axes.set_xscale("log")
        axes.set_yscale("log")
        medians = [max(point.p50, LEAST) for points in lines.values() for point in points]
        axes.set_ylim(10 ** math.floor(math.log10(min(medians))), 10 ** math.ceil(math.log10(max(medians) * 1.01)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
        axes.set_ylabel("median, ms")
        axes.set_title(plain(group))
        axes.grid(color="#dddddd", linewidth=0.7)
        axes.legend(**LEGEND, fontsize=8)
    every[-1].set_xticks(sizes, [f"{size:,}" for size in sizes])
    every[-1].set_xticks([], minor=True)
    every[-1].set_xlabel("facts, or turns of conversation, in the store (dashed: the library alone)")
    return drawn


def _line(axes: Any, number: int, name: str, points: Sequence[Measure]) -> None:
    axes.plot(
        [point.facts for point in points],
        [max(point.p50, LEAST) for point in points],
        color=COLOURS[number % len(COLOURS)],
        marker=MARKERS[number % len(MARKERS)],
        linestyle="--" if name.startswith(("raw", "plain")) else "-",
        markersize=5,
        linewidth=1.3,
        label=plain(name),
    )


def _shift(number: int, count: int) -> float:
    """Where in its row the n-th of several stands; rows are 1 apart, with a gap between them."""
    return (number - (count - 1) / 2) * min(0.18, 0.7 / count)


def _legend(axes: Any, series: Sequence[Series]) -> None:
    if len(series) > 1:
        axes.legend(**LEGEND)


def plain(text: str) -> str:
    """Text that matplotlib does not take for mathematics."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("$", r"\$")
