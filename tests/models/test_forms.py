"""What answers must look like, by the form of the question."""

from __future__ import annotations

import pytest

from memagent.models.forms import fits


@pytest.mark.parametrize(
    ("question", "words", "can"),
    [
        ("what's the caretaker's e-mail address?", "0417 55 902", False),
        ("what's the caretaker's email address?", "kurt@haus.example", True),
        ("what's Kurt's phone number?", "kurt@haus.example", False),
        ("what's Kurt's phone number?", "0417 55 902", True),
        ("and what's his name?", "5502", False),
        ("and what's his name?", "R2D2", True),
        ("and what's the name of the dentist?", "5502", False),
        ("what is my sister's baby called again?", "5502", False),
        ("what's the code for the flat in my name?", "5502", True),
        ("what's the code for the app called Strava?", "5502", True),
        ("what time do you get home?", "after the school run", True),
        ("who do I ring?", "Mr 5502", True),
        ("who do I ring?", "5502", False),
        ("who came first, Mia or Tom?", "3:41", True),
        ("whose is it?", "£40", False),
        ("where do I park?", "7 pm", False),
        ("where's my locker, the number I mean?", "214", True),
        ("where do I park?", "bay 7", True),
        ("how much did the sofa cost?", "Dr Vasquez", False),
        ("how much did the sofa cost?", "a fiver", True),
        ("what sum did they award us?", "our grant application", False),
        ("how many eggs do I need?", "the oven", False),
        ("how many eggs do I need?", "a couple", True),
        ("what's Gran's postcode?", "Flat 27", False),
        ("what's Gran's postcode?", "LS6 2QT", True),
        ("when does it close?", "Mr Fennimore", False),
        ("when does it close?", "at lunchtime", True),
        ("when I ring my nan, what do we speak?", "Portuguese", True),
        ("which day is choir?", "St Mary's", False),
        ("which day is choir?", "tues", True),
        ("how old is Ida?", "a baker", False),
        ("how old is Ida?", "twenty-six", True),
        ("how old is the kitten?", "a few months", True),
        ("what time does it open?", "Elm Road", False),
        ("what time does it open?", "half seven", True),
        ("what time of year is it?", "autumn", True),
        ("where is it?", "Elm Road", True),
    ],
)
def test_an_answer_has_the_form_that_is_asked_for(question: str, words: str, can: bool) -> None:
    assert fits(question, words) is can
