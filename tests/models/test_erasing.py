"""What a request to forget takes along, and what it leaves; the readings are given."""

from __future__ import annotations

import pytest

from memagent.models.erasing import rank_for_erasure
from memagent.models.evidence import Evidence
from memagent.models.understanding import Understood
from tests.models.scripted_reading import ScriptedReader, fact, message, understood

BOTH = "my dentist is Dr Soto and my vet is Prisk"
DENTIST, VET = fact(BOTH, "dentist", "Dr Soto"), fact(BOTH, "vet", "Prisk")
PORTO = fact("I live in Porto", "home city", "Porto")
LEEDS = fact("I used to live in Leeds", "home city", "Leeds", current=False)
ANA = fact("my sister Ana lives in Oslo", "home city", "Oslo", "sister Ana")
ANA_JOB = fact("Ana is a nurse", "job", "nurse", "Ana")
FELIX = fact("Felix lives in Hull", "home city", "Hull", "Felix")


def erased(asked: Understood, facts: list[Evidence], context: str = "", **script: Evidence) -> list[Evidence]:
    """What goes where each word of the script is read in the window of its fact."""
    reader = ScriptedReader({item.window: words for words, item in script.items()})
    return rank_for_erasure(reader, asked, [asked.text], context, facts)


def test_the_neighbour_in_the_sentence_stays() -> None:
    asked = understood("forget who my vet is", "forget", slot="vet")
    assert erased(asked, [DENTIST, VET, PORTO], Prisk=VET) == [VET]


def test_what_was_said_is_all_that_the_sentence_told_of_the_same_one() -> None:
    text = "the Leeds team will be cut by six people in Q3 and Ana knows"
    six, quarter = fact(text, "cut by", "six", "Leeds team"), fact(text, "in", "Q3", "Leeds team")
    ana = fact(text, "knows", "knows", "Ana")
    asked = understood("please drop what I said about the Leeds cuts", "forget", subject="Leeds")
    assert set(map(id, erased(asked, [six, ana, quarter, PORTO], six=six))) == {id(six), id(quarter)}
    assert erased(asked, [six, ana, quarter, PORTO]) == []
    asked = understood("please drop what I said about my vet", "forget", slot="vet")
    assert erased(asked, [DENTIST, VET, PORTO], Prisk=VET) == [VET]


def test_a_pronoun_says_nothing_of_whom_it_is_about() -> None:
    telescope = fact("I am getting my husband a telescope", "gift bought", "telescope", "husband")
    asked = understood("quick, forget what I'm buying him", "forget", subject="him")
    assert erased(asked, [telescope, PORTO], telescope=telescope) == [telescope]


def test_of_two_that_are_as_sure_the_search_says_which_is_meant() -> None:
    cello = fact("Xiomara is on the cello", "instrument", "cello", "Xiomara", score=0.2)
    due = fact("Xiomara's expecting, due in August", "due in", "August", "Xiomara", score=0.6)
    asked = understood("forget about Xiomara's baby", "forget", subject="Xiomara's baby")
    assert erased(asked, [cello, due], cello=cello, August=due) == [due]


def test_what_was_read_decides_where_no_slot_is_known() -> None:
    asked = understood("forget who looks after my dog", "forget")
    assert erased(asked, [DENTIST, VET, PORTO], Prisk=VET) == [VET]


def test_the_same_slot_goes_along_and_another_as_sure_stays() -> None:
    asked = understood("forget where I live", "forget", slot="home city")
    hall = fact("I sing at Casa hall", "choir hall", "Casa")
    found = erased(asked, [LEEDS, hall, PORTO, DENTIST], Porto=PORTO, Leeds=LEEDS, Casa=hall)
    assert len(found) == 2 and PORTO in found and LEEDS in found


def test_a_value_in_the_request_is_meant() -> None:
    asked = understood("forget about Prisk", "forget", value="Prisk")
    assert erased(asked, [DENTIST, VET, PORTO]) == [VET]


@pytest.mark.parametrize("mode", ["value", "list"])
def test_of_a_list_only_what_the_request_names_goes(mode: str) -> None:
    text = "shopping list: oat milk, lentils and bin bags"
    items = [fact(text, "shopping list", value, single=False) for value in ("oat milk", "lentils", "bin bags")]
    asked = understood("take the lentils off my shopping list", "forget", mode=mode, slot="shopping list")
    assert erased(asked, items, lentils=items[1]) == [items[1]]
    everything = understood("clear my shopping list", "forget", mode=mode, slot="shopping list")
    assert len(erased(everything, items)) == 3


def test_everything_about_somebody_takes_all_of_theirs() -> None:
    asked = understood("forget everything about Ana", "forget", mode="list", subject="Ana")
    assert erased(asked, [PORTO, ANA, FELIX, ANA_JOB]) == [ANA, ANA_JOB]
    assert erased(asked, [PORTO, ANA, FELIX, ANA_JOB], Oslo=ANA) == [ANA, ANA_JOB]


def test_a_sentence_goes_that_is_meant_by_what_it_is_about() -> None:
    crush = fact("my crush is Emrys from the climbing wall", "from", "the climbing wall", "Emrys")
    asked = understood("forget who my crush is", "forget")
    assert erased(asked, [crush, PORTO], Emrys=crush) == [crush]


def test_in_doubt_nothing_goes() -> None:
    asked = understood("forget my shoe size", "forget")
    assert erased(asked, [DENTIST, VET, PORTO, ANA, FELIX]) == []
    assert erased(understood("forget it all", "forget", mode="list"), [PORTO, ANA, FELIX]) == []


def test_without_facts_there_is_nothing_to_forget() -> None:
    asked = understood("forget where I live", "forget", slot="home city")
    said = message("I live in Porto")
    assert erased(asked, []) == erased(asked, [said], Porto=said) == []


def test_forget_that_means_what_was_just_said() -> None:
    asked = understood("forget that", "forget")
    assert erased(asked, [PORTO, DENTIST, VET], f"{BOTH}.") == [DENTIST, VET]
    assert erased(asked, [PORTO, DENTIST, VET], "what a day") == []


def test_what_is_known_of_another_subject_stays() -> None:
    asked = understood("forget where Ana lives", "forget", subject="Ana", slot="home city")
    assert erased(asked, [FELIX, PORTO, ANA], Hull=FELIX, Porto=PORTO, Oslo=ANA) == [ANA]
    assert erased(asked, [FELIX, PORTO], Hull=FELIX, Porto=PORTO) == []


def test_a_subject_may_be_named_in_the_words_of_a_fact() -> None:
    asked = understood("forget when Ana visits", "forget", subject="Ana")
    visit = fact("I have Ana over on Friday", "visit", "Friday")
    assert erased(asked, [visit, PORTO], Friday=visit) == [visit]
