"""Small files in the formats of the benchmarks, made up for these tests."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

LOCOMO: list[dict[str, Any]] = [
    {
        "sample_id": "talk-1",
        "conversation": {
            "speaker_a": "Odile",
            "speaker_b": "Bram",
            "session_1_date_time": "7:15 pm on 3 March, 2023",
            "session_1": [
                {"speaker": "Odile", "dia_id": "D1:1", "text": "Hi Bram! How was the week?"},
                {"speaker": "Bram", "dia_id": "D1:2", "text": "Long. I sold the sailing boat last Friday."},
                {"speaker": "Odile", "dia_id": "D1:3", "text": "I adopted a greyhound called Pistachio yesterday."},
                {
                    "speaker": "Bram",
                    "dia_id": "D1:4",
                    "text": "Look at my new tent!",
                    "blip_caption": "a photo of an orange tent by a lake",
                },
            ],
            "session_2_date_time": "12:05 am on 20 June, 2023",
            "session_2": [
                {"speaker": "Bram", "dia_id": "D2:1", "text": "I started playing the accordion in a band."},
                {"speaker": "Odile", "dia_id": "D2:2", "text": "Lovely! I planted forty tulips behind the house."},
                {"speaker": "Bram", "dia_id": "D2:3", "text": "We visited Lisbon and Porto with the band."},
            ],
            "session_3_date_time": "9:30 am on 21 June, 2023",
            "session_3": [],
        },
        "qa": [
            {"question": "What did Bram sell?", "answer": "the sailing boat", "evidence": ["D1:2"], "category": 4},
            {"question": "When did Bram sell his boat?", "answer": "The Friday before 3 March 2023",
             "evidence": ["D1:2"], "category": 2},
            {"question": "Which cities has Bram visited?", "answer": "Lisbon, Porto",
             "evidence": ["D2:3; D1:4", "D9:9"], "category": 1},
            {"question": "Would Odile enjoy a dog park?", "answer": "Yes; she has a greyhound", "evidence": [],
             "category": 3},
            {"question": "What instrument does Odile play?", "adversarial_answer": "the accordion",
             "evidence": ["D:2:01"], "category": 5},
        ],
    }
]  # fmt: skip

LONGMEMEVAL: list[dict[str, Any]] = [
    {
        "question_id": "q-one",
        "question_type": "single-session-user",
        "question": "How many tulips did I plant?",
        "question_date": "2023/06/24 (Sat) 03:58",
        "answer": 40,
        "answer_session_ids": ["answer_garden"],
        "haystack_dates": ["2023/05/23 (Tue) 14:12", "2023/04/26 (Wed) 11:05", "2023/05/30 (Tue) 08:00"],
        "haystack_session_ids": ["answer_garden", "s-bread", "s-car"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I planted forty tulips behind the house.", "has_answer": True},
                {"role": "assistant", "content": "Tulips like sun."},
                {"role": "user", "content": "  "},
                {"role": "user", "content": "When should I water them?", "has_answer": False},
            ],
            [
                {"role": "user", "content": "My sourdough bread never rises."},
                {"role": "assistant", "content": "Feed the starter twice a day."},
            ],
            [
                {"role": "user", "content": "The car needs new tyres before winter."},
                {"role": "assistant", "content": "All-season tyres may do."},
            ],
        ],
    },
    {
        "question_id": "q-two_abs",
        "question_type": "single-session-user",
        "question": "What is the name of my parrot?",
        "question_date": "2023/06/24 (Sat) 03:58",
        "answer": "You did not mention a parrot.",
        "answer_session_ids": ["answer_cat"],
        "haystack_dates": ["2023/05/23 (Tue) 14:12", "2023/05/24 (Wed) 10:00"],
        "haystack_session_ids": ["answer_cat", "s-rain"],
        "haystack_sessions": [
            [{"role": "user", "content": "My cat is called Fig.", "has_answer": True}],
            [{"role": "user", "content": "It rained all week."}],
        ],
    },
]

QUESTIONS: list[dict[str, Any]] = [
    {
        "conversation": "anna",
        "session": "s1",
        "date": "2026-03-02T09:00",
        "turns": [
            {"id": "boat", "speaker": "Anna", "text": "We sold the boat yesterday."},
            "And we bought a canoe from Hartnell.",
            {"text": "A canoe is easier to carry.", "role": "assistant"},
        ],
    },
    {"conversation": "anna", "question": "What did we buy?", "answer": ["a canoe", "canoe"], "evidence": ["t2"],
     "category": "things", "id": "bought"},
    {"conversation": "anna", "question": "What is the name of our cat?", "answer": None},
]  # fmt: skip


def locomo_sample() -> dict[str, Any]:
    """A sample to be changed."""
    return copy.deepcopy(LOCOMO[0])


def longmemeval_sample() -> dict[str, Any]:
    return copy.deepcopy(LONGMEMEVAL[0])


def write_json(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def write_lines(path: Path, data: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in data), encoding="utf-8")
    return path
