"""Which hits answer, with which words, where it is clear what was read; what a message tells is really understood."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memagent.models.answers import FORGOTTEN, MOST_READ, answer, telling
from memagent.models.evidence import Evidence, bridged
from memagent.models.replies import answered
from memagent.models.understanding import Understanding
from tests.models.asking import EARLIER, LATER, OLDEST, Asker, words
from tests.models.scripted_reading import ScriptedReader, fact, message, reading, understood

PORTO = fact("I live in Porto", "home city", "Porto")
WHERE = understood("where do I live?", slot="home city")


# --- one value --------------------------------------------------------------------------------------------------------


def test_of_two_facts_in_a_sentence_the_one_that_was_read_answers(ask: Asker) -> None:
    both = "my dentist is Dr Soto and my vet is Prisk"
    facts = [fact(both, "dentist", "Dr Soto"), fact(both, "vet", "Prisk")]
    for slot, value in (("dentist", "Dr Soto"), ("vet", "Prisk")):
        found = ask(understood(f"who is my {slot}?", slot=slot), facts, {both: value})
        assert (found.kind, words(found), found.best.evidence.value) == ("value", [value], value)


def test_of_facts_in_a_sentence_the_one_that_was_read_answers_whatever_their_slots(ask: Asker) -> None:
    text = "Hiroshi works on zebrafish hearts, at Tsukuba"
    facts = [
        fact(text, "works on", "zebrafish hearts", "Hiroshi"),
        fact(text, "employer", "Tsukuba", "Hiroshi"),
    ]
    found = ask(understood("where is Hiroshi based?", subject="Hiroshi", slot="home city"), facts, {text: "Tsukuba"})
    assert (found.kind, words(found)[0]) == ("value", "Tsukuba")


def test_who_or_what_has_a_value_is_read_though_it_is_not_the_value(ask: Asker) -> None:
    lent = fact("I have also lent out Cranford, to Mrs Lisle", "to", "Mrs Lisle", "Cranford")
    book = ask(understood("which book is lent?"), [lent], {lent.window: "Cranford"}).best
    person = ask(understood("who has it?"), [lent], {lent.window: "Mrs Lisle"}).best
    assert (book.words, person.words) == ("Cranford", "Mrs Lisle") and book.score > 0.9 * person.score


def test_the_current_one_is_not_the_one_before(ask: Asker) -> None:
    old = fact("pricing is 49 per seat", "pricing", "49", said_at=EARLIER, current=False, retired_at=LATER)
    new = fact("pricing is 65 per seat from now on", "pricing", "65", said_at=LATER)
    script = {old.window: "49", new.window: "65"}
    asked = understood("what's our current price per seat?", mode="previous")
    assert ask(asked, [old, new], script).best.words == "65"
    asked = understood("what was the price before the current one?", mode="previous")
    assert ask(asked, [old, new], script).best.words == "49"


def test_the_person_stays_the_person_where_something_is_called_user(ask: Asker) -> None:
    manual = fact("the User Guide is on the shelf", "place", "the shelf", "User Guide")
    found = ask(WHERE, [PORTO, manual], {PORTO.window: "Porto"})
    assert (found.asked, found.best.words) == ("user", "Porto")


def test_a_name_that_was_asked_with_is_no_answer(ask: Asker) -> None:
    dog = fact("My neighbour Mrs. Okonjo she has a dog", "neighbour", "Mrs. Okonjo")
    asked = understood("how is called the dog of Mrs. Okonjo?", subject="Mrs. Okonjo")
    assert ask(asked, [dog], {dog.window: "Mrs. Okonjo"}).kind == "nothing"


def test_what_nothing_answers_is_nothing_with_what_came_nearest(ask: Asker) -> None:
    found = ask(understood("how tall is Ana?", subject="Ana"), [PORTO], {})
    assert (found.kind, found.candidates, found.asked, found.near) == ("nothing", (), "Ana", (PORTO,))
    assert ask(WHERE, [], {}).kind == "nothing"


def test_the_words_of_a_message_are_those_that_were_read(ask: Asker) -> None:
    said = message("the boiler is serviced by Hartnell every autumn")
    found = ask(understood("who services the boiler?", subject="the boiler"), [said], {said.window: "Hartnell"})
    assert (found.kind, words(found), found.asked) == ("value", ["Hartnell"], "boiler")
    assert said.text[found.best.start : found.best.end] == "Hartnell"


def test_a_span_is_given_in_the_characters_of_the_text(ask: Asker) -> None:
    ana = fact("she lives in Oslo these days", "home city", "Oslo", "sister Ana")
    assert ana.window != ana.text
    asked = understood("where does Ana live?", subject="Ana", slot="home city")
    best = ask(asked, [ana], {ana.window: "Oslo"}).best
    assert ana.text[best.start : best.end] == best.words == "Oslo"


def test_of_nearly_equal_ones_the_newest_answers(ask: Asker) -> None:
    old = message("I live in Leeds", said_at=EARLIER, score=0.92)
    new = message("I live in Hull", said_at=LATER)
    script = {old.window: "Leeds", new.window: "Hull"}
    for evidence in ([old, new], [new, old]):
        found = ask(WHERE, evidence, script)
        assert (found.kind, found.best.words) == ("value", "Hull")


@pytest.mark.parametrize(("said_at", "rival"), [(LATER, "Leeds"), (EARLIER, None)])
def test_what_was_told_otherwise_on_the_same_day_is_offered_beside_the_answer(
    ask: Asker, said_at: str, rival: str | None
) -> None:
    other = message("I live in Leeds", said_at=said_at)
    found = ask(
        WHERE, [other, message("I live in Hull", said_at=LATER)], {"I live in Leeds": "Leeds", "I live in Hull": "Hull"}
    )
    offered = None if found.rival is None else found.rival.words
    assert (found.kind, {found.best.words, offered} - {None}) == ("value", {"Hull", rival} - {None})
    reply = answered(found, "key")
    assert ("Leeds" in reply) == (rival == "Leeds") and "Hull" in reply


def test_what_was_told_in_its_place_later_that_day_has_no_rival(ask: Asker) -> None:
    old = message("the till code at the shop is 3360", said_at="2026-02-01T09:00:00+00:00")
    new = message("they have changed the till code, 5127 it is now", said_at="2026-02-01T09:05:00+00:00")
    found = ask(understood("what is the till code?"), [old, new], {old.window: "3360", new.window: "5127"})
    assert (found.kind, found.best.words, found.rival) == ("value", "5127", None)


def test_a_retired_value_answers_only_where_the_past_is_asked_for(ask: Asker) -> None:
    retired = fact("I live in Leeds", "home city", "Leeds", current=False, said_at=EARLIER)
    script = {PORTO.window: "Porto", retired.window: "Leeds"}
    assert words(ask(WHERE, [PORTO, retired], script)) == ["Porto"]
    assert ask(WHERE, [retired], script).kind == "nothing"


# --- other ways of asking ---------------------------------------------------------------------------------------------


def test_before_now_is_the_retired_value_of_the_same_slot(ask: Asker) -> None:
    leeds = fact("I live in Leeds", "home city", "Leeds", current=False, said_at=OLDEST, retired_at=EARLIER)
    hull = fact("I live in Hull", "home city", "Hull", current=False, said_at=EARLIER, retired_at=LATER)
    nurse = fact("I was a nurse", "job", "nurse", current=False, said_at=OLDEST, retired_at="2026-02-28T09:00:00+00:00")
    asked = understood("where did I live before?", mode="previous", slot="home city")
    found = ask(asked, [nurse, leeds, PORTO, hull], {PORTO.window: "Porto"})
    assert (found.kind, words(found)) == ("previous", ["Hull", "Leeds"])
    again = ask(asked, [leeds, PORTO, hull], {PORTO.window: "Porto"}, replied="Before that it was Hull.")
    assert words(again) == ["Leeds"]
    assert words(ask(asked, [leeds, PORTO, hull], {PORTO.window: "Porto"}, replied="Porto.")) == ["Hull", "Leeds"]


def test_where_nothing_was_retired_before_now_is_what_was_told_earlier(ask: Asker) -> None:
    old, new = message("I live in Leeds", said_at=EARLIER), message("I live in Hull", said_at=LATER)
    asked = understood("where did I live before?", mode="previous")
    found = ask(asked, [new, old], {old.window: "Leeds", new.window: "Hull"})
    assert (found.kind, words(found)) == ("previous", ["Leeds"])
    assert ask(asked, [new], {new.window: "Hull"}).kind == "value"


def replaced(value: str, gone: str, came: str, **fields: str) -> Evidence:
    text = f"our go-to pizza place is {value}"
    times = {"retired_at": gone, "recorded_at": came, "said_at": came}
    return fact(text, "go-to pizza place", value, current=not gone, **times, **fields)


ZIZZI = replaced("Zizzi", EARLIER, OLDEST, id=1)
RENZO = replaced("Da Renzo", LATER, EARLIER, id=2)
FORNO = replaced("Forno Blu", "", LATER, id=3)
PLACES = [FORNO, RENZO, ZIZZI]


@pytest.mark.parametrize(
    ("question", "replied", "places"),
    [
        ("where did we get pizza before Forno Blu?", "", ["Da Renzo", "Zizzi"]),
        ("where did we get pizza before Da Renzo?", "", ["Zizzi"]),
        ("and what was it before that?", "Forno Blu; you told me on 2 March 2026.", ["Da Renzo", "Zizzi"]),
        ("and who was it from before that?", "Forno Blu; you told me on 2 March 2026.", ["Da Renzo", "Zizzi"]),
        ("and before that?", "Before that it was Da Renzo; you told me on 2 March 2026.", ["Zizzi"]),
    ],
)
def test_what_was_in_the_place_of_a_named_value_is_on_record(
    ask: Asker, question: str, replied: str, places: list[str]
) -> None:
    found = ask(understood(question, mode="previous"), PLACES, {FORNO.window: "place"}, replied=replied)
    assert (found.kind, words(found)) == ("previous", places)
    assert found.chance >= 0.9


def test_what_was_just_replied_says_nothing_of_another_thing_before(ask: Asker) -> None:
    asked = understood("where did I work before?", mode="previous")
    assert ask(asked, PLACES, {}, replied="Forno Blu; you told me on 2 March 2026.").kind == "nothing"


def test_a_follow_up_is_not_answered_with_what_was_just_said(ask: Asker) -> None:
    project, lead = message("I've joined Lantern"), message("Wilhelmina leads the project")
    asked, script = understood("and who leads it?"), {project.window: "Lantern", lead.window: "Wilhelmina"}
    replied = "Lantern; you told me on 2 March 2026."
    assert words(ask(asked, [project, lead], script, replied=replied)) == ["Wilhelmina"]
    assert words(ask(asked, [project], script, replied=replied)) == ["Lantern"]


def test_what_is_surely_read_in_a_sentence_answers_though_no_fact_holds_it(ask: Asker) -> None:
    text = "the guy who cuts my hair is called Ozgur, he used to be a boxer"
    boxer = fact(text, "job", "boxer", "Ozgur", score=0.7)
    sure = replace(reading(text, "Ozgur"), kinds={"none": 0.001, "span": 0.997, "yes": 0.001, "no": 0.001})
    assert words(ask(understood("what's my barber's name?"), [boxer], {text: sure})) == ["Ozgur"]


@pytest.mark.parametrize(("mode", "kind"), [("value", "nothing"), ("previous", "value")])
def test_a_value_that_was_replaced_is_not_read_in_what_still_names_it(ask: Asker, mode: str, kind: str) -> None:
    text = "Coach has me playing goalkeeper for the handball team"
    handball = fact(text, "playing for", "handball", replaced=["goalkeeper"])
    sure = replace(reading(text, "goalkeeper"), kinds={"none": 0.001, "span": 0.997, "yes": 0.001, "no": 0.001})
    told = message("turns out goalkeeper was too cold for me", replaced=["goalkeeper"])
    asked = understood("what position do I play?", mode=mode)
    assert ask(asked, [handball], {text: sure}).kind == kind
    assert ask(asked, [told], {told.window: "goalkeeper"}).kind == kind
    assert words(ask(understood("what do I play?"), [handball], {text: "handball"})) == ["handball"]


def test_a_date_is_asked_for_with_when(understanding: Understanding) -> None:
    soon = fact("my interview is in three days", "interview is in", "three days", times=[{"text": "in three days"}])
    reader = ScriptedReader({}, {"when's my interview?": {soon.window: "three days"}})
    asked = understood("what's the date of my interview?")
    found = answer(reader, understanding, asked.text, asked, [soon])
    assert (found.kind, words(found)) == ("when", ["three days"])


def test_what_was_erased_is_no_answer(ask: Asker) -> None:
    gift = fact(f"getting gran a {FORGOTTEN} for her 80th", "getting gran", "80th")
    asked = understood("what am I getting gran?")
    assert ask(asked, [gift], {gift.window: reading(gift.window, f"a {FORGOTTEN}")}).kind == "nothing"


@pytest.mark.parametrize(
    ("question", "subject", "known"),
    [
        ("What does Sylvie teach?", "Sylvie", False),
        ("What does Joanna teach?", "Joanna", True),
        ("what does the teacher teach?", "the teacher", True),
        ("Teacher's subject?", "Teacher", True),
        ("WHAT DOES THE TEACHER TEACH?", "THE TEACHER", True),
    ],
)
def test_what_is_told_of_another_name_is_no_answer(ask: Asker, question: str, subject: str, known: bool) -> None:
    told = message("Joanna has chemistry", score=0.9)
    found = ask(understood(question, subject=subject), [told], {told.window: "chemistry"})
    assert (found.kind == "value") is known


def test_a_value_that_only_repeats_the_question_does_not_answer_it(ask: Asker) -> None:
    text = "I play badminton with Harriet"
    played, harriet = fact(text, "hobby", "badminton"), fact(text, "play badminton with", "Harriet")
    found = ask(understood("who do I play badminton with?"), [played, harriet], {text: "Harriet"})
    assert found.best.words == "Harriet"
    either = ask(understood("do I play badminton or golf?"), [played], {text: "badminton"})
    assert either.best.words == "badminton"


def test_neither_yes_nor_no_is_said_where_words_were_read_that_say_neither(ask: Asker) -> None:
    said = message("the plumber charges 70 an hour, he only takes cash")
    found = ask(understood("can I pay the plumber by card?", mode="yesno"), [said], {said.window: "only takes cash"})
    assert (found.kind, words(found)) == ("value", ["only takes cash"])


@pytest.mark.parametrize("kind", ["yes", "no"])
def test_yes_or_no_is_what_was_read(ask: Asker, kind: str) -> None:
    asked = understood("do I live in Porto?", mode="yesno", slot="home city")
    assert ask(asked, [PORTO], {PORTO.window: reading(PORTO.window, "Porto", kind)}).kind == kind


def test_when_and_why_keep_their_kind(ask: Asker) -> None:
    visit = fact("Ana visits me on Friday", "visit", "Friday")
    assert ask(understood("when is the visit?", mode="when"), [visit], {visit.window: "Friday"}).kind == "when"
    why = ask(understood("why do you say so?", mode="why"), [message("I like Porto"), PORTO], {})
    assert (why.kind, words(why)) == ("why", ["Porto"])


def test_leaning_on_the_question_before_raises_what_that_finds(understanding: Understanding) -> None:
    boiler = fact("Hartnell services the boiler", "boiler service", "Hartnell")
    car = fact("Brook services the car", "car service", "Brook")
    before, asked = "where is the boiler?", understood("and who services it?")
    unsure = {item.window: reading(item.window, item.value, "none") for item in (boiler, car)}
    reader = ScriptedReader(unsure, {f"{before} {asked.text}": {boiler.window: "Hartnell"}})
    alone = answer(reader, understanding, asked.text, asked, [boiler, car])
    leaning = answer(reader, understanding, asked.text, asked, [boiler, car], before)
    scores = [{item.evidence.value: item.score for item in found.judged} for found in (alone, leaning)]
    assert scores[1]["Hartnell"] > scores[0]["Hartnell"] and scores[1]["Brook"] == scores[0]["Brook"]
    assert leaning.best.words == "Hartnell"


# --- over two messages ------------------------------------------------------------------------------------------------


def test_an_answer_over_two_messages_is_that_of_the_second(ask: Asker) -> None:
    sister = fact("my sister is Ana", "sister", "Ana")
    oslo = fact("Ana lives in Oslo", "home city", "Oslo", "Ana")
    asked = understood("where does my sister live?", subject="my sister", slot="home city")
    found = ask(asked, [sister, oslo], {bridged(sister.text, oslo.window): "Oslo"})
    assert (found.kind, words(found), found.best.evidence) == ("value", ["Oslo"], oslo)


def test_who_is_meant_is_no_answer_where_what_is_said_of_them_is_found_more_surely(ask: Asker) -> None:
    link, target = fact("my sister is Ana", "sister", "Ana"), fact("Ana lives in Oslo", "home city", "Oslo", "Ana")
    asked = understood("where does my sister live?", subject="my sister")
    both = bridged(link.text, target.window)
    unsure = replace(reading(link.window, "Ana"), kinds={"none": 0.1, "span": 0.9, "yes": 0.0, "no": 0.0})
    assert words(ask(asked, [link, target], {link.window: unsure, both: "Oslo"}))[:1] == ["Oslo"]
    assert words(ask(asked, [link, target], {link.window: "Ana", both: "Oslo"}))[:1] == ["Ana"], "no surer than alone"


def test_with_nothing_but_a_link_the_question_is_followed_by_the_other_name(ask: Asker) -> None:
    asked = understood("where does my sister live?", subject="my sister")
    sister = fact("my sister is Ana", "sister", "Ana")
    assert ask(asked, [sister], {}).follow == "where does Ana live?"
    assert ask(asked, [PORTO], {}).follow is None


# --- what counts as evidence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        message("please forget where I live"),
        message("My dentist is Dr Soto. Forget who my old dentist was."),
        message("good morning to you"),
        message("where do I live?"),
        message("I live in Porto"),
        message(f"I live in {FORGOTTEN}"),
        message("You live in Leeds.", speaker="assistant"),
        message("I live in Leeds", outdated=True),
    ],
    ids=["forget", "told, then forget", "talk", "question", "already a fact", "forgotten", "reply", "outdated"],
)
def test_what_tells_nothing_new_is_no_evidence(understanding: Understanding, said: Evidence) -> None:
    assert telling(understanding, WHERE, [said, PORTO])[0] == [PORTO]


def test_a_request_to_forget_answers_nothing_however_it_reads(ask: Asker) -> None:
    said = message("please forget that I live in Leeds")
    assert ask(WHERE, [said], {said.window: "Leeds"}).kind == "nothing"


def test_messages_that_tell_something_are_evidence_with_how_likely_they_do(understanding: Understanding) -> None:
    said, outdated = message("my sister lives in Oslo", score=0.95), message("I live in Leeds", outdated=True)
    evidence, tells = telling(understanding, WHERE, [PORTO, outdated, said])
    assert evidence == [said, PORTO] and 0.5 < tells[said.text] <= 1.0
    past = understood("where did I live before?", mode="previous")
    assert outdated in telling(understanding, past, [PORTO, outdated, said])[0]


def test_the_best_of_many_hits_are_read(understanding: Understanding) -> None:
    facts = [fact(f"I was in Porto {n} times", "trip", "Porto", score=n / 100) for n in range(MOST_READ + 5)]
    assert telling(understanding, WHERE, facts)[0] == facts[: -MOST_READ - 1 : -1]
