"""Cleaning of data for the database, and classification of its errors."""

import json
import sqlite3
from typing import Any

import asyncpg
import pytest
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kaito_chat.history.engines import token
from kaito_chat.history.errors import HistoryAwayError, HistoryRefusedError, TokenError
from kaito_chat.history.failures import translate
from kaito_chat.history.listing import _after, _escaped
from kaito_chat.history.operations import COLUMNS, clean, clean_json, now, save_step
from kaito_chat.history.reading import with_waiting
from kaito_chat.history.writing import merged

ANYTHING = st.text(st.characters(), max_size=50)
JSON = st.recursive(st.none() | st.booleans() | st.floats() | ANYTHING, lambda each: st.dictionaries(ANYTHING, each))


@given(ANYTHING)
def test_any_text_becomes_one_that_every_database_accepts(text: str) -> None:
    cleaned = clean(text, 20)
    assert "\x00" not in cleaned
    assert len(cleaned) <= 20
    cleaned.encode("utf-8")


@given(JSON)
def test_any_json_becomes_one_without_nul_and_lone_surrogates(value: Any) -> None:
    json.dumps(json.loads(clean_json(value)), ensure_ascii=False).encode("utf-8")
    assert "\\u0000" not in clean_json(value).replace("\\\\", "")


def test_text_that_looks_like_an_escape_is_kept() -> None:
    assert json.loads(clean_json({"answer": "\\u0000"})) == {"answer": "\\u0000"}


@given(st.dictionaries(st.sampled_from([*COLUMNS, "icon", "feedback"]), JSON))
def test_a_step_of_any_shape_becomes_one_of_the_table(step: dict[str, Any]) -> None:
    saved = save_step("ada", "thread", {"id": "s", **step}).step
    assert set(saved) == set(COLUMNS)
    assert all(value is None or isinstance(value, (str, bool)) for value in saved.values())
    assert saved["createdAt"]
    assert isinstance(saved["name"], str)


def test_long_texts_are_cut() -> None:
    saved = save_step("ada", "thread", {"id": "s", "name": "n" * 10_000, "output": "x" * 5_000_000}).step
    assert (len(saved["name"]), len(saved["output"])) == (500, 4_000_000)


def test_times_sort_as_text() -> None:
    times = [now() for _ in range(100)]
    assert times == sorted(times)
    assert {len(each) for each in times} == {27}


@given(st.none() | ANYTHING)
def test_a_cursor_of_any_form_is_one_or_none(cursor: str | None) -> None:
    after = _after(cursor)
    assert after is None or set(after) == {"changed", "id"}


def test_wildcards_in_a_search_are_escaped() -> None:
    assert _escaped("100%_\\") == "100\\%\\_\\\\"


def test_metadata_takes_changes_and_loses_keys_that_are_none() -> None:
    assert merged('{"a": 1, "b": 2}', {"b": None, "c": 3}) == {"a": 1, "c": 3}
    assert merged("not JSON", {"a": 1}) == merged(None, {"a": 1}) == merged("[1]", {"a": 1}) == {"a": 1}


def test_an_unstored_conversation_is_built_from_pending_writes() -> None:
    waiting = [save_step("ada", "t", {"id": "s", "output": "hello", "type": "user_message"})]
    thread = with_waiting(None, waiting)
    assert thread
    assert (thread["userIdentifier"], [step["output"] for step in thread["steps"]]) == ("ada", ["hello"])
    assert with_waiting(None, []) is None


def test_pending_writes_of_another_user_are_not_shown() -> None:
    waiting = [save_step(owner, "t", {"id": owner, "output": owner}) for owner in ("ada", "eve")]
    thread = with_waiting(None, waiting)
    assert thread
    assert [step["output"] for step in thread["steps"]] == ["ada"]


def sqlite_error(code: int, words: str = "x") -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return error


def postgresql_error(code: str) -> Exception:
    return asyncpg.PostgresError.new({"C": code, "M": "message", "S": "ERROR"})  # type: ignore[no-any-return]


def wrapped(error: Exception) -> DBAPIError:
    return OperationalError("INSERT …", {"output": "secret"}, error)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError("refused"), "away"),
        (TimeoutError(), "timeout"),
        (PoolTimeoutError("QueuePool limit"), "timeout"),
        (TokenError("no token"), "away"),
        (asyncpg.InterfaceError("connection is closed"), "away"),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), "away"),
        (wrapped(sqlite_error(sqlite3.SQLITE_BUSY)), "conflict"),
        (wrapped(sqlite_error(sqlite3.SQLITE_READONLY)), "read_only"),
        (wrapped(sqlite_error(sqlite3.SQLITE_FULL)), "full"),
        (wrapped(sqlite_error(sqlite3.SQLITE_IOERR)), "away"),
        (wrapped(sqlite_error(sqlite3.SQLITE_ERROR, "no such table: threads")), "away"),
        (wrapped(postgresql_error("25006")), "read_only"),
        (wrapped(postgresql_error("53100")), "full"),
        (wrapped(postgresql_error("57014")), "timeout"),
        (wrapped(postgresql_error("57P01")), "away"),
        (wrapped(postgresql_error("40P01")), "conflict"),
        (wrapped(postgresql_error("40001")), "conflict"),
        (wrapped(postgresql_error("55P03")), "conflict"),
        (wrapped(postgresql_error("28P01")), "away"),
        (wrapped(postgresql_error("42P01")), "away"),
        (wrapped(postgresql_error("0A000")), "away"),  # a prepared statement that a migration invalidated
        (PendingRollbackError("the connection is gone"), "away"),
        (postgresql_error("53300"), "away"),
    ],
)
def test_transient_errors(error: Exception, reason: str) -> None:
    problem = translate(error)
    assert isinstance(problem, HistoryAwayError)
    assert problem.reason == reason
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    "error",
    [
        wrapped(postgresql_error("22021")),
        wrapped(postgresql_error("23505")),
        wrapped(postgresql_error("42601")),
        wrapped(postgresql_error("54000")),
        IntegrityError("INSERT …", {}, sqlite_error(sqlite3.SQLITE_CONSTRAINT)),
        wrapped(sqlite_error(sqlite3.SQLITE_TOOBIG)),
        wrapped(sqlite_error(sqlite3.SQLITE_ERROR, "near x: syntax error")),
        wrapped(asyncpg.DataError("invalid input for query argument $1: 'secret'")),
        UnicodeEncodeError("utf-8", "secret\ud800", 6, 7, "surrogates not allowed"),
        KeyError("secret"),
    ],
)
def test_permanent_errors(error: Exception) -> None:
    problem = translate(error)
    assert isinstance(problem, HistoryRefusedError)
    assert "secret" not in str(problem)


class Refused:
    """A credential that gets no token."""

    async def get_token(self, *_scopes: str) -> object:
        raise ClientAuthenticationError("AADSTS700016: no such application\nTrace ID: 1")


async def test_a_refused_token_makes_the_database_unavailable() -> None:
    password = token(Refused())  # type: ignore[arg-type]
    with pytest.raises(TokenError) as raised:
        await password()  # type: ignore[misc]
    problem = translate(raised.value)
    assert isinstance(problem, HistoryAwayError)
    assert (problem.reason, str(problem)) == ("away", "AADSTS700016: no such application")
