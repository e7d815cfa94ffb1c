"""From typed text to full-text queries."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.memory.words import MAX_TERMS, all_of, content_words, fts_query, words

HOSTILE = [
    "what's my dog's name?",
    "C++",
    "foo-bar",
    '"',
    '""" OR *',
    "NEAR(",
    "NEAR(a b, 2)",
    "*",
    "AND OR NOT",
    "text: value",
    "{a b}: c",
    "^first",
    "a\0b",
    "user@example.com",
    "🦊🦊",
    "\ud800 half a character",
    "日本語の質問",
    "e\u0301te\u0301",
    "'; drop table facts; --",
    "",
    "   ",
    "x" * 10_000,
    "word " * 2_000,
]


@pytest.fixture(scope="module")
def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    tokenizer = "porter unicode61 remove_diacritics 2"
    connection.execute(f"create virtual table t using fts5(text, value, tokenize='{tokenizer}')")
    connection.execute("insert into t values ('my dogs are running in the summer', 'C and the été')")
    return connection


def found(connection: sqlite3.Connection, text: str) -> int:
    query = fts_query(text)
    return 0 if not query else int(connection.execute("select count(*) from t where t match ?", (query,)).fetchone()[0])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_a_valid_query(table: sqlite3.Connection, text: str) -> None:
    found(table, text)


@given(st.text(max_size=300))
def test_any_text_is_a_valid_query(text: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create virtual table t using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
        for query in (fts_query(text), all_of(content_words(text))):
            if query:
                connection.execute("select rowid, rank from t where t match ? order by rank", (query,)).fetchall()


@pytest.mark.parametrize(
    "text", ["What's my dog's name?", "DOG!", "run", "c++", "e\u0301te\u0301", "ETE", "(dogs) AND cats"]
)
def test_words_are_found_whatever_stands_around_them(table: sqlite3.Connection, text: str) -> None:
    assert found(table, text) == 1


def test_function_words_are_dropped() -> None:
    assert content_words("What is the name of my sister's dog?") == ["name", "sister", "dog"]
    assert content_words("when did I tell you about the boiler") == ["boiler"]


def test_a_query_of_function_words_alone_keeps_them() -> None:
    assert content_words("The Who") == ["the", "who"]


def test_words_repeat_once_and_are_bounded() -> None:
    assert content_words("tea TEA Tea") == ["tea"]
    assert len(content_words(" ".join(f"word{number}" for number in range(500)))) == MAX_TERMS
    assert len(words("a" * 100_000)[0]) < 10_000
