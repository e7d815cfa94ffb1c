"""Turns for the generative model, composed from the packs: what is said, what memory shows, and each step to learn.

Every step is a call or a reply that our tools and our grammar would take: ids stand in front of it, values are literal
pieces of what was said or shown, and what nothing supports is declined.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.memory.time import describe
from memagent.models.labels import OTHER_SLOT
from memagent.training.compose import Subject
from memagent.training.examples import Composer, Example
from memagent.training.packs import Packs, Slot
from memagent.training.pairs import Pair
from memagent.training.reading import Group

Shown = tuple[dict[str, Any], ...]  # hits, as a search gives them

# One wording of each reply: a small model learns what to say before how to vary it.
NOTED = "Noted: {value}."
KEPT = "Kept in your words."
UPDATED = "Updated: it's {value} now."
TOLD = "It's {value}."
UNKNOWN = "I don't know: you haven't told me."
ENDED = "Noted: no longer {value}."
ERASED = "Done, I've forgotten it."
NOTHING = "I have nothing about that in memory."
TALK = "I'm here. Tell me something to remember, or ask about what you told me."
WRITTEN_SHARE = 0.35
READ_SHARE = 0.4  # of the questions are hand-written ones, where there are any
MOST_FACTS = 2  # of a message that are stored one by one; more, or one without a known slot, and it is kept whole
FIRST_SHARE = 0.6  # of what is meant stands first among the hits, as retrieval mostly has it
NEAR_SHARE = 0.4  # of what is shown beside it is nearly it: the same of another, or another of the same
SUMS = (
    ("what is {a} {sign} {b}?", "what's {a} {sign} {b}", "{a} {sign} {b}", "work out {a} {sign} {b} please"),
    ("{b}% of {a}", "what is {b}% of {a}?", "how much is {b}% of {a}"),
)


@dataclass(frozen=True)
class Turn:
    """`messages` ends with what to learn: calls, results and the reply to the last message of the person."""

    messages: tuple[ChatMessage, ...]
    recalled: tuple[Mapping[str, Any], ...] = ()


@dataclass
class Dialogues:
    """Draws turns; the same seed gives the same ones.

    `written` messages are a third of what is told and chatted, `readings` are hand-written questions about earlier
    messages of which at most one answers, and `pairs` say what ends something told before.
    """

    packs: Packs
    seed: int
    written: Sequence[Example] = ()
    readings: Sequence[Group] = ()
    pairs: Sequence[Pair] = ()
    rng: random.Random = field(init=False)
    composer: Composer = field(init=False)
    _of: dict[tuple[str, ...], list[Slot]] = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.composer = Composer(self.packs, self.seed + 1)
        self._of = {}  # slots by whom they can be about
        for slot in self.packs.slots:
            self._of.setdefault(slot.subjects, []).append(slot)

    def draw(self) -> Turn:
        kinds = (self._tell, self._ask, self._correct, self._end, self._forget, self._calculate, self._talk)
        shares = (0.32, 0.36, 0.10, 0.04 if self.pairs else 0.0, 0.08, 0.04, 0.10)
        make = self.rng.choices(kinds, shares)[0]
        self._now = datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(minutes=self.rng.randrange(500_000))
        self._numbers = iter(range(1, 100))
        return make()

    def _tell(self) -> Turn:
        while not (example := self._example("state", self.composer.statement)).facts or "\n" in example.text:
            pass
        if len(example.facts) > MOST_FACTS or any(fact.slot in (None, OTHER_SLOT) for fact in example.facts):
            said = " ".join(example.text.split())
            arguments = {"subject": "user", "attribute": "note", "value": said, "kind": "note", "several": True}
            return self._turn(said, self._hits(), [_added(arguments)], KEPT, context=example.context)
        calls, values = [], []
        for fact in example.facts:
            value = example.text[slice(*fact.value)]
            arguments = {"subject": _about(example, fact.subject), "attribute": fact.slot, "value": value}
            if fact.kind != "fact":
                arguments["kind"] = fact.kind
            if not fact.single:
                arguments["several"] = True
            calls.append(_added(arguments))
            values.append(value)
        reply = NOTED.format(value=", ".join(values))
        return self._turn(example.text, self._hits(), calls, reply, context=example.context)

    def _ask(self) -> Turn:
        """A question that what is shown answers at once, or a search does, or nothing."""
        if self.readings and self.rng.random() < READ_SHARE:
            return self._ask_written()
        slot, subject, value = self._fact()
        said = self._asked(slot, subject)
        near = tuple(line for _ in range(self.rng.choice((0, 1, 1, 2))) for line in self._near(slot, subject))
        return self._answered(said, self._shown(self._hit(slot, subject, value)), value, near)

    def _ask_written(self) -> Turn:
        group = self.rng.choice(self.readings)
        right = [window for window in group.windows if window.answer is not None]
        others = tuple(self._heard(window.text) for window in group.windows if window.answer is None)
        if len(right) != 1:  # nothing answers, or several do: then none is shown
            return self._answered(group.question, (), "", others)
        text, answer = right[0].text, right[0].answer
        assert answer is not None
        hit = self._heard(text)
        shown = (hit,) if self.rng.random() < 0.5 else ({**hit, "id": next(self._numbers)}, hit)
        return self._answered(group.question, shown, text[slice(*answer)], others)

    def _answered(self, said: str, right: Shown, value: str, beside: Shown) -> Turn:
        """`right` answers, `beside` does not; what answers is shown at once, found, or was never told."""
        roll = self.rng.random()
        if right and roll < 0.5:
            return self._turn(said, self._among(beside, right), [], TOLD.format(value=value))
        known = bool(right) and roll < 0.75
        found = self._among(beside, right) if known else beside
        call = ("memory_search", {"query": said}, {"query": said, "hits": found})
        shown = beside if beside and self.rng.random() < 0.5 else self._hits()
        return self._turn(said, shown, [call], TOLD.format(value=value) if known else UNKNOWN)

    def _correct(self) -> Turn:
        slot = self.rng.choice(self.composer.changing)
        subject = self.composer.subject_for(slot)
        old, value = (self.packs.value(slot, self.rng) for _ in range(2))
        said = self.composer.fill(self.rng.choice(slot.changes), slot, subject, value=value)
        if said.value is None or old == value:
            return self._correct()
        hit = self._hit(slot, subject, old)
        value = said.text[slice(*said.value)]
        result = {
            "action": "superseded",
            "subject": _owner(subject),
            "attribute": slot.name,
            "value": value,
            "before": old,
        }
        call = ("memory_update", {"id": hit["id"], "value": value}, {**result, "also": []})
        shown = self._among(self._hits(), self._shown(hit))
        return self._turn(said.text, shown, [call], UPDATED.format(value=value))

    def _end(self) -> Turn:
        pair = self.rng.choice([pair for pair in self.pairs if pair.label == "ends"])
        value = pair.old[slice(*pair.old_value)]
        hit = {**self._heard(pair.old), "kind": "fact", "source": "fact", "subject": "user", "value": value}
        result = {"action": "ended", "subject": "user", "attribute": "note", "value": value, "before": value}
        call = ("memory_end", {"id": hit["id"]}, {**result, "also": []})
        return self._turn(pair.new, self._among(self._hits(), self._shown(hit)), [call], ENDED.format(value=value))

    def _forget(self) -> Turn:
        slot, subject, value = self._fact()
        if not slot.forgets:
            return self._forget()
        said = self.composer.fill(self.rng.choice(slot.forgets), slot, subject, value=value).text
        hit = self._hit(slot, subject, value)
        if self.rng.random() < 0.75:
            call = ("memory_forget", {"id": hit["id"]}, {"forgotten": hit["id"]})
            return self._turn(said, self._among(self._near(slot, subject), self._shown(hit)), [call], ERASED)
        search = ("memory_search", {"query": said}, {"query": said, "hits": self._hits()})
        return self._turn(said, self._hits(), [search], NOTHING)

    def _calculate(self) -> Turn:
        a, b, sign = self.rng.randrange(2, 1000), self.rng.randrange(2, 100), self.rng.choice("+-*")
        kind = self.rng.randrange(2)
        said = self.rng.choice(SUMS[kind]).format(a=a, b=b, sign=sign)
        expression = f"{b}% of {a}" if kind else f"{a} {sign} {b}"
        number = a * b / 100 if kind else {"+": a + b, "-": a - b, "*": a * b}[sign]
        call = ("calculate", {"expression": expression}, {"expression": expression, "value": f"{number:g}"})
        return self._turn(said, self._hits(), [call], f"{expression} = {number:g}")

    def _talk(self) -> Turn:
        return self._turn(self._example("talk", self.composer.talk).text, self._hits(), [], TALK)

    # --- parts ------------------------------------------------------------------------------------------------------

    def _example(self, act: str, compose: Callable[[], Example]) -> Example:
        """A message of an act, composed or by hand, with noise."""
        by_hand = [example for example in self.written if example.act == act]
        drawn = self.rng.choice(by_hand) if by_hand and self.rng.random() < WRITTEN_SHARE else compose()
        return self.composer.noisy(drawn)

    def _fact(self) -> tuple[Slot, Subject, str]:
        slot = self.composer.slot()
        return slot, self.composer.subject_for(slot), self.packs.value(slot, self.rng)

    def _hit(self, slot: Slot, subject: Subject, value: str) -> dict[str, Any]:
        """A fact as a search shows it."""
        text = self.composer.state_sentence(slot, subject, value=value).text
        return {**self._heard(text), "kind": "fact", "source": "fact", "subject": _owner(subject), "value": value}

    def _heard(self, text: str) -> dict[str, Any]:
        """A message as a search shows it, said on one of the days before."""
        said = (self._now - timedelta(days=self.rng.randrange(1, 400))).replace(hour=0, minute=0)
        date = describe(said, self._now)
        return {"id": next(self._numbers), "text": text, "date": date, "speaker": "user", "source": "turn"}

    def _shown(self, hit: dict[str, Any]) -> Shown:
        """A fact, at times with the message that told it and the reply to that, as a search shows all three."""
        lines, roll = [hit], self.rng.random()
        if roll < 0.6:
            lines.append({**hit, "id": next(self._numbers), "source": "turn"})
        if roll < 0.25:
            reply = NOTED.format(value=hit["value"])
            lines.append({**lines[-1], "id": next(self._numbers), "text": reply, "speaker": "assistant"})
        return tuple(lines)

    def _near(self, slot: Slot, subject: Subject) -> Shown:
        """A fact that is not the one of this slot and subject, though it may be nearly it."""
        other, whose, value = self._fact()
        if self.rng.random() < NEAR_SHARE:
            other, value = slot, self.packs.value(slot, self.rng)
            whose = self.composer.subject_for(slot)
        elif self.rng.random() < NEAR_SHARE and not subject.is_user:
            other = self.rng.choice(self._of[slot.subjects])
            whose, value = subject, self.packs.value(other, self.rng)
        if (other.name, _owner(whose)) == (slot.name, _owner(subject)):
            return ()
        return self._shown(self._hit(other, whose, value))

    def _asked(self, slot: Slot, subject: Subject) -> str:
        text = self.composer.fill(self.rng.choice(slot.asks), slot, subject).text
        return self.composer.noisy(Example(text, "ask")).text

    def _hits(self) -> Shown:
        """What memory shows beside the point, drawn alike for every kind of turn: it must tell nothing of the kind."""
        return tuple(
            line for _ in range(self.rng.choice((0, 0, 1, 2, 3))) for line in self._shown(self._hit(*self._fact()))
        )

    def _among(self, others: Shown, right: Shown) -> Shown:
        at = 0 if self.rng.random() < FIRST_SHARE else self.rng.randint(0, len(others))
        return (*others[:at], *right, *others[at:])

    def _before(self) -> tuple[str, str]:
        """Something that was said earlier in the session, and the reply to it."""
        roll = self.rng.random()
        if roll < 0.2:
            return self.rng.choice(self.packs.acts["talk"]), TALK
        slot, subject, value = self._fact()
        if roll < 0.7:
            return self.composer.state_sentence(slot, subject, value=value).text, NOTED.format(value=value)
        return self._asked(slot, subject), TOLD.format(value=value) if roll < 0.85 else UNKNOWN

    def _turn(
        self,
        said: str,
        recalled: Shown,
        calls: list[tuple[str, dict[str, Any], dict[str, Any]]],
        reply: str,
        context: str = "",
    ) -> Turn:
        before = [self._before() for _ in range(self.rng.choice((0, 0, 1, 2)))]
        if context:
            before.append((context, KEPT))
        messages = [
            message
            for text, answer in before
            for message in (ChatMessage("user", text), ChatMessage("assistant", answer))
        ]
        messages.append(ChatMessage("user", said, at=self._now.isoformat()))
        if calls:
            made = tuple(ToolCall(f"0-call-{n}", name, arguments) for n, (name, arguments, _) in enumerate(calls))
            messages.append(ChatMessage("assistant", "", made))
            for call, (name, _, content) in zip(made, calls, strict=True):
                messages.append(ChatMessage("tool", "", tool_result=ToolResult(call.id, name, True, content, "")))
        messages.append(ChatMessage("assistant", reply))
        return Turn(tuple(messages), recalled)


def _added(arguments: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A `memory_add` with its result."""
    stored = {name: arguments[name] for name in ("subject", "attribute", "value")}
    return "memory_add", arguments, {"action": "added", **stored, "before": None, "also": []}


def _owner(subject: Subject) -> str:
    return "user" if subject.is_user else subject.words


def _about(example: Example, about: tuple[int, tuple[int, int]] | None) -> str:
    """Whom a fact is about, in the words that were said."""
    if about is None:
        return "user"
    return (example.text, example.context)[about[0]][slice(*about[1])]
