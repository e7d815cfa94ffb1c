"""A store with two spaces, for the tests of read-only SQL on both databases."""

from __future__ import annotations

from memagent.memory.database import Database
from memagent.memory.tables import facts, messages, operations, sessions, spaces

AT = "2026-03-02T09:00:00.000000Z"
SECRET = "the other space's secret"


def fill(url: str, many: int = 0) -> None:
    """Migrate the database at `url` and put one fact, message and operation in each of the spaces `home` and `work`."""
    database = Database(url)
    try:
        database.migrate()
        with database.write() as connection:
            for number, (name, value) in enumerate((("home", "Hartnell"), ("work", SECRET)), 1):
                connection.execute(spaces.insert().values(id=number, name=name, created_at=AT))
                connection.execute(
                    sessions.insert().values(id=number, space_id=number, title="t", model="m", started_at=AT)
                )
                connection.execute(messages.insert().values(_message(number, number, 1, f"it is {value}")))
                connection.execute(facts.insert().values(_fact(number, number, value)))
                connection.execute(
                    operations.insert().values(
                        space_id=number, name="add", asked_by="user", arguments={"value": value}, created_at=AT
                    )
                )
            for number in range(many):
                connection.execute(messages.insert().values(_message(10 + number, 1, 10 + number, f"message {number}")))
    finally:
        database.close()


def _message(number: int, space: int, position: int, content: str) -> dict[str, object]:
    return {
        "id": number,
        "session_id": space,
        "space_id": space,
        "position": position,
        "role": "user",
        "speaker": "",
        "content": content,
        "tokens": 3,
        "created_at": AT,
    }


def _fact(number: int, space: int, value: str) -> dict[str, object]:
    return {
        "id": number,
        "space_id": space,
        "kind": "fact",
        "subject": "boiler",
        "attribute": "service",
        "value": value,
        "text": value,
        "slot": "boiler service",
        "claim_hash": str(number) * 64,
        "recorded_at": AT,
        "confidence": 1.0,
        "trust": "user",
        "times_told": 1,
        "pinned": False,
    }
