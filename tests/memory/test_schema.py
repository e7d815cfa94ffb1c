"""The schema as it is shown beside the SQL editor."""

from __future__ import annotations

from memagent.memory.schema import relations
from memagent.memory.sql import VIEWS, read_only_query
from memagent.memory.store import MemoryStore


def test_views_come_first_and_all_names_can_be_queried(store: MemoryStore) -> None:
    found = relations(store.database)
    assert tuple(item.name for item in found[:4] if item.view) == VIEWS
    names = [item.name for item in found]
    assert {"facts", "messages", "fact_words"} <= set(names)
    assert not {"fact_words_data", "alembic_version"} & set(names)
    for item in found:
        result = read_only_query(store.url, f"select * from {item.name} limit 0", space=None)
        assert result.columns == tuple(name for name, _ in item.columns)


def test_columns_tell_their_type(store: MemoryStore) -> None:
    facts = next(item for item in relations(store.database) if item.name == "facts")
    assert dict(facts.columns)["value"] == "text" and dict(facts.columns)["confidence"] == "float"


def test_letters_outside_ascii_are_found_in_either_case(store: MemoryStore) -> None:
    session = store.start_session(title="Ärger mit Éva")
    store.add_message(session.id, "user", "ПРИВЕТ")
    for text in ("ärger", "ÉVA", "привет"):
        assert [found.id for found in store.sessions(search=text)] == [session.id]
    assert store.sessions(search="ø") == []
