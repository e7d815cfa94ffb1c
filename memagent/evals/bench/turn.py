"""How long one full turn takes with the shipped model on a large store: from the message to the last word of the reply.

python -m memagent.evals.bench.turn --facts 10000 --turns 40

The store holds facts of made-up people, embedded with the shipped model. Each turn tells a new fact, or asks for one.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.conversation import Failed, ToolReturned
from memagent.errors import ModelError
from memagent.evals.bench.timing import Measure, Timing, measure, shown
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.specialists import Specialists

_STARTS = ("Ba", "Bre", "Cal", "Da", "Fe", "Gal", "Ha", "Jo", "Ka", "Lo", "Mar", "Nor", "Os", "Pe", "Ros", "Sa", "Tal")
_MIDDLES = ("da", "li", "mo", "na", "re", "ri", "se", "ta", "ve", "zi")
_ENDS = ("bel", "dan", "la", "lo", "mir", "nel", "ra", "ric", "vin", "wen")
_TOLD = (
    ("favourite colour", "{name}'s favourite colour is {value}", ("green", "crimson", "teal", "ochre", "violet")),
    ("job", "{name} works as a {value}", ("nurse", "glazier", "pilot", "baker", "surveyor")),
    ("home city", "{name} lives in {value}", ("Porto", "Leeds", "Ghent", "Oslo", "Galway")),
    ("pet", "{name} has a {value}", ("spaniel", "parrot", "tortoise", "rabbit", "pony")),
    ("hobby", "{name} spends every weekend {value}", ("fencing", "sailing", "climbing", "baking", "rowing")),
)
_ASKED = {
    "favourite colour": "what is {name}'s favourite colour?",
    "job": "what does {name} do for work?",
    "home city": "where does {name} live?",
    "pet": "what pet does {name} have?",
    "hobby": "what does {name} do at the weekend?",
}
WARM_UP = 3  # turns not counted: the first loads the vectors and the grammar of time


def drafts(count: int, seed: int) -> list[FactDraft]:
    """Facts that differ from one another; the same for every run of a seed."""
    rng = random.Random(seed)
    names = [f"{a}{b}{c}" for a in _STARTS for b in _MIDDLES for c in _ENDS]
    pairs = [(name, told) for told in _TOLD for name in (names if count > len(names) else names[: count // 5 + 1])]
    rng.shuffle(pairs)
    found = []
    for number in range(count):
        name, (attribute, sentence, values) = pairs[number % len(pairs)]
        value = rng.choice(values)
        owner = name if number < len(pairs) else f"{name} {number // len(pairs) + 1}"
        found.append(FactDraft(owner, attribute, value, sentence.format(name=owner, value=value)))
    return found


def fill(store: MemoryStore, facts: list[FactDraft]) -> None:
    """Store the facts and embed them in batches."""
    for draft in facts:
        store.add_fact(draft, asked_by="import")
    store.attach_embedder(MiniLMEmbedder())
    store.drain()


def turns(agent: Agent, texts: list[str]) -> tuple[Timing, float]:
    """The time of each turn after the first few, and how many tools a turn called on average."""
    session = agent.store.start_session(model=agent.model_name).id
    calls = 0

    def turn(number: int) -> None:
        nonlocal calls
        for event in run_turn(agent, session, texts[number]):
            calls += isinstance(event, ToolReturned)
            if isinstance(event, Failed):
                raise ModelError(f"the turn {texts[number]!r} failed: {event.reason}", event.hint)

    timing = measure(turn, len(texts))
    return Timing(timing.wall[WARM_UP:], timing.processor[WARM_UP:]), calls / len(texts)


def run(folder: Path, facts: int, count: int, seed: int) -> dict[str, Timing]:
    """The timings, by what was said."""
    told = drafts(facts, seed)
    with MemoryStore.open(f"sqlite:///{folder / 'memory.db'}", data_dir=folder) as store:
        fill(store, told)
        agent = Agent(store, "memagent")
        agent.give(Specialists(), None)
        rng = random.Random(seed + 1)
        count += WARM_UP
        asked = [_ASKED[d.attribute].format(name=d.subject) for d in rng.choices(told, k=count)]
        stated = [f"my locker at gym number {number} is {rng.randrange(1000, 9999)}" for number in range(count)]
        results = {}
        for name, texts in (("ask", asked), ("state", stated)):
            timing, calls = turns(agent, texts)
            results[f"{name}, {calls:.1f} tool calls"] = timing
        return results


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Print the tables, and give their rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[10_000], help="facts stored before measuring")
    parser.add_argument("--turns", type=int, default=40, help="turns measured of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    found: list[Measure] = []
    for facts in options.facts:
        with tempfile.TemporaryDirectory() as folder:
            results = run(Path(folder), facts, options.turns, options.seed)
        found += shown("turn", facts, results)
    return found


if __name__ == "__main__":
    main()
