"""The history by owner, on SQLite and on PostgreSQL: storing, renaming and deleting."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import text

from kaito_chat.history.database import Database
from kaito_chat.history.waiting import Change
from support.chat.databases import OTHER, THREAD, Counting, message, opened, rows, stored, texts, told


async def test_a_conversation_is_stored_with_its_owner_and_read_again(url: str) -> None:
    async with opened(url) as store:
        facts: dict[str, Any] = {"metadata": {"kaito_chat": {"answer": "yes"}}, "showInput": True, "tags": ["a"]}
        store.save_step("ada", THREAD, message("s1", "why?", createdAt="2026-01-01T00:00:00.000000Z"))
        store.save_step("ada", THREAD, message("s2", "because", "assistant_message", input="in", **facts))
        store.save_thread("ada", THREAD, name="why?", metadata={"chat_profile": "phi"}, tags=["phi"])
        store.save_thread("ada", THREAD, metadata={"chat_profile": None, "chat_settings": {"a": 1}})
        assert await store.written(THREAD, 10)
    async with opened(url) as store:
        thread = await store.get_thread(THREAD, "ada")
        assert thread
        assert (thread["name"], thread["userIdentifier"], thread["tags"]) == ("why?", "ada", ["phi"])
        assert thread["metadata"] == {"chat_settings": {"a": 1}}
        question, answer = thread["steps"]
        assert (question["output"], question["createdAt"]) == ("why?", "2026-01-01T00:00:00.000000Z")
        assert (answer["metadata"], answer["showInput"], answer["input"], answer["tags"]) == (
            facts["metadata"],
            "true",
            "in",
            ["a"],
        )
        assert answer["streaming"] is False
        user = await store.user("ada")
        assert user
        assert user.id == thread["userId"]


async def test_a_later_state_of_a_message_changes_what_it_names_only(url: str) -> None:
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "half")
        first = (await store.get_thread(THREAD) or {})["steps"][0]
        store.save_step("ada", THREAD, {**first, "output": "whole", "createdAt": None, "metadata": None})
        assert await store.written(THREAD, 10)
        assert (await store.get_thread(THREAD) or {})["steps"] == [first | {"output": "whole"}]


async def test_a_message_is_deleted_with_its_feedback(url: str) -> None:
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "keep", "warming up")
        assert await store.upsert_feedback("ada", f"{THREAD}-1", 1)
        store.delete_step("ada", THREAD, f"{THREAD}-1")
        assert await store.written(THREAD, 10)
        assert await texts(url) == ["keep"]
        assert await rows(url, "SELECT * FROM feedbacks") == []


async def test_characters_that_a_database_rejects_are_removed(url: str) -> None:
    async with opened(url) as store:
        facts = {"metadata": {"kaito_chat": {"answer": "a\x00b\ud800"}}, "type": "user_message"}
        store.save_step("a\x00da", THREAD, {"id": "s\x001", "name": "\x00", "output": "a\x00b\ud800", **facts})
        store.save_thread("ada", THREAD, name="n\x00\udfff", metadata={"k\x00": "\x00"})
        assert await store.written(THREAD, 10)
        assert store.waiting(THREAD).dropped == 0
        thread = await store.get_thread(THREAD + "\x00", "a\x00da")
        assert thread
        assert (thread["name"], thread["metadata"]) == ("n\ufffd", {"k": ""})
        assert thread["steps"][0]["output"] == "ab\ufffd"
        assert thread["steps"][0]["metadata"] == {"kaito_chat": {"answer": "ab\ufffd"}}
        for identifier in ("\x00", "\ud800", "x" * 100_000, "'; DROP TABLE threads; --"):
            assert await store.get_thread(identifier) is None
            assert not await store.rename(identifier, identifier, identifier)
            assert not await store.delete_thread(identifier, identifier)
            assert await store.upsert_feedback(identifier, identifier, 1) is None
            assert not await store.is_signed_out(identifier)
            page = await store.list_threads("ada", cursor=identifier, search=identifier)
            assert len(page.threads) <= 1


async def test_nobody_writes_into_the_conversation_of_another(url: str) -> None:
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "mine")
        changes = told(store)
        store.save_step("eve", THREAD, message("new", "not mine"))
        store.save_step("eve", THREAD, message(f"{THREAD}-0", "not mine"))
        store.save_thread("eve", THREAD, name="taken", metadata={"x": 1})
        store.delete_step("eve", THREAD, f"{THREAD}-0")
        assert await store.written(THREAD, 10)
        assert not await store.rename("eve", THREAD, "taken")
        assert not await store.delete_thread("eve", THREAD)
        assert await store.get_thread(THREAD, "eve") is None
        assert await store.owner_of_thread(THREAD) == "ada"
        assert await texts(url) == ["mine"]
        assert await rows(url, 'SELECT name, "userIdentifier" FROM threads') == [(None, "ada")]
        assert {change.kind for change in changes} == {"foreign"}


async def test_two_users_with_one_message_id_keep_their_own_conversations(url: str) -> None:
    async with opened(url) as store:
        store.save_step("ada", THREAD, message("same", "ada's"))
        assert await store.written(THREAD, 10)
        store.save_step("eve", OTHER, message("same", "eve's"))
        store.save_step("eve", OTHER, message("another", "eve's other"))
        store.delete_step("eve", OTHER, "same")
        assert await store.written(OTHER, 10)
        assert await texts(url) == ["ada's"]
        assert await texts(url, OTHER) == ["eve's other"]


async def test_a_conversation_without_an_owner_is_given_to_no_user(url: str) -> None:
    async with opened(url) as store:
        database = Database(url)
        async with database.engine.begin() as connection:
            await connection.execute(text("INSERT INTO threads (id) VALUES (:id)"), {"id": THREAD})
        await database.close()
        store.save_step("eve", THREAD, message("s", "mine now?"))
        assert await store.written(THREAD, 10)
        assert await store.owner_of_thread(THREAD) is None
        assert await texts(url) == []


async def test_a_refused_message_leaves_no_half_of_a_conversation(url: str) -> None:
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "mine")
        store.save_step("eve", OTHER, message(f"{THREAD}-0", "of ada's"))
        assert await store.written(OTHER, 10)
        assert await rows(url, "SELECT id FROM threads") == [(THREAD,)]
        assert await rows(url, "SELECT identifier FROM users") == [("ada",)]


async def test_feedback_is_one_for_a_message_and_of_its_owner(url: str) -> None:
    async with opened(url) as store, opened(url) as replica:
        await stored(store, "ada", THREAD, "question", "answer")
        step_id = f"{THREAD}-1"
        assert await store.upsert_feedback("eve", step_id, 0) is None
        assert await store.upsert_feedback("ada", str(uuid.uuid4()), 0) is None
        given = await asyncio.gather(*(each.upsert_feedback("ada", step_id, 1) for each in (store, replica) * 5))
        assert len(set(given)) == 1
        assert await store.upsert_feedback("ada", step_id, 0, "no\x00") == given[0]
        assert await rows(url, "SELECT id, value, comment FROM feedbacks") == [(given[0], 0, "no")]
        thread = await store.get_thread(THREAD)
        assert thread
        assert [step["feedback"] and step["feedback"]["value"] for step in thread["steps"]] == [None, 0]
        assert not await store.delete_feedback("eve", given[0] or "")
        assert await store.delete_feedback("ada", given[0] or "")
        assert not await store.delete_feedback("ada", given[0] or "")


async def test_a_conversation_deleted_at_one_replica_stays_deleted_at_the_other(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        await stored(there, "ada", THREAD, "forget", "this")
        changes = told(there)
        assert await here.delete_thread("ada", THREAD)
        there.save_step("ada", THREAD, message("more", "is said there"))
        there.save_thread("ada", THREAD, metadata={"chat_settings": {}})
        assert await there.written(THREAD, 10)
        assert changes[0] == Change(THREAD, "ada", "deleted")
        for table in ("threads", "steps", "elements", "feedbacks"):
            assert await rows(url, f"SELECT * FROM {table}") == []  # noqa: S608 - one of these
        assert not await here.delete_thread("ada", THREAD)
        assert not here.save_step("ada", THREAD, message("more", "is said here"))


async def test_a_deletion_and_writes_at_many_replicas_leave_nothing(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        for number in range(10):
            thread_id = str(uuid.uuid4())
            await stored(there, "ada", thread_id, "first")
            for each in range(number):
                there.save_step("ada", thread_id, message(f"{thread_id}+{each}", "more"))
            assert await here.delete_thread("ada", thread_id)
            there.save_step("ada", thread_id, message(f"{thread_id}+last", "more"))
            assert await there.written(thread_id, 10)
        assert await rows(url, "SELECT * FROM threads") == []
        assert await rows(url, "SELECT * FROM steps") == []


async def test_a_conversation_is_renamed(url: str) -> None:
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "hello")
        assert await store.rename("ada", THREAD, "A name\x00 " + "x" * 1000)
        (listed,) = (await store.list_threads("ada")).threads
        assert listed["name"] == ("A name " + "x" * 1000)[:499]


async def test_a_read_right_after_a_write_has_it(url: str) -> None:
    async with opened(url) as store:
        for number in range(20):
            store.save_step("ada", THREAD, message(f"s{number}", str(number)))
            thread = await store.get_thread(THREAD, "ada")
            assert thread
            assert [step["output"] for step in thread["steps"]] == [str(each) for each in range(number + 1)]


async def test_a_growing_answer_costs_few_writes_and_the_last_state_stays(url: str) -> None:
    async with opened(url) as store:
        counting = Counting(store)
        for length in range(200):
            partial = {"kaito_chat": {"answer": "x" * length, "partial": True}}
            store.save_step("ada", THREAD, message("a", "x" * length, "assistant_message", metadata=partial))
        store.save_step(
            "ada", THREAD, message("a", "whole", "assistant_message", metadata={"kaito_chat": {"answer": "whole"}})
        )
        assert await store.written(THREAD, 10)
        assert sum("INTO steps" in each for each in counting.statements) <= 2
        (step,) = (await store.get_thread(THREAD) or {})["steps"]
        assert (step["output"], step["metadata"]) == ("whole", {"kaito_chat": {"answer": "whole"}})
