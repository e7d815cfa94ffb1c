"""LoCoMo (Maharana et al. 2024, "Evaluating Very Long-Term Conversational Memory of LLM Agents"): its official file.

An array of samples; each has a `conversation` (`session_N` with its turns, `session_N_date_time`) and `qa`. An image
that a turn shares is its caption in brackets. Ids of evidence are repaired where they are malformed ("D8:6; D9:17",
"D:11:26", "D30:05"); what names no turn is left out, and a question without any is not counted in retrieval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memagent.errors import InputError
from memagent.evals.benchmarks.conversation import Case, Conversation, Question, Sitting, Turn
from memagent.evals.benchmarks.files import member, records, unique

HINT = "the format is that of locomo10.json in github.com/snap-research/LoCoMo"
CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
ADVERSARIAL = CATEGORIES[5]

_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_DATE = re.compile(r"\s*(\d{1,2}):(\d{2})\s*([ap])m\s+on\s+(\d{1,2})\s+([a-z]+),?\s+(\d{4})\s*", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def load(path: Path) -> Iterator[Case]:
    """One case a sample. Raises NotFoundError, and InputError naming the sample and what is wrong with it."""
    seen: set[str] = set()
    for place, sample in records(path):
        name = unique(seen, member(sample, "sample_id", str, place, HINT), "sample", place, HINT)
        where = f"{path}, sample {name}"
        conversation = _conversation(where, name, member(sample, "conversation", dict, where, HINT))
        turns = {turn.id for _, _, turn in conversation.turns()}
        yield Case(
            conversation,
            tuple(
                _question(f"{where}, question {number}", f"{name}:{number}", entry, turns, conversation)
                for number, entry in enumerate(member(sample, "qa", list, where, HINT), 1)
            ),
        )


def _conversation(place: str, name: str, data: Mapping[str, Any]) -> Conversation:
    numbers = sorted(
        int(key.removeprefix("session_")) for key in data if re.fullmatch(r"session_\d+", key) and data[key]
    )
    if not numbers:
        raise InputError(f"{place} has no sessions", HINT)
    seen: set[str] = set()
    sittings = []
    for number in numbers:
        where = f"{place}, session_{number}"
        date = _date(member(data, f"session_{number}_date_time", str, place, HINT), where)
        turns = member(data, f"session_{number}", list, place, HINT)
        said = (_turn(where, turn, seen) for turn in turns)
        sittings.append(Sitting(f"S{number}", date, tuple(turn for turn in said if turn.text.strip())))
    return Conversation(name, tuple(sittings))


def _turn(place: str, data: Any, seen: set[str]) -> Turn:
    identity = unique(seen, member(data, "dia_id", str, place, HINT), "turn", place, HINT)
    text = member(data, "text", str, f"{place}, turn {identity}", HINT)
    caption = data.get("blip_caption")
    if caption:
        text = f"{text} [shares {caption}]".strip()
    return Turn(identity, text, member(data, "speaker", str, f"{place}, turn {identity}", HINT))


def _date(text: str, place: str) -> datetime:
    """ "1:56 pm on 8 May, 2023"."""
    match = _DATE.fullmatch(text)
    month = match[5][:3].lower() if match else ""
    if match is None or month not in _MONTHS:
        raise InputError(f"{place}: the date {ascii(text)[:40]} is not like '1:56 pm on 8 May, 2023'", HINT)
    hour = int(match[1]) % 12 + 12 * (match[3].lower() == "p")
    try:
        return datetime(int(match[6]), _MONTHS.index(month) + 1, int(match[4]), hour, int(match[2]), tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{place}: the date {ascii(text)[:40]} does not exist: {error}", HINT) from None


def _question(place: str, identity: str, data: Any, turns: set[str], conversation: Conversation) -> Question:
    number = member(data, "category", int, place, HINT)
    if number not in CATEGORIES:
        raise InputError(f"{place}: there is no category {number}", HINT)
    answer = data.get("answer")
    adversarial = CATEGORIES[number] == ADVERSARIAL
    if answer is None and not adversarial:
        raise InputError(f"{place} has no 'answer'", HINT)
    evidence = evidence_ids(data.get("evidence") or (), turns)
    sittings = {turn.id: sitting.id for sitting, _, turn in conversation.turns()}
    return Question(
        identity,
        member(data, "question", str, place, HINT),
        () if adversarial else (str(answer),),
        CATEGORIES[number],
        evidence,
        tuple(dict.fromkeys(sittings[turn] for turn in evidence)),
        conversation.end,
        answerable=not adversarial,
        trap=str(data.get("adversarial_answer", "")),
    )


def evidence_ids(given: Sequence[object], turns: set[str]) -> tuple[str, ...]:
    """The turns that `given` names, repaired, each once; without those that do not exist."""
    found = [f"D{int(a)}:{int(b)}" for item in given for a, b in _EVIDENCE.findall(str(item))]
    return tuple(identity for identity in dict.fromkeys(found) if identity in turns)
