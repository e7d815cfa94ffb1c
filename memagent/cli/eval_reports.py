"""`memagent eval report`, `compare` and `misses`: what kept runs say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memagent.cli.app import App, pass_app
from memagent.cli.eval_options import json_option, watts_option
from memagent.cli.group import Command
from memagent.cli.screen import json_out, note, one_line, out, table, visible

if TYPE_CHECKING:
    from memagent.evals.benchmarks.summary import Table
    from memagent.evals.reports.compare import Comparison, Pair


@click.command("report", cls=Command)
@click.argument("runs", nargs=-1, metavar="[RUN]...", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "md"]),
    default="table",
    show_default=True,
    help="For a terminal, a program, or a page.",
)
@click.option(
    "--plots",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Draw plots there, as PNG and SVG; needs memagent[plots].",
)
@click.option(
    "--bench",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Latency against the size of the store, from: make bench BENCH='--json FILE'.",
)
@watts_option
@pass_app
def report(app: App, runs: tuple[Path, ...], form: str, plots: Path | None, bench: Path | None, watts: float) -> None:
    """Accuracy by category and distance with confidence intervals, tokens, milliseconds and joules.

    A run is its folder, or its name below evals/ in the home folder; the newest, where none is named. Several runs of
    the same questions, or a folder of them, are shown beside each other.
    """
    from memagent.evals.bench.record import read
    from memagent.evals.reports import report as reports
    from memagent.evals.reports.markdown import markdown
    from memagent.evals.reports.runs import find_runs

    kept = find_runs(runs, app.settings.home)
    measured = read(bench) if bench else []
    made = reports.report(kept, watts)
    pictures: list[Path] = []
    if plots is not None:
        from memagent.evals.reports.plots import draw

        pictures = draw(made, plots, measured)
        note(f"{len(pictures)} pictures in {plots}", dim=False)
    shown = [*made.tables(), *reports.latency(measured)]
    if form == "json":
        data = reports.to_json(kept, made, watts)
        json_out(data | {"latency": measured, "pictures": [str(path) for path in pictures]})
    elif form == "md":
        names = [str(path) for path in pictures if path.suffix == ".svg"]
        out(visible(markdown("Evaluation", made.described, shown, names)), newline=False)
    else:
        for line in made.described:
            out(one_line(line))
        show_tables(shown)


@click.command("compare", cls=Command)
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Changed questions shown.")
@json_option
@pass_app
def compare(app: App, first: Path, second: Path, limit: int, as_json: bool) -> None:
    """What changed from run A to run B, question by question, and whether it is more than chance.

    A run is its folder, or its name below evals/ in the home folder. Exact McNemar test of what passes, paired
    permutation test of scores.
    """
    from memagent.evals.reports import compare as comparing
    from memagent.evals.reports.runs import find_run

    made = comparing.compare(*(find_run(name, app.settings.home) for name in (first, second)))
    if as_json:
        return json_out(comparing.to_json(made))
    show_comparison(made, limit)
    out()
    show_tables([comparing.table(made)])


@click.command("misses", cls=Command)
@click.argument("run", required=False, metavar="[RUN]", type=click.Path(path_type=Path))
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="With this tag, category or id; may be given again.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Misses shown.")
@click.option("--hits", type=click.IntRange(min=0), default=10, show_default=True, help="Hits shown of each.")
@json_option
@pass_app
def misses(app: App, run: Path | None, tags: tuple[str, ...], limit: int, hits: int, as_json: bool) -> None:
    """Read what was not answered right: question, wanted, reply, and the hits with their scores and channels.

    A run is its folder, or its name below evals/ in the home folder; the newest, where none is named. A star marks
    hits that hold the answer.
    """
    from memagent.evals.reports import misses as missing
    from memagent.evals.reports.runs import find_run

    kept = find_run(run, app.settings.home)
    missed = missing.misses(kept, tags)
    if as_json:
        return json_out(missing.to_json(kept, missed[:limit]))
    for answer in missed[:limit]:
        for line in missing.lines(answer, hits):
            out(one_line(line))
        out()
    more = f"; the first {limit} are shown (--limit)" if len(missed) > limit else ""
    note(f"{len(missed)} of {len(kept.answers)} answers did not pass{more}", dim=False)


def show_tables(tables: Sequence[Table]) -> None:
    for shown in tables:
        out(click.style("\n" + one_line(shown.title), bold=True))
        table(shown.columns, shown.rows)
        if shown.note:
            out(f"({one_line(shown.note)})")


def show_comparison(made: Comparison, limit: int) -> None:
    """In words, then the questions that changed."""
    first, second = (one_line(label) for label in made.labels)
    for sentence in made.in_words():
        out(one_line(sentence))
    out(
        f"{made.both} pass in both, {made.neither} in neither, {len(made.gained)} only in {second}, "
        f"{len(made.lost)} only in {first}"
    )
    if any(made.only):
        out(f"left out: {made.only[0]} asked in {first} only, {made.only[1]} in {second} only")
    out(f"the runs differ in: {one_line(', '.join(made.differs)) or 'nothing that is known of them'}")
    for title, pairs in ((f"only {second} passes", made.gained), (f"only {first} passes", made.lost)):
        if pairs and limit:
            out(click.style(f"\n{title}:", bold=True))
            for pair in pairs[:limit]:
                show_change(pair)
            if len(pairs) > limit:
                out(f"and {len(pairs) - limit} more")


def show_change(pair: Pair) -> None:
    before, after = pair
    out(one_line(f"{before.id}  {before.question}"))
    wanted = " | ".join(before.expected) or "to decline"
    replies = (answer.reply or answer.error or "(nothing)" for answer in pair)
    out(one_line(f"    wanted {wanted}; replies: {' -> '.join(replies)}"))
