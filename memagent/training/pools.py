"""Pools of values: names and nouns from `packs/pools.yaml`, numbers, codes and times made here from a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import yaml

SIZE = 400
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "jan",
    "feb",
    "march",
    "apr",
    "june",
    "july",
    "aug",
    "sept",
    "oct",
    "nov",
    "dec",
]
DAYS = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "mon",
    "tues",
    "weds",
    "thurs",
    "fri",
    "sat",
]
SPOKEN = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fifteen",
    "twenty",
    "thirty",
    "forty",
]


def _date(rng: random.Random) -> str:
    day, month = rng.randint(1, 28), rng.choice(MONTHS)
    suffix = "th" if 4 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    forms = [
        f"{day} {month}",
        f"{month} {day}",
        f"the {day}{suffix} of {month}",
        f"{month} {day}{suffix}",
        f"{day}{suffix} {month}",
    ]
    forms += [f"{day} {month} {rng.randint(1950, 2027)}", f"{day:02}/{rng.randint(1, 12):02}/{rng.randint(1990, 2027)}"]
    forms += [f"{rng.randint(2019, 2027)}-{rng.randint(1, 12):02}-{day:02}", f"the {day}{suffix}"]
    return rng.choice(forms)


def _clock(rng: random.Random) -> str:
    hour = rng.randint(1, 12)
    forms = [
        f"{rng.randint(0, 23)}:{rng.choice(range(0, 60, 5)):02}",
        f"half past {rng.choice(SPOKEN[:12])}",
        f"{hour}pm",
        f"{hour} am",
    ]
    forms += [
        f"quarter to {rng.choice(SPOKEN[:12])}",
        f"{hour}.{rng.choice((15, 30, 45))}",
        f"{hour}:{rng.choice((10, 15, 30, 45))} pm",
        "noon",
        f"{hour} o'clock",
    ]
    return rng.choice(forms)


def _duration(rng: random.Random) -> str:
    unit = rng.choice(["minutes", "hours", "days", "weeks", "months", "years"])
    return rng.choice(
        [
            f"{rng.randint(2, 90)} {unit}",
            f"{rng.choice(SPOKEN[1:13])} {unit}",
            "half an hour",
            "an hour and a half",
            "a fortnight",
            "a year",
        ]
    )


def _money(rng: random.Random) -> str:
    amount = rng.choice([rng.randint(3, 99), rng.randint(100, 2500), rng.randint(3, 400) * 1000])
    cents = f"{rng.randint(1, 400)}.{rng.choice((20, 49, 50, 75, 95, 99))}"
    forms = [
        f"£{amount}",
        f"${amount}",
        f"{amount} euros",
        f"{amount} quid",
        f"€{cents}",
        f"£{cents}",
        f"{amount} dollars",
        f"{amount:,} pounds",
    ]
    return rng.choice([*forms, f"{rng.randint(2, 90)}k"])


def _code(rng: random.Random) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"

    def run(alphabet: str, size: int) -> str:
        return "".join(rng.choice(alphabet) for _ in range(size))

    forms = [
        f"{run(letters, 2)}{run('0123456789', 2)} {run(letters, 3)}",
        f"{run(letters, 1)}{run('0123456789', 1)}-{run('0123456789', 3)}{run(letters, 1)}",
    ]
    forms += [
        run("0123456789", rng.randint(4, 8)),
        f"{run(letters, 3)}-{run('0123456789', 4)}",
        run(letters + "0123456789", 6),
        f"{run('0123456789', 4)}#",
    ]
    forms += [
        f"{run('0123456789', 3)}-{run('0123456789', 3)}",
        run(letters.lower() + "0123456789", 8),
        f"{run(letters, 2)} {run('0123456789', 6)}",
    ]
    return rng.choice(forms)


def _phone(rng: random.Random) -> str:
    def digits(size: int) -> str:
        return "".join(str(rng.randint(0, 9)) for _ in range(size))

    return rng.choice(
        [
            f"07{digits(3)} {digits(6)}",
            f"0{digits(3)} {digits(3)} {digits(4)}",
            f"+{rng.randint(30, 49)} {digits(3)} {digits(6)}",
            f"555-{digits(4)}",
            digits(9),
        ]
    )


def _weight(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{rng.randint(2, 120)} kg",
            f"{rng.randint(2, 120)}kg",
            f"{rng.randint(5, 16)} stone",
            f"{rng.randint(80, 240)} pounds",
            f"{rng.randint(2, 40)}.{rng.randint(1, 9)} kilos",
        ]
    )


def _length(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{rng.randint(20, 250)} cm",
            f"{rng.randint(1, 9)}.{rng.randint(10, 95)} m",
            f"{rng.randint(1, 9)} metres",
            f"{rng.randint(4, 6)} foot {rng.randint(1, 11)}",
            f"{rng.randint(4, 6)}'{rng.randint(1, 11)}",
            f"1m{rng.randint(50, 99)}",
        ]
    )


def _when(rng: random.Random) -> str:
    """A time phrase beside a statement."""
    unit = rng.choice(["days", "weeks", "months", "years"])
    forms = [
        "yesterday",
        "last night",
        "this morning",
        "today",
        "tomorrow",
        "last week",
        "next week",
        "last month",
        "next month",
        "last year",
    ]
    forms += [
        f"last {rng.choice(DAYS[:7])}",
        f"on {rng.choice(DAYS[:7])}",
        f"next {rng.choice(DAYS[:7])}",
        f"{rng.choice(SPOKEN[1:9])} {unit} ago",
        f"in {rng.choice(SPOKEN[1:9])} {unit}",
    ]
    forms += [
        f"on {_date(rng)}",
        f"in {rng.choice(MONTHS[:12])}",
        f"in {rng.randint(1985, 2026)}",
        f"since {rng.randint(1985, 2026)}",
        f"back in {rng.randint(1985, 2026)}",
        "the other day",
        f"{rng.choice(DAYS[:7])} at {_clock(rng)}",
    ]
    forms += [
        "this weekend",
        "a couple of weeks ago",
        "the day before yesterday",
        "at christmas",
        f"on the {rng.randint(4, 20)}th",
        "over the summer",
        f"since {rng.choice(MONTHS[:12])}",
    ]
    return rng.choice(forms)


MADE: dict[str, Callable[[random.Random], str]] = {
    "date": _date,
    "time_of_day": _clock,
    "duration": _duration,
    "money": _money,
    "code": _code,
    "phone": _phone,
    "weight": _weight,
    "length_m": _length,
    "when": _when,
    "weekday": lambda rng: rng.choice(DAYS),
    "datetime": lambda rng: (
        f"{rng.choice(DAYS)} at {_clock(rng)}" if rng.random() < 0.6 else f"{_date(rng)} at {_clock(rng)}"
    ),
    "year": lambda rng: str(rng.randint(1935, 2027)),
    "number_small": lambda rng: rng.choice([str(rng.randint(2, 20)), rng.choice(SPOKEN[1:13])]),
    "number_big": lambda rng: rng.choice(
        [str(rng.randint(21, 99999)), f"{rng.randint(1, 250)},{rng.randint(100, 999)}"]
    ),
    "age": lambda rng: rng.choice([str(rng.randint(1, 97)), rng.choice(SPOKEN), f"{rng.randint(2, 90)} years old"]),
    "pin": lambda rng: f"{rng.randint(0, 9999):04}",
    "size": lambda rng: rng.choice(
        [
            str(rng.randint(4, 52)),
            f"{rng.randint(4, 13)} and a half",
            "small",
            "medium",
            "large",
            "XL",
            "extra large",
            f"{rng.randint(34, 48)}R",
            f"size {rng.randint(4, 20)}",
        ]
    ),
    "temperature": lambda rng: rng.choice(
        [
            f"{rng.randint(-20, 240)} degrees",
            f"{rng.randint(5, 39)}°C",
            f"{rng.randint(15, 24)}.5 degrees",
            f"{rng.randint(300, 450)} F",
        ]
    ),
    "bus_line": lambda rng: rng.choice(
        [
            str(rng.randint(1, 399)),
            f"the {rng.randint(1, 99)}",
            f"{rng.choice('ABCNSUX')}{rng.randint(1, 20)}",
            f"line {rng.randint(1, 14)}",
        ]
    ),
}


def load_pools() -> dict[str, tuple[str, ...]]:
    """Every pool by name; made pools have up to SIZE values, always the same ones."""
    written = yaml.safe_load((Path(__file__).parent / "packs" / "pools.yaml").read_text(encoding="utf-8"))
    pools = {name: tuple(dict.fromkeys(map(str, values))) for name, values in written.items()}
    for name, make in MADE.items():
        rng = random.Random(f"pool:{name}")
        pools[name] = tuple(dict.fromkeys(make(rng) for _ in range(SIZE)))
    rng = random.Random("pool:compound")
    first, last = pools["person_name"], pools["surname"]
    plain_first = [name for name in first if name.isascii() and name.isalpha()]
    plain_last = [name for name in last if name.isascii() and name.isalpha()]
    pools["full_name"] = tuple(f"{rng.choice(first)} {rng.choice(last)}" for _ in range(SIZE))
    titles = ("Dr. ", "Dr ", "doctor ", "Mr ", "Mrs ")
    pools["doctor_name"] = tuple(f"{rng.choice(titles)}{rng.choice(last)}" for _ in range(SIZE))
    pools["email"] = tuple(
        f"{rng.choice(plain_first).lower()}.{rng.choice(plain_last).lower()}@{rng.choice(pools['mail_domain'])}"
        for _ in range(SIZE)
    )
    pools["street_address"] = tuple(f"{rng.randint(1, 240)} {rng.choice(pools['street'])}" for _ in range(SIZE))
    return pools
