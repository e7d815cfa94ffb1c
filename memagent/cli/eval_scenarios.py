"""`memagent eval run` and `memagent eval schema`: scenarios of one's own, and the format for editors."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memagent.cli.app import App, pass_app
from memagent.cli.eval_options import require_several, require_share, run_options, show_systems
from memagent.cli.group import Command
from memagent.cli.screen import json_out, note, out, progress, table, visible
from memagent.config import DEFAULT_MODEL, Settings
from memagent.errors import InputError

if TYPE_CHECKING:
    from memagent.evals.results import Answer, RunFolder
    from memagent.evals.scenarios.format import Scenario
    from memagent.evals.scenarios.runner import Plan, ScenarioRunner

MISSES_SHOWN = 20
MOST_JOBS = 8  # by default


@click.command("run", cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--only", multiple=True, metavar="TAG", help="Scenarios with this tag or id; may be given again.")
@click.option(
    "--repeat", type=click.IntRange(1, 1000), default=1, show_default=True, help="Times, each other small talk."
)
@click.option("--jobs", type=click.IntRange(1, 256), help="Scenarios at once.  [default: cores, up to 8]")
@click.option("--seed", type=int, default=7, show_default=True, help="Of the small talk.")
@click.option("--in-process", is_flag=True, help="No new process for each session: only to debug.")
@click.option("--timeout", type=click.FloatRange(1, 86_400), default=600, show_default=True, help="Seconds a session.")
@click.option("--check", is_flag=True, help="Read the files, say what is wrong with them, run nothing.")
@run_options
@pass_app
def run(
    app: App,
    files: Sequence[Path],
    only: tuple[str, ...],
    repeat: int,
    jobs: int | None,
    seed: int,
    in_process: bool,
    timeout: float,
    systems: str,
    check: bool,
    folder: Path | None,
    as_json: bool,
    watts: float,
    fail_under: float | None,
) -> None:
    """Play scripted conversations and check what is remembered.

    FILE is the path of a file, suite for all scenarios that are shipped, or suite/NAME for one file of them.

    Each session is played in a new process, on a store of the scenario's own. The format: memagent eval schema, and
    docs/scenarios.md. A run that was stopped goes on with the same --out.
    """
    from memagent.evals.scenarios.runner import Plan, selected
    from memagent.evals.scenarios.shipped import scenario_files
    from memagent.evals.systems.registry import MEMAGENT, named

    names = named(systems)
    files = scenario_files(files)
    scenarios = selected(read(files), only)
    if check:
        return note(f"{len(scenarios)} scenarios, nothing wrong with them", dim=False)
    settings = app.settings
    plan = Plan(repeat, jobs or default_jobs(settings, in_process), seed, in_process, timeout)
    if names != (MEMAGENT,):
        names = require_several(names, fail_under)
        return show_systems(play_systems(settings, plan, files, scenarios, folder, names), as_json, watts)
    started = time.perf_counter()
    kept, answers = play(settings, plan, files, scenarios, folder)
    seconds = time.perf_counter() - started
    if as_json:
        from memagent.evals.scenarios.summary import to_json

        json_out(to_json(answers, kept, seconds))
    else:
        show(answers, repeat)
    note(f"{len(scenarios) * repeat} scenarios, {seconds:.1f} s; kept in {kept}", dim=False)
    require_share(fail_under, sum(answer.passed for answer in answers) / len(answers), "pass rate")


@click.command("schema", cls=Command)
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from memagent.evals.scenarios.reading import SCHEMA

    out(SCHEMA.read_text(encoding="utf-8").rstrip("\n"))


def read(files: Sequence[Path]) -> list[Scenario]:
    """The scenarios of files; everything wrong with them goes to stderr, then InputError is raised."""
    from memagent.evals.scenarios.reading import read_scenarios

    scenarios, problems = read_scenarios(files)
    for problem in problems:
        note(str(problem), dim=False)
    if problems:
        count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InputError(
            f"{count} in the scenarios; nothing was run", "mend the lines above; the format: docs/scenarios.md"
        )
    return scenarios


def default_jobs(settings: Settings, in_process: bool) -> int:
    """As many as there are cores, up to MOST_JOBS; one where each session would load a model of its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if in_process or settings.model != DEFAULT_MODEL else min(MOST_JOBS, cores)


def play(
    settings: Settings, plan: Plan, files: Sequence[Path], scenarios: Sequence[Scenario], out: Path | None
) -> tuple[Path, list[Answer]]:
    """Run what is not in the run's folder yet; the folder, and all answers for these scenarios in their order."""
    from memagent.evals.results import RunFolder, run_folder
    from memagent.evals.scenarios.runner import open_runner

    with open_runner(settings, plan) as runner:
        path = out or run_folder(settings.home, "scenarios")
        with RunFolder(path, runner.describe(files)) as folder:
            _play(runner, folder, [(s, n) for n in range(1, plan.repeat + 1) for s in scenarios])
            order = {scenario.id: number for number, scenario in enumerate(scenarios)}
            answers = [a for a in folder.answers if a.group in order and a.repeat <= plan.repeat]
    return path, sorted(answers, key=lambda answer: (answer.repeat, order[answer.group]))


def play_systems(
    settings: Settings,
    plan: Plan,
    files: Sequence[Path],
    scenarios: Sequence[Scenario],
    folder: Path | None,
    names: Sequence[str],
) -> list[Path]:
    """Play what is not in the runs' folders yet on each system; the folders."""
    from memagent.evals.results import run_folder
    from memagent.evals.systems.registry import MEMAGENT

    path = folder or run_folder(settings.home, "scenarios")
    for name in names:
        if name == MEMAGENT:
            play(settings, plan, files, scenarios, path / name)
        else:
            play_other(settings, plan, files, scenarios, path / name, name)
    return [path / name for name in names]


def play_other(
    settings: Settings, plan: Plan, files: Sequence[Path], scenarios: Sequence[Scenario], path: Path, name: str
) -> None:
    """Play on a system that is not memagent, in this process."""
    from memagent.evals.benchmarks.answering import Answerer
    from memagent.evals.results import RunFolder
    from memagent.evals.scenarios.runner import probe_keys
    from memagent.evals.systems.registry import other, vectors
    from memagent.evals.systems.scenarios import KnownVectors, OtherRunner, reply_checks_only

    runner = OtherRunner(settings, other(name, KnownVectors(vectors())), Answerer.shipped(), plan.seed)
    with RunFolder(path, runner.describe(files)) as kept:
        judged = [scenario for scenario in map(reply_checks_only, scenarios) if probe_keys(scenario, 1)]
        left = left_of([(scenario, n) for n in range(1, plan.repeat + 1) for scenario in judged], kept)
        with progress(name) as bar:
            for done, (scenario, repeat) in enumerate(left, 1):
                kept.add(runner.play(scenario, repeat))
                bar(done, len(left))


def left_of(wanted: Sequence[tuple[Scenario, int]], folder: RunFolder) -> list[tuple[Scenario, int]]:
    """What is not in the folder yet."""
    from memagent.evals.scenarios.runner import probe_keys

    left = [(scenario, repeat) for scenario, repeat in wanted if not probe_keys(scenario, repeat) <= folder.done]
    if len(left) < len(wanted):
        note(f"{len(wanted) - len(left)} of {len(wanted)} scenarios are in {folder.path} already")
    return left


def _play(runner: ScenarioRunner, folder: RunFolder, wanted: Sequence[tuple[Scenario, int]]) -> None:
    left = left_of(wanted, folder)
    with progress("small talk") as talk, progress("scenarios") as bar, closing(runner.run(left, talk)) as results:
        for done, result in enumerate(results, 1):
            folder.add(result.answers)
            if result.errors:
                folder.log(result.errors)
            bar(done, len(left))


def show(answers: Sequence[Answer], repeat: int) -> None:
    """The table, what a turn cost, and what did not hold."""
    from memagent.evals.scenarios import summary

    table(summary.COLUMNS, summary.rows(answers))
    out("\n" + summary.costs(answers))
    missed = list(summary.misses(answers))
    for line in missed[:MISSES_SHOWN]:
        out(f"not so: {visible(line)}")
    if len(missed) > MISSES_SHOWN:
        out(f"and {len(missed) - MISSES_SHOWN} more")
    for name, held in summary.unsteady(answers).items():
        out(f"unsteady: {visible(name)} held {held} of {repeat} times")
