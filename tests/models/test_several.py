"""Lists, values that hold side by side, counts and amounts, where it is clear what was read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memagent.models.answers import Kind
from memagent.models.evidence import Evidence
from memagent.models.several import asks_for_several
from tests.models.asking import EARLIER, LATER, Asker, words
from tests.models.scripted_reading import fact, message, reading, understood

PORTO = fact("I live in Porto", "home city", "Porto")
WHERE = understood("where do I live?", slot="home city")


def test_a_list_takes_several_values_of_a_sentence_and_each_once(ask: Asker) -> None:
    told = "we need milk, oat biscuits and bin bags"
    values = ["milk", "oat biscuits", "bin bags"]
    facts = [fact(told, "shopping list", value, single=False, said_at=EARLIER) for value in values]
    again = fact("Milk is on the list", "shopping list", "Milk", single=False, said_at=LATER)
    script = {told: "milk, oat biscuits and bin bags", again.window: "Milk"}
    found = ask(understood("what do we need?", mode="list", slot="shopping list"), [*facts, again], script)
    assert found.kind == "values" and sorted(word.casefold() for word in words(found)) == sorted(values)


def test_what_is_on_a_list_is_there_however_it_reads(ask: Asker) -> None:
    told = [fact(f"{item} for the shop", "shopping list", item, single=False) for item in ("oat milk", "lentils")]
    other = fact("nails for the shed", "hardware list", "nails", single=False)
    asked = understood("what do I need from the shop?", mode="list", slot="shopping list")
    found = ask(asked, [*told, other], {told[0].window: "oat milk"})
    assert (found.kind, set(words(found))) == ("values", {"oat milk", "lentils"})


def test_a_question_that_picks_from_a_list_does_not_get_all_of_it(ask: Asker) -> None:
    text = "my kids are Theo and Mia, theo is allergic to eggs"
    kids = [fact(text, "my kids are", name, single=False, score=score) for name, score in (("Theo", 0.9), ("Mia", 0.1))]
    asked = understood("who is allergic to eggs?", mode="list", slot="allergy")
    found = ask(asked, kids, {text: "Theo"})
    assert words(found) == ["Theo"] and found.chance == found.best.score


def test_a_shorter_name_is_the_same_value(ask: Asker) -> None:
    long, short = message("my dentist is Dr Soto"), message("Soto did my teeth again")
    asked = understood("which dentists do I have?", mode="list")
    assert len(ask(asked, [long, short], {long.window: "Dr Soto", short.window: "Soto"}).candidates) == 1


def test_what_is_called_a_list_is_given_whole_whoever_it_is_about(ask: Asker) -> None:
    lamp = fact("packing for the hut walk: headtorch", "packing list", "headtorch", "hut walk", single=False)
    plugs = fact("more for the rucksack: earplugs", "packing list", "earplugs", single=False, said_at=LATER)
    asked = understood("what have I put in so far?", mode="list")
    assert words(ask(asked, [plugs, lamp], {plugs.window: "earplugs"})) == ["earplugs", "headtorch"]


def test_all_that_have_the_value_asked_about_are_given_though_one_reads_poorly(ask: Asker) -> None:
    barrow = fact("I've lent Valdemar my wheelbarrow", "borrower", "Valdemar", "wheelbarrow", said_at=EARLIER)
    ladder = fact("aaand Valdemar just took my stepladder", "borrower", "Valdemar", "stepladder", said_at=LATER)
    drill = fact("Philippa has the drill", "borrower", "Philippa", "drill", said_at=LATER)
    asked = understood("what things of mine does Valdemar have?", mode="list", subject="Valdemar")
    poor = replace(reading(ladder.window, "stepladder"), kinds={"none": 0.9, "span": 0.1, "yes": 0.0, "no": 0.0})
    found = ask(asked, [ladder, drill, barrow], {barrow.window: "wheelbarrow", ladder.window: poor})
    assert (found.kind, words(found)) == ("values", ["wheelbarrow", "stepladder"])


def test_who_has_the_value_asked_about_is_each_of_them(ask: Asker) -> None:
    both = [fact(f"{name} is on the warehouse project", "project", "warehouse", name) for name in ("Padma", "Gethin")]
    asked = understood("who's on the warehouse project with me?")
    found = ask(asked, both, {one.window: one.subject for one in both})
    assert (found.kind, set(words(found))) == ("values", {"Padma", "Gethin"})


def test_three_that_answer_as_well_are_all_given(ask: Asker) -> None:
    told = {f"{name} works on the warehouse project": name for name in ("Florian", "Padma", "Gethin")}
    found = ask(understood("who does the warehouse project?"), [message(text) for text in told], told)
    assert (found.kind, set(words(found))) == ("values", set(told.values()))


def curry(*values: str, text: str = "into the curry go chickpeas, spinach and tamarind") -> list[Evidence]:
    return [
        fact(text, "into the curry go", value, single=False, id=at, replaced=["spinach"])
        for at, value in enumerate(values, 1)
    ]


def test_members_of_one_enumeration_are_given_together(ask: Asker) -> None:
    told = curry("chickpeas", "tamarind")
    found = ask(understood("what goes in the curry?"), told, {told[0].window: "chickpeas"})
    assert (found.kind, set(words(found))) == ("values", {"chickpeas", "tamarind"})


def test_one_that_took_the_place_of_another_in_an_enumeration_is_of_it(ask: Asker) -> None:
    told = curry("chickpeas", "tamarind")
    (peas,) = curry("peas", text="into the curry go chickpeas, peas and tamarind")
    peas = Evidence({**peas.hit, "id": 9, "replaced": []})
    found = ask(understood("what goes in the curry?"), [*told, peas], {peas.window: "peas"})
    assert (found.kind, set(words(found))) == ("values", {"chickpeas", "tamarind", "peas"})


def test_a_member_that_has_gone_is_not_read_in_the_sentence_of_the_others(ask: Asker) -> None:
    told = curry("chickpeas", "tamarind")
    found = ask(understood("what goes in the curry?", mode="list"), told, {told[0].window: "spinach"})
    assert set(words(found)) == {"chickpeas", "tamarind"}


def test_a_question_for_one_thing_is_not_answered_by_a_list_beside_it(ask: Asker) -> None:
    dream = fact("Uzbekistan would be the dream", "dream", "Uzbekistan", score=0.9)
    done = [
        fact("ticked off: Albania and Georgia", "ticked off", name, single=False, id=at, score=0.5)
        for at, name in enumerate(("Albania", "Georgia"), 5)
    ]
    asked = understood("which country am I still dreaming of?")
    found = ask(asked, [dream, *done], {dream.window: "Uzbekistan", done[0].window: "Albania"})
    assert "Georgia" not in words(found)


def test_what_only_seems_to_ask_for_a_difference_is_answered_with_the_value(ask: Asker) -> None:
    dose = fact("it is 60 mg furosemide from today", "dose", "60 mg")
    asked = understood("how many milligrams must he give her?", mode="difference")
    assert ask(asked, [dose], {dose.window: "60 mg"}).kind == "value"


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("what documents do I need for the permit?", True),
        ("which towns are we playing then?", True),
        ("what board games have we got", True),
        ("who are our witnesses in the Kettering case?", True),
        ("what are my sisters called?", True),
        ("who is our witness?", False),
        ("what size skates do I wear?", False),
        ("what time does the bus go?", False),
        ("what does my sister do?", False),
        ("which bus do I take?", False),
        ("what address have I got for Ana?", False),
        ("what day is chess?", False),
    ],
)
def test_the_form_of_a_question_says_that_several_are_asked_for(question: str, several: bool) -> None:
    assert asks_for_several(question) == several


def test_what_is_counted_is_in_the_order_in_which_it_was_told(ask: Asker) -> None:
    miso = message("I have a cat called Miso", said_at=EARLIER)
    nori = message("I have another cat, called Nori", said_at=LATER)
    asked = understood("how many cats do I have?", mode="count")
    found = ask(asked, [nori, miso], {miso.window: "Miso", nori.window: "Nori"})
    assert (found.kind, words(found)) == ("count", ["Miso", "Nori"])


def test_a_number_that_was_told_is_not_counted_itself(ask: Asker) -> None:
    rooms = fact("seven rooms to paper before easter", "rooms to paper", "seven", said_at=EARLIER)
    asked = understood("how many rooms do I have to paper?", mode="count")
    found = ask(asked, [rooms], {rooms.window: "seven"})
    assert (found.kind, words(found)) == ("value", ["seven"])
    milk = fact("two pints of milk on the list", "shopping list", "two pints of milk", single=False)
    asked = understood("how many things are on the shopping list?", mode="count", slot="shopping list")
    assert ask(asked, [milk], {milk.window: "two pints of milk"}).kind == "count"


@pytest.mark.parametrize(
    ("told", "value", "kept"),
    [
        ("they have changed the till code, 5127 it is now", "5127", "5127"),
        ("the stockroom door has the code 5127", "5127", "3360"),
    ],
)
def test_a_poorer_answer_that_takes_the_place_of_the_best_one_is_given(
    ask: Asker, told: str, value: str, kept: str
) -> None:
    old = message("till code at the shop is 3360", said_at=EARLIER, score=0.9)
    new = message(told, said_at=LATER, score=0.02)
    found = ask(understood("what is the till code?"), [old, new], {old.window: "3360", new.window: value})
    assert found.judged[0].score > found.judged[1].score + 0.2
    assert found.best.words == kept


def test_values_that_hold_side_by_side_are_all_said(ask: Asker) -> None:
    tea = fact("I like green tea", "favourite drink", "green tea", single=False, said_at=EARLIER)
    cocoa = fact("I like cocoa too", "favourite drink", "cocoa", single=False, said_at=LATER)
    asked = understood("what do I like to drink?", slot="favourite drink")
    found = ask(asked, [cocoa, tea], {tea.window: "green tea", cocoa.window: "cocoa"})
    assert (found.kind, words(found)) == ("values", ["green tea", "cocoa"])


@pytest.mark.parametrize(
    ("mode", "question"), [("sum", "what about the price of both?"), ("difference", "how much more were the boots?")]
)
def test_amounts_are_found_for_a_calculation(ask: Asker, mode: str, question: str) -> None:
    boots, coat = message("the boots cost £189", said_at=EARLIER), message("the coat cost £108", said_at=LATER)
    dog = message("the dog is called Rufus", score=0.1)
    asked = understood(question, mode=mode)
    found = ask(asked, [coat, dog, boots], {boots.window: "£189", coat.window: "£108"})
    assert (found.kind, words(found)) == (mode, ["£189", "£108"])


def test_amounts_of_what_is_not_named_stay_out_of_a_sum(ask: Asker) -> None:
    gym = fact("gym is 30", "price", "30", "gym", said_at=EARLIER)
    netflix = fact("netflix is 12", "price", "12", "netflix", said_at=LATER)
    code = fact("boiler code is 4471", "code", "4471", "boiler")
    script = {gym.window: "30", netflix.window: "12", code.window: "4471"}
    named = ask(understood("how much do gym and netflix cost together?", mode="sum"), [code, gym, netflix], script)
    assert (named.kind, words(named)) == ("sum", ["30", "12"])
    whole = ask(understood("what does everything come to?", mode="sum"), [code, gym, netflix], script)
    assert sorted(words(whole)) == ["12", "30", "4471"]


def test_a_difference_is_between_what_held_and_what_holds(ask: Asker) -> None:
    old = fact("i weighed 98 kilos at new year", "weight", "98 kilos", current=False, said_at=EARLIER)
    new = fact("i weighed 91 kilos at new year", "weight", "91 kilos", said_at=LATER)
    said = message("i weigh 91 kilos now", said_at=LATER)
    script = {old.window: "98 kilos", new.window: "91 kilos", said.window: "91 kilos"}
    found = ask(understood("how much have i lost?", mode="difference"), [new, said, old], script)
    assert (found.kind, words(found)) == ("difference", ["98 kilos", "91 kilos"])


def test_a_message_that_told_a_fact_does_not_count_twice_in_a_sum(ask: Asker) -> None:
    rent = fact("my rent is 795", "rent", "795", said_at=EARLIER)
    gym, said = fact("the gym is 30", "gym", "30", said_at=LATER), message("rent has gone up to 795", said_at=LATER)
    script = {rent.window: "795", gym.window: "30", said.window: "795"}
    found = ask(understood("what do they come to?", mode="sum"), [said, gym, rent], script)
    assert (found.kind, words(found)) == ("sum", ["795", "30"])


@pytest.mark.parametrize(("mode", "kind"), [("sum", "value"), ("difference", "difference")])
def test_one_amount_is_no_sum_but_may_be_half_of_a_difference(ask: Asker, mode: str, kind: Kind) -> None:
    boots = message("the boots cost £189")
    found = ask(understood("what change is that from £200?", mode=mode), [boots], {boots.window: "£189"})
    assert (found.kind, words(found)) == (kind, ["£189"])
