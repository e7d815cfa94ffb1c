"""What a message that tells something is written as; how it was understood is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memagent.models.drafts import Write, plan_ends, plan_writes
from memagent.models.enumerations import listed
from memagent.models.evidence import Evidence
from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import Reference, Understanding, Understood, Value
from tests.models.scripted_reading import fact


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


def told(text: str, *values: str, slots: str = "", single: bool = False, subject: str = "") -> Understood:
    """A statement with these values; `slots` are theirs in order, with commas, "-" for none."""
    names = slots.split(",") if slots else ["-"] * len(values)
    about = (
        Reference(subject, "text", (text.index(subject), text.index(subject) + len(subject)), 0.9) if subject else None
    )
    found = []
    for words, name in zip(values, names, strict=True):
        span = (text.index(words), text.index(words) + len(words))
        slot, sure = (OTHER_SLOT, 0.9) if name == "-" else (name, 0.9)
        found.append(Value(span, words, 0.9, about, slot, sure, "fact", single))
    return Understood(text, "state", 0.99, {"state": 0.99}, "value", tuple(found), None, OTHER_SLOT, 0.0)


def written(understanding: Understanding, understood: Understood) -> list[tuple[str, str, str, bool]]:
    writes: list[Write] = plan_writes(understanding, understood, [], "")
    return [(write.subject, write.attribute, write.value, write.several) for write in writes]


def test_an_enumeration_is_one_list_under_the_words_before_it(understanding: Understanding) -> None:
    said = told(
        "at the top table we have Rosalind, uncle Cuthbert and the Bartons", "Rosalind", "uncle Cuthbert", "Bartons"
    )
    found = written(understanding, said)
    assert [value for _, _, value, _ in found] == ["Rosalind", "uncle Cuthbert", "Bartons"]
    assert {(subject, attribute, several) for subject, attribute, _, several in found} == {
        ("user", "at the top table we have", True)
    }


def test_a_slot_that_is_sure_for_one_holds_for_the_list(understanding: Understanding) -> None:
    said = told(
        "I speak Slovene, Italian & German", "Slovene", "Italian", "German", slots="languages spoken,-,languages spoken"
    )
    assert {attribute for _, attribute, _, _ in written(understanding, said)} == {"languages spoken"}


def test_values_of_other_slots_beside_each_other_are_no_list(understanding: Understanding) -> None:
    said = told("I'm 34, vegan and left-handed", "34", "vegan", "left-handed", slots="age,diet,-", single=True)
    assert all(member.lead is None for member in listed(said))
    attributes = [attribute for _, attribute, _, _ in written(understanding, said)]
    assert attributes[:2] == ["age", "diet"] and len(set(attributes)) == 3


def test_values_with_words_between_them_are_no_list(understanding: Understanding) -> None:
    said = told("the flight is at 14:05 from gate B7, seat 22C", "14:05", "B7", "22C")
    assert all(member.lead is None for member in listed(said))
    assert len({attribute for _, attribute, _, _ in written(understanding, said)}) == 3


def test_a_correction_takes_the_place_of_the_value_that_looks_like_it(understanding: Understanding) -> None:
    flight = "flying to Faro on the 26th, leaves 06:40"
    facts = [fact(flight, "flying to Faro", "26th", id=1), fact(flight, "leaves", "06:40", id=2)]
    text = "our Faro one goes at 09:55 instead"
    (write,) = plan_writes(understanding, replace(told(text, "09:55", single=True), act="correct"), facts, flight)
    assert (write.replaces, write.attribute, write.value) == (2, "leaves", "09:55")


def test_a_list_of_somebody_else_is_theirs(understanding: Understanding) -> None:
    said = told("my husband speaks Croatian and Czech", "Croatian", "Czech", subject="my husband")
    assert {(subject, several) for subject, _, _, several in written(understanding, said)} == {("husband", True)}


def test_what_was_found_as_one_value_of_a_list_is_split_at_its_commas(understanding: Understanding) -> None:
    said = told("countries so far: Albania, Georgia, Armenia", "Albania", "Georgia, Armenia")
    assert [value for _, _, value, _ in written(understanding, said)] == ["Albania", "Georgia", "Armenia"]
    alone = told("we live at 14 Orchard Row, Leith", "14 Orchard Row, Leith")
    assert [value for _, _, value, _ in written(understanding, alone)] == ["14 Orchard Row, Leith"]


def test_whom_a_value_is_about_is_no_value_itself(understanding: Understanding) -> None:
    said = told("a telescope for Malachi", "telescope", "Malachi", subject="Malachi")
    assert [(subject, value) for subject, _, value, _ in written(understanding, said)] == [("Malachi", "telescope")]


OWNED = "instruments I own: a banjo, an oboe and two recorders"


def owned() -> list[Evidence]:
    return [fact(OWNED, "instruments I own", name, single=False, id=at) for at, name in enumerate(("banjo", "oboe"))]


@pytest.mark.parametrize("text", ["sold the banjo", "got rid of the banjo last week", "gave the banjo away"])
def test_what_a_message_ends_is_ended_and_nothing_new_is_written(understanding: Understanding, text: str) -> None:
    (write,) = plan_writes(understanding, told(text, "banjo"), owned(), "")
    assert (write.replaces, write.value, write.ends) == (0, "banjo", True)


@pytest.mark.parametrize("text", ["restrung the banjo today", "the banjo needs a new string", "I might sell the banjo"])
def test_what_a_message_only_names_goes_on(understanding: Understanding, text: str) -> None:
    assert plan_ends(understanding, text, owned()) == []


def test_who_somebody_is_is_not_ended_by_news_of_them(understanding: Understanding) -> None:
    friend = fact("My daughter's best friend is Yuki.", "best friend", "Yuki", "daughter", id=1)
    assert plan_ends(understanding, "Yuki must not have kiwi, she comes out in a rash.", [friend]) == []
    plan = fact("we're having dinner at the Okonjos", "we're having", "dinner at the Okonjos", fact="plan", id=2)
    (write,) = plan_ends(understanding, "the Okonjos have called off the dinner", [plan])
    assert (write.replaces, write.ends) == (2, True)


def test_what_is_replaced_is_not_ended_as_well(understanding: Understanding) -> None:
    text = "no, it's the oboe that is in C, not the banjo"
    writes = plan_writes(understanding, replace(told(text, "oboe"), act="correct"), owned()[:1], "")
    assert len({write.replaces for write in writes}) == len(writes)


def test_a_word_that_is_too_short_names_nothing(understanding: Understanding) -> None:
    ticket = fact("a ticket to go to sea", "ticket", "to go to sea", id=3)
    assert plan_ends(understanding, "that one is to go", [ticket]) == []


def test_somebody_who_leaves_takes_nobody_along_and_is_replaced_by_no_verb(understanding: Understanding) -> None:
    team = "in the quiz team it's me, Olwen, Dilip and Hamish"
    facts = [
        fact(team, "it's me", name, "quiz team", single=False, id=at) for at, name in enumerate(("Dilip", "Hamish"))
    ]
    text = "Hamish has quit the quiz team"
    writes = plan_writes(understanding, replace(told(text, "quit"), act="correct"), facts, "")
    assert [(write.replaces, write.ends) for write in writes] == [(1, True)]


@pytest.mark.parametrize(
    ("old", "attribute", "value", "text", "new", "subject"),
    [
        ("she's Fitch, a retired dentist", "she's", "Fitch", "the stern gland is repacked", "stern gland", ""),
        ("the key hangs behind the press", "hangs", "behind the press", "the alarm is set to minus 72", "minus 72", ""),
        (
            "mum's key is with Mr Szabo",
            "key is with",
            "Mr Szabo",
            "Mr Szabo has moved to sheltered housing",
            "sheltered housing",
            "Mr Szabo",
        ),
        ("the fiat is my son's", "the", "fiat", "the fiat takes 5W-40", "5W-40", "fiat"),
    ],
)
def test_news_of_something_replaces_nothing_though_it_sounds_like_a_correction(
    understanding: Understanding, old: str, attribute: str, value: str, text: str, new: str, subject: str
) -> None:
    said = replace(told(text, new, single=True, subject=subject), act="correct")
    (write,) = plan_writes(understanding, said, [fact(old, attribute, value, id=1)], old)
    assert (write.replaces, write.value) == (None, new)


def test_what_is_returned_is_lent_no_more(understanding: Understanding) -> None:
    lent = fact("lent Gethin my post rammer", "borrower", "Gethin", "post rammer", id=4)
    said = told("gethin brought the rammer back, bent", "gethin", slots="borrower", single=True, subject="rammer")
    assert [(w.replaces, w.ends) for w in plan_writes(understanding, said, [lent], "")] == [(4, True)]


def test_what_is_told_instead_of_what_ends_is_kept(understanding: Understanding) -> None:
    old = fact("i do volleyball after school", "sport", "volleyball", single=False, id=1)
    text = "quit volleyball. doing fencing instead, they give you a sword"
    said = replace(told(text, "fencing", slots="sport"), act="correct")
    assert "fencing" in [write.value for write in plan_writes(understanding, said, [old], "")]


def test_one_more_of_what_the_message_before_named_alone_is_of_the_same_list(understanding: Understanding) -> None:
    salsify = fact("put salsify on my seed order", "seed order", "salsify", id=1)
    said = told("and cavolo nero", "cavolo nero")
    (write,) = plan_writes(understanding, said, [salsify], "put salsify on my seed order")
    assert (write.attribute, write.value, write.several) == ("seed order", "cavolo nero", True)


def test_what_names_the_remembered_thing_shorter_does_not_replace_it(understanding: Understanding) -> None:
    car = fact("I drive a Skoda Fabia.", "car model", "Skoda Fabia", id=1)
    said = replace(told("I traded in the Fabia.", "the Fabia", slots="car model", single=True), act="correct")
    assert all(write.ends for write in plan_writes(understanding, said, [car], ""))


def test_a_new_value_of_the_same_slot_replaces_the_old_one_of_the_same_person_by_another_name(
    understanding: Understanding,
) -> None:
    baker = fact("My brother Anselm works as a baker.", "job", "baker", "brother Anselm", id=7)
    said = told("Anselm is a train driver now", "train driver", slots="job", single=True, subject="Anselm")
    (write,) = plan_writes(understanding, said, [baker], "")
    assert (write.replaces, write.subject, write.value) == (7, "brother Anselm", "train driver")


def test_a_correction_replaces_the_one_value_of_a_slot_that_may_hold_several(understanding: Understanding) -> None:
    chemistry = fact("my son Callum is studying chemistry", "field of study", "chemistry", "son Callum", id=7)
    text = "Callum has changed course, he's studying geography now."
    said = replace(told(text, "geography", slots="field of study", subject="Callum"), act="correct")
    (write,) = plan_writes(understanding, said, [chemistry], "")
    assert (write.replaces, write.value) == (7, "geography")


@pytest.mark.parametrize(
    ("text", "value", "one_more"),
    [
        ("oh and Tagalog, my wife's mother insisted", "Tagalog", True),
        ("and Tagalog too", "Tagalog", True),
        ("it's Tagalog that my wife speaks", "Tagalog", False),
        ("and my wife speaks Tagalog", "Tagalog", False),
        ("oh and 14:30", "14:30", False),
    ],
)
def test_what_goes_on_with_the_list_of_the_message_before_is_one_more_of_it(
    understanding: Understanding, text: str, value: str, one_more: bool
) -> None:
    portuguese = fact("I also speak Portuguese", "languages spoken", "Portuguese", single=False, id=4)
    (write,) = plan_writes(understanding, told(text, value, single=True), [portuguese], portuguese.text)
    assert ((write.subject, write.attribute, write.several) == ("user", "languages spoken", True)) is one_more
    (write,) = plan_writes(understanding, told(text, value, single=True), [portuguese], "good morning")
    assert write.attribute != "languages spoken"


@pytest.mark.parametrize(
    ("text", "replaces"),
    [
        ("Matthias Rohde has joined as another PhD student of mine", None),
        ("Matthias Rohde is my PhD student too", None),
        ("Matthias Rohde is my new PhD student, another one instead", 1),
    ],
)
def test_one_more_of_a_slot_stands_beside_the_first(
    understanding: Understanding, text: str, replaces: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fact("Oluchi Eze is my PhD student", "PhD student", "Oluchi Eze", single=True)
    surely = {"replaces": 0.99, "repeats": 0.0, "apart": 0.0, "ends": 0.0}
    monkeypatch.setattr(understanding, "compare", lambda pairs: [surely for _ in pairs])
    said = told(text, "Matthias Rohde", slots="PhD student", single=True)
    (write,) = plan_writes(understanding, said, [first], "")
    assert (write.replaces, write.several) == (replaces, replaces is None)
