"""`memagent eval`: does it remember? Scenarios, public benchmarks, reports."""

from __future__ import annotations

import click

from memagent.cli.eval_benchmarks import locomo, longmemeval, questions
from memagent.cli.eval_reports import compare, misses, report
from memagent.cli.eval_scenarios import run, schema
from memagent.cli.group import Group


@click.group(cls=Group, name="eval")
def evaluate() -> None:
    """Measure what is remembered: scripted conversations, public benchmarks, reports."""


for command in (run, locomo, longmemeval, questions, report, compare, misses, schema):
    evaluate.add_command(command)
