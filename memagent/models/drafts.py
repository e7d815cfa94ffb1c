"""From an understood statement to writes: a new fact, or a remembered one that it replaces."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from memagent.models.arithmetic import amount
from memagent.models.enumerations import listed
from memagent.models.evidence import USER, WORD, Evidence, content_words, plain_subject, same_subject
from memagent.models.labels import OTHER_SLOT
from memagent.models.shapes import shape
from memagent.models.understanding import SURE_SLOT, Claim, Reference, Span, Understanding, Understood, Value

SURE_VALUE = 0.45
SURE_PAIR = 0.6  # that a correction, or what fills the same slot, replaces a fact
CERTAIN_PAIR = 0.93  # that a plain statement replaces a fact of another attribute; in doubt both are kept
POSSIBLE_PAIR = 0.4  # that a correction replaces a fact that it names, or one of the message before
UNLIKELY_PAIR = 0.1  # that it replaces one of its own slot
DOUBTFUL_PAIR = 0.25  # below it a second value of the same slot is kept beside the first
PRONOUNS = frozenset(
    {"she", "he", "they", "it", "her", "him", "them", "his", "their", "its", "who", "that", "this", "user"}
)
MOST_CANDIDATES = 6
FUNCTION_WORDS = frozenset(
    {"on", "in", "at", "to", "of", "up", "is", "it", "for", "with", "and", "or", "as", "by"}
)  # no values
GOING_ON = frozenset({"and", "oh", "also", "plus", "then", "yes", "yeah", "er", "ah", "some", "more", "another", "too"})
BESIDE = re.compile(r"\b(?:another|as well|too|also|additional)\b", re.I)  # what is told has company
CHANGE = re.compile(r"\b(?:now|instead|moved|changed|switched|replaced|no longer|anymore|new)\b", re.I)
RENAMED = re.compile(r"\b(?:renam\w+|called|names?|named|from now on|instead|goes by|go by|known as)\b", re.I)
LONGEST_ATTRIBUTE = 6  # words
SURE_ENDED = 0.6  # that a message ends a fact without a new value
GONE = frozenset("quit left gone out off over done finished sold cancelled dropped stopped back dead".split())  # noqa: SIM905
LENT = frozenset({"borrower"})  # slots of what is given back
TO_BE_DONE = frozenset({"plan", "task", "event"})  # kinds of facts
SHORT_WORD = 3  # letters; shorter ones say little


@dataclass(frozen=True)
class Write:
    """One fact to write; `replaces` is the number of the remembered fact that it supersedes, or that it only `ends`."""

    subject: str
    attribute: str
    value: str
    kind: str
    several: bool
    replaces: int | None = None
    ends: bool = False


def with_own_subjects(understood: Understood, alone: Understood) -> Understood:
    """The message as read in its context, but a value whose sentence names a subject itself keeps that one."""

    def own(value: Value) -> Value:
        if value.subject is None or value.subject.source != "context":
            return value
        for other in alone.values:
            overlap = other.span[0] < value.span[1] and value.span[0] < other.span[1]
            if overlap and _names(other.subject):
                return replace(value, subject=other.subject)
        return value

    return replace(understood, values=tuple(map(own, understood.values)))


def _names(subject: Reference | None) -> bool:
    return subject is not None and plain_subject(subject.words).casefold() not in PRONOUNS


def plan_writes(
    understanding: Understanding, understood: Understood, recalled: Sequence[Evidence], context: str
) -> list[Write]:
    """Writes for the values of a statement or correction; none where nothing was found that could be a value."""
    facts = [evidence for evidence in recalled if evidence.is_fact and evidence.current]
    ended = _ended(understanding, understood.text, facts)
    writes: dict[str, Write] = {}
    taken: set[int] = set()
    values = listed(understood)
    for member in values:
        value, lead = member.value, member.lead
        alone = len(values) == 1
        if (value.probability < SURE_VALUE and not alone) or not _meaningful(value.words):
            continue
        of_ended = any(_overlap(value.span, place) or _same_thing(value.words, fact.value) for fact, place in ended)
        of_ended |= bool(ended) and content_words(value.words) <= GONE
        named_again = of_ended or _known_already(understood, value, facts)
        if value.words.casefold() in writes or named_again:
            continue
        free = [fact for fact in facts if fact.number not in taken]
        one_of = None if lead is None else replace(_write(understood, lead), value=value.words, several=True)
        one_of = _one_more(understood, value, facts, context) or one_of
        write = _placed(understanding, understood, value, free, context, one_of)
        if write.replaces is None and not write.several and _filled(write, writes.values()):
            write = replace(write, attribute=own_words(understood, value))  # one slot cannot be filled twice at once
        over = next((fact for fact, _ in ended if fact.number == write.replaces), None)
        if over is not None and not _replaces(understanding, understood, value, over):
            write = _write(understood, value)
        if write.replaces is not None:
            taken.add(write.replaces)
        writes[value.words.casefold()] = write
    return [*writes.values(), *(_end(fact) for fact, _ in ended if fact.number not in taken)]


def plan_ends(understanding: Understanding, text: str, recalled: Sequence[Evidence]) -> list[Write]:
    """What a message says no longer holds, with nothing in its place: "the banjo's gone" of what is owned."""
    facts = [evidence for evidence in recalled if evidence.is_fact and evidence.current]
    return [_end(fact) for fact, _ in _ended(understanding, text, facts)]


def _end(fact: Evidence) -> Write:
    return Write(fact.subject, fact.attribute, fact.value, "fact", not fact.single, fact.number, ends=True)


def _ended(understanding: Understanding, text: str, facts: Sequence[Evidence]) -> list[tuple[Evidence, Span]]:
    """The facts that a message ends, and where it names their value.

    Members of lists and what is to be done come to an end; who somebody is does not by news of them ("Yuki must not
    have kiwi").
    """
    ending = [fact for fact in facts if not fact.single or fact.kind in TO_BE_DONE or fact.attribute in LENT]
    named = [(fact, place) for fact in ending if (place := _mention(fact.value, text)) is not None][:MOST_CANDIDATES]
    relations = understanding.compare([(Claim(text, place), _claim(fact)) for fact, place in named])
    return [pair for pair, relation in zip(named, relations, strict=True) if relation["ends"] >= SURE_ENDED]


def _replaces(understanding: Understanding, understood: Understood, value: Value, fact: Evidence) -> bool:
    """Whether a value really takes the place of a fact that the message seems to end: not "quit" in "Ana has quit"."""
    (relation,) = understanding.compare([(Claim(understood.text, value.span), _claim(fact))])
    return relation["replaces"] >= SURE_PAIR


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _mention(value: str, text: str) -> Span | None:
    """Where a text names a remembered value: all its words, or one of them that is not short, with its neighbours."""
    wanted = content_words(value) - FUNCTION_WORDS
    words = list(WORD.finditer(text))
    shared = [at for at, word in enumerate(words) if content_words(word.group()) & wanted]
    said = frozenset[str]().union(*(content_words(words[at].group()) for at in shared))
    if not shared or not (wanted <= said or any(len(word) > SHORT_WORD for word in said)):
        return None
    last = shared[0]
    while last + 1 in shared:
        last += 1
    return words[shared[0]].start(), words[last].end()


def _filled(write: Write, others: Collection[Write]) -> bool:
    return any((write.subject, write.attribute) == (other.subject, other.attribute) for other in others)


def _meaningful(words: str) -> bool:
    content = content_words(words) - FUNCTION_WORDS
    return any(len(word) > 1 or word.isdigit() for word in content)


def attribute_words(understood: Understood, value: Value) -> str:
    """The slot where the model is sure of it, else the person's own words around the value."""
    if value.slot_probability >= SURE_SLOT and value.slot != OTHER_SLOT:
        return value.slot
    return own_words(understood, value)


def own_words(understood: Understood, value: Value) -> str:
    """The person's words before the value, or else behind it."""
    start, end = value.span
    text = understood.text
    before = text[:start]
    if value.subject is not None and value.subject.source == "text" and value.subject.span[1] <= start:
        before = text[value.subject.span[1] : start].removeprefix("'s")
    words = before.split()[-LONGEST_ATTRIBUTE:] or text[end:].split()[:LONGEST_ATTRIBUTE]
    return " ".join(words).strip(" ,.;:!?-'\"") or "note"


def _write(understood: Understood, value: Value) -> Write:
    attribute = attribute_words(understood, value)
    subject = plain_subject(value.subject.words) if value.subject is not None else USER
    if content_words(subject) <= content_words(attribute):  # "rent: rent", "boiler: boiler service"
        subject = USER
    return Write(subject, attribute, value.words, value.kind, not value.single)


def _placed(
    understanding: Understanding,
    understood: Understood,
    value: Value,
    facts: Sequence[Evidence],
    context: str,
    one_of: Write | None,
) -> Write:
    """The write for one value: over the remembered fact that it replaces, or as a new fact; `one_of` an enumeration."""
    write = one_of or _write(understood, value)
    others = [fact for fact in facts if not (_same_thing(write.value, fact.value) or _named_by(write.value, fact))]
    others = _of_its_shape(value.words, others)
    if understood.act == "correct":
        leaning = _corrected(understood, value, write, others, context, understanding.known_slots)
        if leaning is not None:
            (relation,) = understanding.compare([(Claim(understood.text, value.span), _claim(leaning))])
            if relation["replaces"] >= (UNLIKELY_PAIR if leaning.attribute == write.attribute else POSSIBLE_PAIR):
                return _over(leaning, write)
    correcting = understood.act == "correct"
    if BESIDE.search(understood.text) and not CHANGE.search(understood.text):
        write = replace(write, several=True)
    if write.several and not correcting:
        return write
    alike = [f for f in others if f.attribute == write.attribute or _is_number(f.value) == _is_number(value.words)]
    candidates = [f for f in alike if f.single and _comparable(understood, value, write, f)][:MOST_CANDIDATES]
    relations = understanding.compare([(Claim(understood.text, value.span), _claim(fact)) for fact in candidates])
    best, best_probability = None, 0.0
    for fact, relation in zip(candidates, relations, strict=True):
        probability = relation["replaces"]
        same_slot = fact.attribute == write.attribute
        if same_slot and probability < DOUBTFUL_PAIR:
            write = replace(write, several=True)
        apart = _apart(understanding.known_slots, write.attribute, fact.attribute)
        apart |= not (correcting or same_slot or _alike(fact.attribute, write.attribute))
        least = SURE_PAIR if correcting or same_slot else CERTAIN_PAIR
        least = POSSIBLE_PAIR if correcting and same_slot else least
        if probability > max(least, best_probability) and not apart:
            best, best_probability = fact, probability
    return write if best is None else _over(best, write)


def _one_more(understood: Understood, value: Value, facts: Sequence[Evidence], context: str) -> Write | None:
    """Another member of the list of the message just before: "oh and Tagalog" after "I also speak Portuguese"."""
    lead = content_words(understood.text[: value.span[0]])
    if understood.act != "state" or not lead & GOING_ON or not lead <= GOING_ON | FUNCTION_WORDS:
        return None
    before = [f for f in facts if f.text.casefold() in context.casefold()]
    lists = [f for f in before if not f.single] or before
    last = next((f for f in reversed(lists) if shape(f.value) == shape(value.words)), None)
    return None if last is None else Write(last.subject, last.attribute, value.words, last.kind, several=True)


def _known_already(understood: Understood, value: Value, facts: Sequence[Evidence]) -> bool:
    """Whether it only names, shorter, what its slot holds: that is no new value of it."""
    write = _write(understood, value)
    of_slot = [f for f in facts if f.attribute == write.attribute and same_subject(write.subject, f.subject)]
    return any(_same_thing(write.value, f.value) and write.value.casefold() != f.value.casefold() for f in of_slot)


def _same_thing(words: str, value: str) -> bool:
    """Whether a new value only names the remembered one, in full or shorter: "the Fabia" of "Skoda Fabia"."""
    said = content_words(words)
    return said <= content_words(value) and not _has_digit("".join(said))


def _is_number(words: str) -> bool:
    return _has_digit(words) or amount(words) is not None


def _has_digit(words: str) -> bool:
    return any(character.isdigit() for character in words)


def _named_by(words: str, fact: Evidence) -> bool:
    """Whether a new value only says what the fact is about: "Wilhelmina is our cellist now" of who the cellist is."""
    return content_words(words) <= content_words(f"{fact.subject} {fact.attribute}")


def _of_its_shape(words: str, facts: Sequence[Evidence]) -> list[Evidence]:
    """Of facts that one sentence told, those whose values look like the new one, where any do.

    "It goes at 09:55 instead" is about the time of "to Faro on the 26th, leaves 06:40", not about its date.
    """
    fitting = {fact.text for fact in facts if shape(fact.value) == shape(words)}
    return [fact for fact in facts if fact.text not in fitting or shape(fact.value) == shape(words)]


def _comparable(understood: Understood, value: Value, write: Write, fact: Evidence) -> bool:
    """Whether a fact may be what a value replaces: of the same subject, or for a correction one in its words.

    "The haircut is at 12.45 instead" is about the haircut, "haircut is at 11.15" was about the person.
    """
    if same_subject(write.subject, fact.subject):
        return True
    around = understood.text[: value.span[0]] + " " + understood.text[value.span[1] :]
    shared = content_words(around) & content_words(fact.text) - content_words(fact.value)
    return understood.act == "correct" and any(len(word) > SHORT_WORD for word in shared)


def _apart(known_slots: Collection[str], attribute: str, other: str) -> bool:
    """Whether two attributes are surely not the same: "the gym has moved" says nothing of where the office is."""
    return attribute != other and attribute in known_slots and other in known_slots


def _alike(attribute: str, other: str) -> bool:
    """Whether two attributes share a word that says something: "my height is" and "i weigh" do not."""
    return any(len(word) > SHORT_WORD for word in content_words(attribute) & content_words(other))


def _over(fact: Evidence, write: Write) -> Write:
    return Write(fact.subject, fact.attribute, write.value, write.kind, write.several, fact.number)


def _corrected(
    understood: Understood,
    value: Value,
    write: Write,
    facts: Sequence[Evidence],
    context: str,
    known_slots: Collection[str],
) -> Evidence | None:
    """What a correction is about: a fact whose value it names, or one of the slot, or of the message just before.

    What is said of somebody does not replace them: "Mr Szabo has moved to sheltered housing", of who has the key.
    """
    rest = content_words(understood.text[: value.span[0]] + " " + understood.text[value.span[1] :])
    about = content_words(value.subject.words) if value.subject and value.subject.source == "text" else frozenset()
    alike = [f for f in facts if _is_number(f.value) == _is_number(value.words)]
    about = frozenset() if RENAMED.search(understood.text) else about
    named = [f for f in alike if (old := content_words(f.value)) and old <= rest and not old <= about]
    if named:
        return named[0]
    slotted = [
        f for f in facts if f.single and f.attribute == write.attribute and same_subject(write.subject, f.subject)
    ]
    if slotted and not write.several and value.slot_probability >= SURE_SLOT:
        return slotted[0]
    leans = value.subject is None or value.subject.source == "context" or not _names(value.subject)
    just_said = [f for f in alike if f.single and context and f.text.casefold() in context.casefold()]
    just_said = [f for f in just_said if not _apart(known_slots, write.attribute, f.attribute)]
    just_said = [f for f in just_said if leans or f.attribute == write.attribute]
    return just_said[0] if just_said else None


def _claim(fact: Evidence) -> Claim:
    """A remembered fact as a sentence with its value marked."""
    start = fact.text.casefold().find(fact.value.casefold())
    if start >= 0:
        return Claim(fact.text, (start, start + len(fact.value)))
    lead = f"{fact.subject} {fact.attribute} "
    return Claim(lead + fact.value, (len(lead), len(lead) + len(fact.value)))
