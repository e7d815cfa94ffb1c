"""Seeded small talk: what two people say between the things that matter, to push those out of a context window.

The same seed gives the same talk. It names no person, place, number or date that a scenario could ask for, and nobody
in it says anything lasting about themselves.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """One thing said and the reply to it."""

    said: str
    reply: str


@dataclass(frozen=True)
class _Topic:
    """A way of talking: each part is picked anew, `{thing}` and `{aside}` stand for the topic's own words."""

    things: tuple[str, ...]
    asides: tuple[str, ...]
    openings: tuple[str, ...]
    bodies: tuple[str, ...]
    replies: tuple[str, ...]


_LEADS = (
    "",
    "",
    "",
    "honestly, ",
    "well, ",
    "anyway, ",
    "you know what, ",
    "funny thing: ",
    "so ",
    "not that it matters, but ",
    "I have to say, ",
    "right, ",
    "hm, ",
    "by the way, ",
)
_TAILS = (
    "",
    "",
    "",
    " Oh well.",
    " Anyway.",
    " That's about it.",
    " Could be worse.",
    " Who knows.",
    " Never mind.",
    " It made me laugh, at least.",
    " I'm not complaining.",
    " Small things, I suppose.",
    " What a day.",
)
_REPLY_TAILS = (
    "",
    "",
    " Sounds like it.",
    " I can picture it.",
    " Fair enough.",
    " That is how it goes.",
    " Tell me how it turns out.",
    " It happens to the best of us.",
    " There are worse ways to spend an hour.",
    " Enjoy the quiet while it lasts.",
)

_TOPICS = (
    _Topic(
        ("drizzle", "wind", "fog", "frost", "sunshine", "thunder", "sleet", "heat", "cloud", "hail"),
        ("all morning", "since breakfast", "on and off", "just when I stepped out", "for once", "right on cue"),
        ("there was {thing} {aside}.", "nothing but {thing} {aside}.", "we got {thing} {aside}, of course."),
        (
            "The forecast had promised something else entirely.",
            "I had left the umbrella by the door again.",
            "The pavement looked like a mirror.",
            "At least the washing was already in.",
            "The pigeons did not seem to mind.",
        ),
        ("The {thing} does as it likes.", "A good excuse to stay in.", "Forecasts and {thing} rarely agree."),
    ),
    _Topic(
        (
            "soup",
            "porridge",
            "a pancake",
            "an omelette",
            "a curry",
            "toast",
            "a salad",
            "goulash",
            "a stew",
            "rice pudding",
        ),
        (
            "too salty",
            "a bit burnt",
            "better than expected",
            "cold by the time I sat down",
            "gone in a minute",
            "rather bland",
        ),
        ("made {thing} just now and it was {aside}.", "lunch was {thing}, {aside}.", "tried {thing} again; {aside}."),
        (
            "I followed the recipe, more or less.",
            "The pan needs soaking now.",
            "It wanted a squeeze of lemon, I think.",
            "The smoke alarm kept its opinion to itself this time.",
            "There is enough left for tomorrow.",
        ),
        (
            "There is always next time for {thing}.",
            "A little butter forgives a lot.",
            "Practice is the best part of {thing}.",
        ),
    ),
    _Topic(
        (
            "the bus",
            "the lift",
            "the queue at the till",
            "the printer",
            "the traffic",
            "the escalator",
            "the ticket machine",
        ),
        (
            "took forever",
            "stopped half-way",
            "made a noise like a kettle",
            "was out of order",
            "moved at last",
            "tested my patience",
        ),
        (
            "{thing} {aside} today.",
            "{thing} {aside}, as if it knew I was late.",
            "would you believe it, {thing} {aside}.",
        ),
        (
            "Everybody looked at their shoes.",
            "Someone behind me hummed the whole time.",
            "I counted ceiling tiles to pass the time.",
            "In the end I took the stairs.",
            "A stranger and I exchanged a look.",
        ),
        ("I hope {thing} behaves tomorrow.", "Patience is a muscle, they say.", "At least you had time to think."),
    ),
    _Topic(
        ("film", "documentary", "quiz show", "detective series", "cartoon", "cooking show", "western", "match"),
        (
            "far too long",
            "surprisingly good",
            "a bit predictable",
            "impossible to follow",
            "lovely to look at",
            "mostly shouting",
        ),
        (
            "half watched a {thing}; it was {aside}.",
            "there was a {thing} on, {aside}.",
            "fell asleep during a {thing}, {aside}.",
        ),
        (
            "I guessed the ending in the first minutes.",
            "The music did most of the work.",
            "Nobody in it ever seems to finish a meal.",
            "I might give it another go.",
            "The remote had slipped behind the cushions.",
        ),
        ("A {thing} is as good a lullaby as any.", "The ending is rarely the point.", "One for a rainy evening, then."),
    ),
    _Topic(
        ("the fern", "the rosemary", "the basil", "the lawn", "the hedge", "the window box", "the ivy", "the cactus"),
        ("drooping", "doing well", "taking over", "looking thirsty", "full of surprises", "not what it was"),
        ("{thing} is {aside}.", "had a look at {thing}: {aside}.", "I think {thing} is {aside} again."),
        (
            "Perhaps it wants a bigger pot.",
            "I gave it some water and an encouraging word.",
            "There was a snail with great ambitions.",
            "The soil was as hard as a brick.",
            "A blackbird supervised the whole thing.",
        ),
        ("Plants keep their own counsel.", "Light usually explains more than water.", "Give {thing} a week."),
    ),
    _Topic(
        (
            "a sock",
            "the stapler",
            "a teaspoon",
            "the good pen",
            "the tape",
            "a button",
            "the bottle opener",
            "an umbrella",
        ),
        (
            "in the fridge",
            "under the sofa",
            "in my coat pocket",
            "exactly where I had looked first",
            "behind the radiator",
            "nowhere",
        ),
        (
            "spent ages looking for {thing}; it was {aside}.",
            "{thing} turned up {aside}.",
            "guess where {thing} was: {aside}.",
        ),
        (
            "I had blamed everyone but myself.",
            "Things walk about at night, I am sure of it.",
            "I found three other things I had given up on.",
            "I have tidied the drawer now, for a day or two.",
            "It must have been there for weeks.",
        ),
        (
            "Lost things enjoy the attention.",
            "The last place one looks, naturally.",
            "Drawers have a mind of their own.",
        ),
    ),
    _Topic(
        ("a song", "a jingle", "a waltz", "some march", "an old tune", "a chorus", "that whistling bit"),
        (
            "stuck in my head",
            "on the radio again",
            "coming through the wall",
            "going round and round",
            "in the supermarket",
        ),
        (
            "there was {thing} {aside}.",
            "woke up with {thing}, still {aside}.",
            "heard {thing}; {aside}, would you believe.",
        ),
        (
            "I only know half of the words.",
            "The other half I make up.",
            "It is not even a good one.",
            "I tapped along before I noticed.",
            "By the evening it will be gone.",
        ),
        ("The cure is another tune.", "Half of the words is plenty.", "It could have been a worse one."),
    ),
    _Topic(
        ("the inbox", "the laundry", "the washing-up", "the ironing", "the dust", "the paperwork", "the recycling"),
        ("piling up", "under control for once", "winning", "done at last", "waiting patiently", "worse than I thought"),
        ("{thing} is {aside}.", "made a start on {thing}; {aside}.", "looked at {thing} and it is {aside}."),
        (
            "I rewarded myself with a biscuit before I began.",
            "Then I sat down for a moment and that was that.",
            "A little music helps.",
            "It grows when nobody is watching.",
            "I will do the rest later, or not.",
        ),
        ("Beginning is most of it.", "It will still be there.", "A biscuit first is sound planning."),
    ),
    _Topic(
        (
            "the dog next door",
            "a squirrel",
            "a cat on the wall",
            "a very small spider",
            "a magpie",
            "a moth",
            "a fat bumblebee",
        ),
        (
            "stared at me",
            "made quite a fuss",
            "ran off with a crust",
            "refused to move",
            "put on a show",
            "ignored me completely",
        ),
        ("{thing} {aside} earlier.", "{thing} {aside} while I had my tea.", "just now {thing} {aside}."),
        (
            "I apologised, out of habit.",
            "We came to an understanding.",
            "I did not know where to look.",
            "It clearly had an appointment.",
            "I held the door open, to be polite.",
        ),
        (
            "Some visitors set their own terms.",
            "I would take that as a compliment.",
            "Every street has such a character.",
        ),
    ),
    _Topic(
        (
            "a nap",
            "a walk round the block",
            "a bath",
            "some stretching",
            "a crossword",
            "a jigsaw",
            "a bit of doodling",
        ),
        (
            "just what I needed",
            "harder than it sounds",
            "a mistake",
            "over too soon",
            "oddly satisfying",
            "not quite enough",
        ),
        ("had {thing}; it was {aside}.", "tried {thing} this afternoon, {aside}.", "{thing} was {aside}."),
        (
            "My knees had something to say about it.",
            "The kettle boiled in the middle of it.",
            "I lost all sense of time.",
            "Next time I shall begin earlier.",
            "I would do it again.",
        ),
        ("Rest is a skill, too.", "A little of that goes a long way.", "The kettle always knows when."),
    ),
)


def exchanges(seed: int) -> Iterator[Exchange]:
    """Small talk without end, the same for the same seed; no topic follows itself."""
    chance = random.Random(seed)
    topic = chance.choice(_TOPICS)
    while True:
        topic = chance.choice([other for other in _TOPICS if other is not topic])
        words = {"thing": chance.choice(topic.things), "aside": chance.choice(topic.asides)}
        opening = chance.choice(topic.openings).format(**words)
        lead = chance.choice(_LEADS)
        said = (lead + opening if lead else opening[0].upper() + opening[1:]) + " " + chance.choice(topic.bodies)
        reply = chance.choice(topic.replies).format(**words)
        said += chance.choice(_TAILS)
        reply += chance.choice(_REPLY_TAILS)
        yield Exchange(said[0].upper() + said[1:], reply[0].upper() + reply[1:])


def small_talk(seed: int, tokens: int, count: Callable[[str], int]) -> list[Exchange]:
    """Small talk of at least `tokens` tokens, and hardly more; `count` counts those of a text."""
    talk: list[Exchange] = []
    size = 0
    for exchange in exchanges(seed):
        if size >= tokens:
            break
        talk.append(exchange)
        size += count(exchange.said) + count(exchange.reply)
    return talk
