"""Questions about hand-written statements: what one of a few messages tells is asked for in a composed question.

The messages tell several things each, as people do, and a third of the questions ask for what none of them tells: the
same of somebody else, or something else of the same one.
"""

from __future__ import annotations

from collections.abc import Sequence

from memagent.training.compose import USER, Subject
from memagent.training.examples import Composer, Example, FactLabel
from memagent.training.packs import Slot
from memagent.training.reading import RELATIVES, Group, Window

UNTOLD = 0.35
TRIES = 20
BESIDE = (2, 3, 4)  # other messages


class Told:
    """Draws groups from hand-written messages; questions and the random numbers are the composer's."""

    def __init__(self, composer: Composer, written: Sequence[Example]) -> None:
        self._composer, self._rng = composer, composer.rng
        self._slots = {slot.name: slot for slot in composer.packs.slots if slot.asks}
        self._messages = [m for m in written if m.act == "state" and not m.context and m.facts]
        self._asked = [m for m in self._messages if any(fact.slot in self._slots for fact in m.facts)]

    def draw(self) -> Group:
        """One group; its messages stand in random order."""
        rng = self._rng
        while True:
            message = rng.choice(self._asked)
            fact = rng.choice([fact for fact in message.facts if fact.slot in self._slots])
            messages = self._around(message, fact)
            told = [(f.slot, _key(_about(m, f))) for m in messages for f in m.facts]
            slot, subject = self._slots[str(fact.slot)], _about(message, fact)
            if rng.random() < UNTOLD:
                untold = self._untold(slot, subject, messages)
                if untold is not None:
                    return self._group(untold[0], untold[1], messages, None, fact)
            elif told.count((slot.name, _key(subject))) == 1:
                return self._group(slot, subject, messages, message, fact)

    def _around(self, message: Example, fact: FactLabel) -> list[Example]:
        """The message among others, one of which may tell the same of somebody else."""
        rng = self._rng
        others = rng.sample(self._messages, rng.choice(BESIDE))
        if rng.random() < 0.5:
            others.append(rng.choice([m for m in self._asked if any(f.slot == fact.slot for f in m.facts)]))
        messages = [message, *(other for other in dict.fromkeys(others) if other is not message)]
        rng.shuffle(messages)
        return messages

    def _untold(self, slot: Slot, subject: Subject, messages: Sequence[Example]) -> tuple[Slot, Subject] | None:
        """A slot and subject near these that no message tells; no relatives, for "my sister Ana" tells of one."""
        rng = self._rng
        told = {(f.slot, _key(_about(m, f))) for m in messages for f in m.facts}
        alike = [s for s in self._slots.values() if s.subjects == slot.subjects and s.name not in RELATIVES]
        for _ in range(TRIES):
            if rng.random() < 0.5 and alike:
                found = rng.choice(alike), subject
            elif slot.name not in RELATIVES:
                one = rng.choice(messages)
                found = slot, rng.choice((_about(one, one.facts[0]), self._composer.subject_for(slot)))
            else:
                continue
            if (found[0].name, _key(found[1])) not in told:
                return found
        return None

    def _group(
        self, slot: Slot, subject: Subject, messages: Sequence[Example], right: Example | None, fact: FactLabel
    ) -> Group:
        question = self._composer.fill(self._rng.choice(slot.asks), slot, subject).text
        windows = [Window(m.text, "span", fact.value) if m is right else Window(m.text) for m in messages]
        return Group(question, tuple(windows))


def _about(message: Example, fact: FactLabel) -> Subject:
    return USER if fact.subject is None else Subject("third", message.text[slice(*fact.subject[1])])


def _key(subject: Subject) -> str:
    words = subject.words.casefold().split()
    return " ".join(words[1:] if words[:1] in (["my"], ["our"], ["the"]) else words)
