"""Groups for *read*: one question, a few earlier messages of which at most one answers it. Composed from the packs."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from memagent.training.compose import Sentence, Span, Subject
from memagent.training.examples import Composer
from memagent.training.noise import roughen
from memagent.training.packs import Slot

WINDOWS = 4  # in a group
JOINED = 0.4  # of the windows hold more than one statement
RELATIVES = (
    "sister",
    "brother",
    "mother",
    "father",
    "daughter",
    "son",
    "niece",
    "nephew",
    "aunt",
    "uncle",
    "cousin",
    "boss",
)


@dataclass(frozen=True)
class Window:
    """An earlier message and what it says to the question: `kind` none, span, yes or no; `answer` the span."""

    text: str
    kind: str = "none"
    answer: Span | None = None


@dataclass(frozen=True)
class Group:
    """A question and its windows."""

    question: str
    windows: tuple[Window, ...]


class Readings:
    """Draws groups from the packs and, for a share, from public sets; `chatter` adds real talk as near misses."""

    def __init__(
        self,
        composer: Composer,
        public: Sequence[Callable[[random.Random], Group]],
        share: float,
        chatter: Sequence[str],
    ) -> None:
        self.composer = composer
        self.rng = composer.rng
        self.public = public
        self.share = share if public else 0.0
        self.chatter = chatter
        self.by_word: dict[str, list[int]] = {}
        for index, line in enumerate(chatter):
            for word in set(line.casefold().split()):
                if len(word) > 3:
                    self.by_word.setdefault(word, []).append(index)

    def draw(self) -> Group:
        """One group, windows in random order."""
        if self.rng.random() < self.share:
            return self.rng.choice(self.public)(self.rng)
        return self._composed()

    def _composed(self) -> Group:
        rng, composer = self.rng, self.composer
        slot = composer.slot()
        subject = composer.subject_for(slot)
        value = composer.packs.value(slot, rng)
        question, kind, wanted = self._question(slot, subject, value)
        windows: list[Window] = []
        if rng.random() < 0.6:
            windows.append(self._answering(question, slot, subject, kind, wanted))
        while len(windows) < WINDOWS:
            windows.append(self._near_miss(question, slot, subject))
        rng.shuffle(windows)
        asked, _ = roughen(question, [], rng)
        return Group(asked, tuple(windows))

    def _question(self, slot: Slot, subject: Subject, value: str) -> tuple[str, str, str]:
        """A question, the kind of its answer, and the value that its evidence must have."""
        rng, composer = self.rng, self.composer
        sources = [("span", slot.asks, 6.0), ("span", slot.whens, 1.5), ("span", slot.lists, 2.0)]
        sources += [("span", slot.befores, 0.8), ("yesno", slot.yesnos, 2.0), ("span", slot.forgets, 1.0)]
        sources = [source for source in sources if source[1]]
        kind, templates, _ = rng.choices(sources, [weight for _, _, weight in sources])[0]
        sentence = composer.fill(rng.choice(templates), slot, subject, value=value)
        text, _ = composer.wrap(sentence.text, "prefixes_ask", 0.2)
        if kind == "yesno":
            other = composer.packs.value(slot, rng)
            return (
                (text, "no", other) if rng.random() < 0.5 and other != value and slot.single else (text, "yes", value)
            )
        return text, kind, value

    def _answering(self, question: str, slot: Slot, subject: Subject, kind: str, wanted: str) -> Window:
        rng = self.rng
        if slot.name in RELATIVES and subject.is_user and kind == "span" and rng.random() < 0.4:
            text, name = self._named_relative(slot.name)
            return self._window(text, "span", name)
        templates = slot.states + (slot.changes if rng.random() < 0.4 else ())
        statement = self._stated(rng.choice(templates), slot, subject, wanted)
        answer = statement.value
        asks_when = bool(slot.whens) and question.lower().startswith(("when", "what day", "which day", "what date"))
        if asks_when and statement.when is not None:
            answer = statement.when
        if answer is None:
            return self._answering(question, slot, subject, kind, wanted)
        return self._window(statement.text, kind, answer)

    def _stated(self, template: str, slot: Slot, subject: Subject, value: str) -> Sentence:
        """A statement; at times by pronoun with the subject in front, as facts are read whose words do not name it."""
        if subject.is_user or slot.subjects != ("person",) or self.rng.random() > 0.2:
            return self.composer.fill(template, slot, subject, value=value)
        sentence = self.composer.fill(template, slot, subject, value=value, pronoun=True)
        lead = f"{subject.words}: "
        moved = sentence.shifted(len(lead))
        return Sentence(lead + sentence.text, moved.value, None, moved.old, moved.when)

    def _named_relative(self, relation: str) -> tuple[str, Span]:
        """Something about "my sister Ana", which also says what the sister is called; the span of the name."""
        rng, composer = self.rng, self.composer
        name = rng.choice(composer.packs.pools["person_name"])
        relative = Subject("third", f"my {relation} {name}")
        slot = composer.personal_slot()
        while True:
            sentence = composer.state_sentence(slot, relative)
            if sentence.subject is not None:
                end = sentence.subject[1]
                return sentence.text, (end - len(name), end)
            slot = composer.personal_slot()

    def _near_miss(self, question: str, slot: Slot, subject: Subject) -> Window:
        rng, composer = self.rng, self.composer
        roll = rng.random()
        if slot.name in RELATIVES and subject.is_user and rng.random() < 0.35:
            relation = rng.choice([relation for relation in RELATIVES if relation != slot.name])
            return Window(self._named_relative(relation)[0])
        if roll < 0.30:
            for _ in range(20):
                other = composer.subject_for(slot, third=0.7)
                if other.words != subject.words or other.is_user != subject.is_user:
                    return self._window(composer.state_sentence(slot, other).text, "none", None)
        if roll < 0.62:
            return self._window(self._other_slot(slot, subject).text, "none", None)
        if roll < 0.92 and self.by_word:
            shared = [word for word in set(question.casefold().split()) if word in self.by_word]
            if shared:
                return Window(self.chatter[rng.choice(self.by_word[rng.choice(sorted(shared))])])
        return self._window(composer.unrelated(), "none", None)

    def _other_slot(self, slot: Slot, subject: Subject) -> Sentence:
        rng, composer = self.rng, self.composer
        fitting = [other for other in composer.packs.slots if other is not slot and other.subjects == slot.subjects]
        alike = [other for other in fitting if other.values == slot.values] or fitting
        pool = (
            alike
            if alike and rng.random() < 0.4
            else fitting
            if fitting and rng.random() < 0.6
            else composer.packs.slots
        )
        other = rng.choice([candidate for candidate in pool if candidate is not slot])
        about = subject if other.subjects == slot.subjects else composer.subject_for(other)
        return composer.state_sentence(other, about)

    def _window(self, text: str, kind: str, answer: Span | None) -> Window:
        """Noise, and at times another statement or a lead-in around the one that counts."""
        rng, composer = self.rng, self.composer
        lead = ""
        if rng.random() < JOINED:  # several facts in one message: the span must be the one that was asked for
            for _ in range(rng.choice((1, 1, 2))):
                extra_slot = composer.slot()
                extra = composer.state_sentence(extra_slot, composer.subject_for(extra_slot)).text
                joint = rng.choice([". ", ", ", " and ", "; ", ". oh and "])
                if rng.random() < 0.5:
                    text = f"{text.rstrip('.')}{joint}{extra}"
                else:
                    lead = f"{extra.rstrip('.')}{joint}{lead}"
        elif rng.random() < 0.25:
            lead = rng.choice(composer.packs.acts["prefixes_state"]).strip() + " "
        protected = [] if answer is None else [(answer[0] + len(lead), answer[1] + len(lead))]
        rough, move = roughen(lead + text, protected, rng)
        return Window(rough, kind, move(protected[0]) if protected else None)
