"""Two messages are read as one: who somebody is, and what was said of them; the answer is in the second."""

from __future__ import annotations

from collections.abc import Sequence

from memagent.models.bridging import MOST_LINKS, MOST_PAIRS, links, of_slot, pairs, read_pairs
from memagent.models.evidence import USER, Evidence, bridged
from memagent.models.reader import Answer
from tests.models.scripted_reading import ScriptedReader, fact, message, reading, understood

QUESTION = "where does my sister live?"
SISTER = fact("my sister is Ana", "sister", "Ana")
OSLO = fact("Ana lives in Oslo", "home city", "Oslo", "Ana")
FELIX = fact("Felix lives in Hull", "home city", "Hull", "Felix")


def read(link: Evidence, target: Evidence, words: str) -> list[tuple[Evidence, Answer]]:
    reader = ScriptedReader({bridged(link.text, target.window): words})
    return list(read_pairs(reader, QUESTION, [(link, target)]))


def paired(question: str, about: str, evidence: Sequence[Evidence]) -> list[tuple[Evidence, Evidence]]:
    return pairs(question, links(question, about, evidence), evidence)


def test_the_answer_is_given_in_the_characters_of_the_second_message() -> None:
    led = fact("she moved to Oslo", "home city", "Oslo", "Ana")
    assert led.window != led.text
    for target in (OSLO, led, message("Ana has a flat in Oslo")):
        ((item, found),) = read(SISTER, target, "Oslo")
        assert item == target
        assert target.window[found.start : found.end] == found.words == "Oslo"
        assert found.likelihood(found.start, found.end) > 0.9 > found.likelihood(0, found.start)
        assert found.probability > 0.9


def test_what_is_said_of_whom_is_meant_is_found_as_surely_as_who_that_is() -> None:
    for link, target in ((0.7, 0.2), (0.2, 0.7)):
        linking, far = Evidence({**SISTER.hit, "score": link}), Evidence({**OSLO.hit, "score": target})
        ((item, _),) = read(linking, far, "Oslo")
        assert item.score == 0.7 and item.value == "Oslo"


def test_an_answer_in_the_first_message_is_not_taken() -> None:
    assert read(SISTER, OSLO, "sister") == []
    assert list(read_pairs(ScriptedReader({}), QUESTION, [])) == []


def test_each_pair_is_read_for_itself() -> None:
    first, second = bridged(SISTER.text, OSLO.window), bridged(SISTER.text, FELIX.window)
    reader = ScriptedReader({first: "Oslo", second: reading(second, "Hull", "none")})
    (_, one), (_, other) = read_pairs(reader, QUESTION, [(SISTER, OSLO), (SISTER, FELIX)])
    assert one.probability > 0.5 > other.probability


def test_a_link_has_the_words_of_the_subject() -> None:
    evidence = [OSLO, SISTER, FELIX, message("my sister called again", score=0.5)]
    assert links(QUESTION, "sister", evidence) == [SISTER, evidence[3]]
    assert links(QUESTION, "brother", evidence) == []


def test_where_the_question_is_about_the_person_a_link_has_long_words_of_the_question() -> None:
    told = [message("the gym is the one on Elm Road"), message("I do as I like"), message("my trainer is Ana")]
    assert links("what does my trainer do?", USER, told) == [told[2]]


def test_there_are_few_links_the_best_first_and_each_text_once() -> None:
    told = [message(f"my sister is Ana {n}", score=n / 10) for n in range(MOST_LINKS + 3)]
    assert links(QUESTION, "sister", [*told, *told]) == told[: -MOST_LINKS - 1 : -1]


def test_a_pair_takes_up_a_name_of_the_link() -> None:
    evidence = [SISTER, FELIX, OSLO, message("Ana is never at home", score=0.5), message("what a day")]
    assert paired(QUESTION, "sister", evidence) == [(SISTER, OSLO), (SISTER, evidence[3])]
    assert paired(QUESTION, "brother", evidence) == []


def test_one_word_of_a_value_is_no_name() -> None:
    wren = fact("my daughter is in year 4", "school year", "year 4", "daughter")
    teacher = fact("my son's teacher this year is Prisk", "teacher", "Prisk", "son")
    assert paired("who's my daughter's teacher?", "daughter", [wren, teacher]) == []
    fair = fact("the year 4 teacher is Lund", "teacher", "Lund")
    assert paired("who's my daughter's teacher?", "daughter", [wren, fair]) == [(wren, fair)]


def test_what_holds_no_more_is_not_taken_up() -> None:
    assert (
        paired(QUESTION, "sister", [SISTER, fact("Ana lives in Hull", "home city", "Hull", "Ana", current=False)]) == []
    )


def test_there_are_few_pairs_and_the_likeliest_first() -> None:
    told = [message(f"Ana was in town {n}", score=n / 100) for n in range(MOST_PAIRS * 2)]
    found = paired(QUESTION, "sister", [SISTER, *told])
    assert [target for _, target in found] == told[: -MOST_PAIRS - 1 : -1]
    assert all(link == SISTER for link, _ in found)


def test_the_fact_of_the_slot_asked_for_is_that_of_whom_the_best_answer_names() -> None:
    relief = fact("the one who takes over from me is Callum", "takes over", "Callum")
    car = fact("Callum's got himself a Fiat Panda", "car model", "Fiat Panda", "Callum")
    hers = fact("Ana drives a Yaris", "car model", "Yaris", "Ana")
    asked = understood("what car does the one who takes over from me have?", slot="car model")
    assert of_slot(asked, relief, "Callum", [relief, hers, car]) == car
    assert of_slot(asked, relief, "Bruno", [relief, hers, car]) is None
    assert of_slot(asked, car, "Fiat Panda", [relief, hers, car]) is None
    assert of_slot(understood("who takes over from me?"), relief, "Callum", [relief, car]) is None
