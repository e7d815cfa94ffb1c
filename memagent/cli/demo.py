"""`memagent demo`: the main job in two minutes, in a temporary home, with the real model; it checks what it shows.

The second part runs in a new process, which has nothing but the database to remember with.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import Command
from memagent.cli.screen import note, one_line, out, table, visible
from memagent.cli.transcript import Transcript
from memagent.config import DEFAULT_MODEL, STORE_FILE, Settings
from memagent.conversation import ToolReturned
from memagent.errors import MemagentError

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent

DAYS_BETWEEN = 9
WINDOWS_BETWEEN = 3
HITS_SHOWN = 2
DECLINES = re.compile(r"n['’]t\b|\bnot\b|\bnothing\b|\bnever\b|\bno\b")


class DemoFailed(MemagentError):
    """An expectation of the demonstration was not met."""


@dataclass(frozen=True)
class Step:
    """One thing said, and what has to be true afterwards."""

    say: str
    expect: tuple[str, ...] = ()  # words of the reply
    reject: tuple[str, ...] = ()  # words that may not be in it
    declines: bool = False  # it must say that it does not know
    sql: str = ""
    rows: int | None = None  # that the query must give


TELLING = (
    Step(
        "my sister Ingrid lives in Trondheim",
        sql="select subject, attribute, value from current_facts where value like '%Trondheim%'",
        rows=1,
    ),
    Step(
        "the boiler gets its service from a company called Hartnell",
        sql="select subject, attribute, value from current_facts where value like '%Hartnell%'",
        rows=1,
    ),
    Step(
        "the code for the shed is 4719",
        sql="select subject, attribute, value from current_facts where value like '%4719%'",
        rows=1,
    ),
)

ASKING = (
    Step(
        "who looks after the boiler?",
        expect=("Hartnell",),
        sql="select id, subject, attribute, value, text, recorded_at from current_facts where value like '%Hartnell%'",
        rows=1,
    ),
    Step("where does my sister Ingrid live?", expect=("Trondheim",)),
    Step(
        "actually Ingrid lives in Bergen now",
        sql="select id, subject, attribute, value from current_facts "
        "where value like '%Trondheim%' or value like '%Bergen%'",
        rows=1,
    ),
    Step(
        "where does Ingrid live?",
        expect=("Bergen",),
        reject=("Trondheim",),
        sql="select id, value, recorded_at, retired_at, superseded_by from fact_history "
        "where value like '%Trondheim%' or value like '%Bergen%' order by id",
        rows=2,
    ),
    Step("what is the code for the shed?", expect=("4719",)),
    Step(
        "please forget the code for the shed",
        sql="select id, content from conversation where content like '%4719%' "
        "union all select id, value from fact_history where value like '%4719%'",
        rows=0,
    ),
    Step("what is the code for the shed?", reject=("4719",), declines=True),
    Step("what is my brother's name?", reject=("Ingrid",), declines=True),
)


@click.command(cls=Command)
@click.option("--seed", type=int, default=7, show_default=True, help="Of the small talk.")
@click.option("--keep", is_flag=True, help="Keep the temporary home, to look around in it.")
@click.option("--part-two", is_flag=True, hidden=True)
@pass_app
def demo(app: App, seed: int, keep: bool, part_two: bool) -> None:
    """Show the main job, end to end, in a temporary home.

    Tells it things, pushes them out of the window, restarts, asks, corrects, forgets; exit code 1 where it fails.
    """
    if part_two:
        return _finish(run_steps(app.settings, ASKING))
    folder = Path(tempfile.mkdtemp(prefix="memagent-demo-"))
    settings = Settings(
        home=folder,
        store_url=f"sqlite:///{folder / STORE_FILE}",
        model=str(app.overrides.get("model") or DEFAULT_MODEL),
        now=datetime.now().astimezone() - timedelta(days=DAYS_BETWEEN),
    )
    try:
        _show(settings, seed)
    finally:
        if keep:
            note(f"kept: memagent --home {folder} memories list", dim=False)
        else:
            import shutil

            shutil.rmtree(folder)


def _show(settings: Settings, seed: int) -> None:
    heading(f"First conversation, {DAYS_BETWEEN} days ago (the clock is set back)")
    failures = run_steps(settings, TELLING, small_talk_seed=seed)
    heading("The program has ended. A new process, today: it has nothing but the database")
    sys.stdout.flush()
    code = subprocess.run(
        [
            *(sys.executable, "-m", "memagent"),
            *("--home", str(settings.home), "--store", settings.store_url, "--model", settings.model),
            *("demo", "--part-two"),
        ],
        env={name: value for name, value in os.environ.items() if not name.startswith("MEMAGENT_")},
        check=False,
    ).returncode
    _finish([*failures, *(["the second conversation failed"] if code else [])])
    out("\nAll of it held. Your own: memagent chat")


def _finish(failures: Sequence[str]) -> None:
    if failures:
        raise DemoFailed("; ".join(failures), "with --keep the database is left for you to look at")


def run_steps(settings: Settings, steps: Sequence[Step], *, small_talk_seed: int | None = None) -> list[str]:
    """Say each thing in one conversation, show and check what comes of it; what was not as it should be."""
    from memagent.agent.assemble import open_agent

    agent = open_agent(settings, load="now")
    try:
        session = agent.store.start_session(model=agent.model_name).id
        failures = [failure for step in steps for failure in run_step(agent, settings, session, step)]
        if small_talk_seed is not None:
            talk(agent, settings, session, small_talk_seed)
    finally:
        agent.close()
    return failures


def run_step(agent: Agent, settings: Settings, session: int, step: Step) -> list[str]:
    """One turn, the SQL behind it, and its checks."""
    from memagent.agent.turn import run_turn
    from memagent.memory.sql import read_only_query

    out("\n" + click.style("> ", bold=True) + visible(step.say))
    shown = Transcript(stream=False, lines_to_stdout=True)
    hits: Sequence[Mapping[str, Any]] = ()
    for event in run_turn(agent, session, step.say, cancel=threading.Event()):
        shown.show(event)
        if isinstance(event, ToolReturned) and event.call.name == "memory_search":
            hits = event.result.content.get("hits", ())
    out(shown.context_line())
    for hit in hits[:HITS_SHOWN] if step.expect else ():
        out(click.style(f"  memory: {hit['date']}, {hit['source']}: {one_line(hit['text'])}", dim=True))
    checks = check_reply(step, shown.finished.reply if shown.finished else "")
    if step.sql:
        result = read_only_query(settings.store_url, step.sql, space=None)
        out(click.style(f"  sql> {step.sql}", dim=True))
        table(result.columns, result.rows)
        checks[f"the database gives {step.rows} rows"] = len(result.rows) == step.rows
    for words, held in checks.items():
        if not held:
            out(click.style("  NOT SO: ", fg="red") + words)
    return [f"after “{one_line(step.say)}”: not so: {words}" for words, held in checks.items() if not held]


def check_reply(step: Step, reply: str) -> dict[str, bool]:
    """What has to be true of a reply, and whether it is."""
    said = reply.lower()
    checks = {"there is a reply": bool(said.strip())}
    checks |= {f"the reply says {word}": word.lower() in said for word in step.expect}
    checks |= {f"the reply does not say {word}": word.lower() not in said for word in step.reject}
    if step.declines:
        checks["the reply declines to know"] = DECLINES.search(said) is not None
    return checks


def talk(agent: Agent, settings: Settings, session: int, seed: int) -> None:
    """More than three context windows of small talk, stored as real messages of the conversation."""
    from memagent.evals.filler import small_talk

    def count(text: str) -> int:
        return agent.model.count_tokens([text])[0]

    exchanges = small_talk(seed, WINDOWS_BETWEEN * settings.context_tokens + 1, count)
    tokens = 0
    with click.progressbar(exchanges, label="small talk", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for exchange in bar:
            said = agent.store.add_message(session, "user", exchange.said, tokens=count(exchange.said))
            reply = agent.store.add_message(session, "assistant", exchange.reply, tokens=count(exchange.reply))
            tokens += said.tokens + reply.tokens
    out(
        f"\n… {2 * len(exchanges)} messages of small talk, {tokens} tokens: "
        f"{tokens / settings.context_tokens:.1f} context windows of {settings.context_tokens}. The last one:"
    )
    out(f"  “{visible(exchanges[-1].said)}”")


def heading(text: str) -> None:
    out("\n" + click.style(f"--- {text} ---", bold=True))
