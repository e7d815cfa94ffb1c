"""`memagent eval locomo`, `longmemeval` and `questions`: public benchmarks, and questions of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memagent.cli.app import App, pass_app
from memagent.cli.eval_options import require_several, require_share, run_options, show_systems
from memagent.cli.group import Command
from memagent.cli.screen import json_out, note, out, progress, table
from memagent.errors import InputError

if TYPE_CHECKING:
    from memagent.evals.benchmarks.runner import Plan
    from memagent.evals.results import Answer, Kind, Run, RunFolder

MOST_DEEP = 200  # turns that a search gives


class Depths(click.ParamType[tuple[int, ...]]):
    """Numbers with commas between them: 5,10."""

    name = "K,K"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= MOST_DEEP for part in parts):
            self.fail(f"{value!r} are no depths; write 5,10 (1 to {MOST_DEEP})", parameter, context)
        return tuple(sorted({int(part) for part in parts}))


def benchmark_options(command: Callable[..., None]) -> Callable[..., None]:
    """The file and the options that all benchmarks share."""
    options = (
        click.argument("file", metavar="FILE", type=click.Path(path_type=Path)),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N conversations only."),
        click.option("--k", "ks", type=Depths(), default="5,10", show_default=True, help="Depths of the rankings."),
        click.option("--answers/--no-answers", default=True, show_default=True, help="Answer, or search only."),
        click.option(
            "--cache",
            metavar="FOLDER",
            type=click.Path(file_okay=False, path_type=Path),
            help="Keep the filled memories here, for quicker runs.",
        ),
        run_options,
        click.option("--metric", metavar="NAME", help="Another score for --fail-under, such as f1 or recall@5."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("locomo", cls=Command)
@benchmark_options
@pass_app
def locomo(app: App, /, **options: Any) -> None:
    """LoCoMo: ten long conversations of two people, in its official file.

    Measures whether the turns and sessions that hold the evidence are found, and the official token F1 of answers by
    the shipped reader, with published figures beside ours. Adversarial questions stand apart.
    """
    run_and_show(app, "locomo", **options)


@click.command("longmemeval", cls=Command)
@benchmark_options
@pass_app
def longmemeval(app: App, /, **options: Any) -> None:
    """LongMemEval: questions about months of chat with an assistant, in its official file (.json, .jsonl, .gz).

    Measures whether the sessions that hold the evidence are found, by the official protocol and by that of its
    community, and whether the right answer stands in the reply.
    """
    run_and_show(app, "longmemeval", **options)


def show_format(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Print what `questions` reads, and end."""
    if wanted:
        from memagent.evals.benchmarks import questions as format

        out((format.__doc__ or "").strip())
        context.exit()


@click.command("questions", cls=Command)
@click.option(
    "--format",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_format,
    help="Describe the format of the file, and end.",
)
@benchmark_options
@pass_app
def questions(app: App, /, **options: Any) -> None:
    """Conversations and questions of your own, as JSON Lines: memagent eval questions --format."""
    run_and_show(app, "questions", **options)


def run_and_show(
    app: App,
    kind: Kind,
    *,
    file: Path,
    limit: int | None,
    ks: tuple[int, ...],
    answers: bool,
    systems: str,
    cache: Path | None,
    folder: Path | None,
    as_json: bool,
    watts: float,
    fail_under: float | None,
    metric: str | None,
) -> None:
    """Run what is not in the run's folder yet, then show all of it: one system in full, several beside each other."""
    from memagent.evals.benchmarks import summary
    from memagent.evals.benchmarks.runner import Plan
    from memagent.evals.results import run_folder
    from memagent.evals.systems.registry import named

    names = named(systems)
    plan = Plan(kind, file, ks, limit, cached=cache is not None)
    plan.count()
    if len(names) > 1:
        names = require_several(names, fail_under)
    path = folder or run_folder(app.settings.home, kind)
    kept = [run_system(plan, name, cache, answers, path if len(names) == 1 else path / name) for name in names]
    if len(names) > 1:
        return show_systems([place for place, _ in kept], as_json, watts)
    made, run = kept[0][1].answers, kept[0][1].run
    if as_json:
        json_out(summary.to_json(run, made, path))
    else:
        show(run, made)
    note(f"{len(made)} questions; kept in {path}", dim=False)
    found = summary.pass_rate(made) if metric is None else summary.headline(kind, made, metric)
    if found is None:
        raise InputError(f"no question has the score {metric!r}", f"scores are {', '.join(summary.score_names(made))}")
    require_share(fail_under, found, metric or "pass rate")


def run_system(plan: Plan, name: str, cache: Path | None, answers: bool, path: Path) -> tuple[Path, RunFolder]:
    """Run what is not in the folder yet on one system."""
    from memagent.evals.benchmarks.answering import Answerer
    from memagent.evals.benchmarks.runner import describe, run_benchmark
    from memagent.evals.results import RunFolder
    from memagent.evals.systems.registry import system

    measured = system(name, cache)
    # a reader of its own for each system: one remembers what it has read, and the next would be charged less
    answerer = Answerer.shipped() if answers else None
    with RunFolder(path, describe(plan, measured, answerer)) as kept:
        if kept.done:
            note(f"{len(kept.done)} of {plan.count()} questions are in {path} already")
        with progress(name) as bar:
            run_benchmark(plan, measured, answerer, kept, bar)
    return path, kept


def show(run: Run, answers: list[Answer]) -> None:
    """The tables, and what a question took."""
    from memagent.evals.benchmarks import summary

    for shown in summary.tables(run, answers):
        out(click.style(shown.title, bold=True))
        table(shown.columns, shown.rows)
        out(f"({shown.note})\n" if shown.note else "")
    costs = summary.costs(answers)
    out(
        f"a question: search median {costs['search_ms_p50']:.0f} ms, p95 {costs['search_ms_p95']:.0f} ms; "
        f"reading median {costs['read_ms_p50']:.0f} ms, p95 {costs['read_ms_p95']:.0f} ms; "
        f"{costs['cpu_seconds']:.3f} CPU seconds, {costs['prompt_tokens']:.0f} tokens read"
    )
