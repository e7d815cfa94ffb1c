"""The connection to the one SQL database: units of work, schema version, errors in our own words.

SQLite runs in WAL mode. Every unit that may write starts with BEGIN IMMEDIATE, because a busy timeout does not help a
transaction that begins by reading and then writes. On PostgreSQL a transaction-wide advisory lock gives the same
one-writer semantics. Each thread keeps one connection for reading and one for writing.
"""

from __future__ import annotations

import importlib.resources
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.pool import NullPool

import memagent
from memagent.errors import InputError, NotFoundError, StoreVersionError
from memagent.memory.failures import is_from_database, translate
from memagent.memory.statements import one, run

APPLICATION_ID = 0x6D656D61  # "mema", in the header of the SQLite file; on PostgreSQL the number of the writers' lock
SCHEMA_VERSION = "0002"  # the newest revision under migrations/; a test compares the two
KNOWN_VERSIONS = ("0001", SCHEMA_VERSION)
BUSY_SECONDS = 15.0
_BUSY_TIMEOUT_MS = 250  # SQLite's own waiting is unfair between writers: keep it short and retry with jitter
_CHECKPOINT_PAGES = 4000  # 16 MB: a checkpoint takes 10 ms or more, and a fact about 20 pages

Mode = Literal["read", "write"]


class _Kept(threading.local):
    """The connections of one thread, and whether a unit of work is open on them."""

    def __init__(self) -> None:
        self.connections: dict[Mode, Connection] = {}
        self.active: dict[Mode, bool] = {"read": False, "write": False}


class Database:
    """One database by URL (`sqlite:///path` or `postgresql://...`). Nothing is opened before the first unit of work.

    With `full_sync` SQLite also survives a power cut without losing the last commits (each then waits for the disk).
    With `create` False a missing SQLite file is a NotFoundError. Raises InputError for a URL it cannot use.
    """

    def __init__(self, url: str, *, full_sync: bool = False, create: bool = True, busy_seconds: float = BUSY_SECONDS):
        self.url = _parse(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database) if self.sqlite and self.url.database else None
        self.where = str(self.path) if self.path else self.url.render_as_string(hide_password=True)
        self.busy_seconds = busy_seconds
        self._full_sync = full_sync
        self._create = create
        self._kept = _Kept()
        self._all: WeakSet[Connection] = WeakSet()
        self._lock = threading.Lock()
        self.engine = self._engine()

    def _engine(self) -> Engine:
        arguments: dict[str, Any] = {"check_same_thread": False}
        if not self.sqlite:
            waits = f"-c lock_timeout={int(self.busy_seconds * 1000)} -c timezone=UTC"
            options = self.url.query.get("options", "")
            arguments = {"connect_timeout": 10, "options": f"{options} {waits}".strip()}
        try:
            engine = sqlalchemy.create_engine(self.url, poolclass=NullPool, connect_args=arguments)
        except ImportError as error:
            raise InputError(
                f"the driver for {self.url.drivername} is not installed", "run `pip install memagent[postgres]`"
            ) from error
        event.listen(engine, "connect", self._configure if self.sqlite else _configure_server)
        return engine

    def _configure(self, connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions behind our back
        connection.create_function("lower", 1, _lower, deterministic=True)  # SQLite's own knows ASCII only
        for pragma in (
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            f"synchronous = {'full' if self._full_sync else 'normal'}",
            "foreign_keys = on",
            "secure_delete = on",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    # --- units of work ----------------------------------------------------------------------------------------------

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of the database; within a `write` of the same thread it is that unit itself."""
        if self._kept.active["write"]:
            yield self._kept.connections["write"]
            return
        with self._unit("read") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One atomic, durable unit that may write. Nested calls of the same thread join the outer unit.

        Raises StoreBusyError when another process holds the database for longer than `busy_seconds`.
        """
        with self._unit("write") as connection:
            yield connection

    @contextmanager
    def _unit(self, mode: Mode) -> Iterator[Connection]:
        kept = self._kept
        if kept.active[mode]:
            yield kept.connections[mode]
            return
        try:
            connection = self._connection(mode)
            if self.sqlite:
                self._begin(connection, mode)
            kept.active[mode] = True
            try:
                with connection.begin():
                    if not self.sqlite:
                        self._begin_on_server(connection, mode)
                    yield connection
            finally:
                kept.active[mode] = False
        except Exception as error:
            self._drop_if_broken(mode)
            if not is_from_database(error):
                raise
            raise translate(error, self.where) from error

    def _begin(self, connection: Connection, mode: Mode) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        if mode == "read":
            driver.execute("BEGIN")
        else:
            self._patiently(lambda: driver.execute("BEGIN IMMEDIATE"))

    def _begin_on_server(self, connection: Connection, mode: Mode) -> None:
        if mode == "read":
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({APPLICATION_ID})")

    def _patiently(self, action: Callable[[], object]) -> None:
        """Run `action`, again while another process holds the SQLite file, for up to `busy_seconds`."""
        give_up = time.monotonic() + self.busy_seconds
        pause = 0.001
        while True:
            try:
                action()
                return
            except sqlite3.OperationalError as error:
                busy = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() >= give_up:
                    raise
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, 0.05)

    def _connection(self, mode: Mode) -> Connection:
        connection = self._kept.connections.get(mode)
        if connection is None or connection.closed:
            self._require_file()
            connection = self.engine.connect()
            self._kept.connections[mode] = connection
            with self._lock:
                self._all.add(connection)
        return connection

    def _require_file(self) -> None:
        if self.path is None or self.path.exists():
            return
        if not self._create:
            raise NotFoundError(f"there is no store at {self.path}", "start one with `memagent chat`, or check --store")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds a life: only for its owner
        except OSError as error:
            raise translate(error, str(self.path)) from error

    def _drop_if_broken(self, mode: Mode) -> None:
        """Forget a connection that the server has ended, so that the next unit opens a new one."""
        connection = self._kept.connections.get(mode)
        if connection is None or connection.closed or self.sqlite:
            return
        if connection.invalidated or getattr(connection.connection.driver_connection, "closed", False):
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Close the connections of all threads; no unit of work may be open."""
        with self._lock:
            for connection in list(self._all):
                connection.close()
            self._all.clear()
        self._kept = _Kept()
        self.engine.dispose()

    # --- schema -----------------------------------------------------------------------------------------------------

    def schema_version(self) -> str | None:
        """The revision of the schema; None where the database is still empty.

        Raises StoreVersionError for a database that another program made.
        """
        with self.read() as connection:
            names = _table_names(connection, self.sqlite)
            application = one(connection, "PRAGMA application_id") if self.sqlite else None
            mark = int(application[0]) if application else APPLICATION_ID
            if "alembic_version" in names and mark == APPLICATION_ID:
                row = one(connection, "select version_num from alembic_version")
                return str(row[0]) if row else None
            if names or mark not in (0, APPLICATION_ID):
                raise StoreVersionError(
                    f"{self.where} belongs to another program", "choose another file or an empty database with --store"
                )
            return None

    def migrate(self) -> bool:
        """Bring the schema to this program's version; True when something had to be done.

        Safe when several processes start at once. Raises StoreVersionError for a database of a newer memagent.
        """
        if self._is_current(self.schema_version()):
            return False
        if not self._create and self.schema_version() is None:
            raise NotFoundError(f"{self.where} holds no memory yet", "start one with `memagent chat`")
        if self.sqlite:
            connection = self._connection("write").connection.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            try:
                self._patiently(lambda: connection.execute("PRAGMA journal_mode = wal"))
            except sqlite3.Error as error:
                raise translate(error, self.where) from error
        with self.write() as unit:
            if not self._is_current(self.schema_version()):
                _upgrade(unit)
        return True

    def _is_current(self, version: str | None) -> bool:
        if version is not None and version not in KNOWN_VERSIONS:
            raise StoreVersionError(
                f"{self.where} was made by a newer memagent (schema {version}, known here up to {SCHEMA_VERSION})",
                "run `pip install --upgrade memagent`",
            )
        return version == SCHEMA_VERSION

    # --- care of the SQLite file ------------------------------------------------------------------------------------

    def pragma(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement that SQLite refuses inside a transaction (VACUUM, a checkpoint); the rows it gave."""
        try:
            driver = self._connection("write").connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            result: list[tuple[Any, ...]] = []
            self._patiently(lambda: result.extend(driver.execute(statement).fetchall()))
            return result
        except sqlite3.Error as error:
            raise translate(error, self.where) from error

    def truncate_log(self) -> bool:
        """Move the write-ahead log into the database file and cut it to nothing; False while a reader prevents it."""
        busy = self.pragma("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] if self.sqlite else 0
        return busy == 0

    def vacuum_server(self) -> None:
        """Have PostgreSQL remove the dead rows of the tables that hold text, or what was made of it."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("facts", "fact_sources", "messages", "chunks", "operations", "vectors", "token_states"):
                connection.exec_driver_sql(f"VACUUM {table}")


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _configure_server(connection: Any, record: object) -> None:
    from psycopg.types.numeric import FloatLoader

    connection.adapters.register_loader("numeric", FloatLoader)  # `select 1.0` is a float, as on SQLite


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except sqlalchemy.exc.ArgumentError:
        raise InputError(
            f"{text!r} is not the URL of a store", "write sqlite:///path/to/memory.db or postgresql://user@host/name"
        ) from None
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise InputError(f"a store cannot be a {backend} database", "use sqlite:///path or postgresql://user@host/name")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise InputError("a store in memory would be forgotten at the end", "give the path of a file: sqlite:///path")
    return url.set(drivername="sqlite+pysqlite")


def _table_names(connection: Connection, sqlite: bool) -> set[str]:
    sql = "select name from sqlite_master where type = 'table'"
    if not sqlite:
        sql = "select tablename from pg_tables where schemaname = current_schema()"
    return {str(row[0]) for row in run(connection, sql)}


def migrations_folder() -> Path:
    """The folder with Alembic's env.py: inside the wheel, or beside the package in a source tree."""
    try:
        folder = Path(str(importlib.resources.files("memagent.migrations")))
    except ModuleNotFoundError:
        folder = Path(memagent.__file__).parent.parent / "migrations"
    return folder


def _upgrade(connection: Connection) -> None:
    from alembic import command  # half a second that only a migration pays
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
