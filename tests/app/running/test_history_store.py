"""The history by owner, on SQLite and on a genuine PostgreSQL: whose it is, what is listed, what stays deleted."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from sqlalchemy import event, text

from kaito_chat.history.database import Database
from kaito_chat.history.store import Store
from kaito_chat.history.waiting import Change
from support.chat.databases import OTHER, THREAD, message, opened, stored, texts, told


async def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    database = Database(url)
    async with database.engine.connect() as connection:
        found = [tuple(row) for row in await connection.execute(text(statement))]
    await database.close()
    return found


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
        person = await store.person("ada")
        assert person
        assert person.id == thread["userId"]


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


async def test_texts_that_a_database_refuses_are_stored_without_what_it_refuses(url: str) -> None:
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


async def test_two_people_use_one_id_of_a_message_and_each_keeps_their_own_conversation(url: str) -> None:
    async with opened(url) as store:
        store.save_step("ada", THREAD, message("same", "ada's"))
        assert await store.written(THREAD, 10)
        store.save_step("eve", OTHER, message("same", "eve's"))
        store.save_step("eve", OTHER, message("another", "eve's other"))
        store.delete_step("eve", OTHER, "same")
        assert await store.written(OTHER, 10)
        assert await texts(url) == ["ada's"]
        assert await texts(url, OTHER) == ["eve's other"]


async def test_a_conversation_of_nobody_is_given_to_nobody(url: str) -> None:
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


async def many(store: Store, conversations: int, messages: int, owner: str = "ada") -> list[str]:
    """Conversations, the oldest first."""
    ids = [str(uuid.uuid4()) for _ in range(conversations)]
    for number, thread_id in enumerate(ids):
        store.save_thread(owner, thread_id, name=f"Conversation {number}")
        for each in range(messages):
            kind = "assistant_message" if each % 2 else "user_message"
            store.save_step(owner, thread_id, message(f"{thread_id}-{each}", f"text {number} " + "words " * 20, kind))
    assert await store.flush(120) == 0
    return ids


class Counting:
    """Counts the statements of a store, and the rows that they bring."""

    def __init__(self, store: Store) -> None:
        self.statements: list[str] = []
        self._engine = store._database.engine.sync_engine  # noqa: SLF001
        event.listen(self._engine, "before_cursor_execute", self._note)

    def _note(self, *facts: Any) -> None:
        self.statements.append(facts[2])


async def test_three_hundred_conversations_are_listed_by_pages_with_one_statement_each_and_no_messages(
    url: str,
) -> None:
    async with opened(url) as store:
        ids = await many(store, 300, 2)
        counting = Counting(store)
        found, cursor, pages = [], None, 0
        while True:
            page = await store.list_threads("ada", first=35, cursor=cursor)
            pages += 1
            found += [thread["id"] for thread in page.threads]
            assert all(thread["steps"] == [] for thread in page.threads)
            cursor = page.end
            if not page.more:
                break
        assert sorted(found) == sorted(ids)
        assert pages == 9
        selects = [each for each in counting.statements if each.lstrip().startswith("SELECT")]
        assert len(selects) == pages
        assert not any("FROM steps" in each for each in selects)
        assert all("LIMIT" in each for each in selects)


async def test_the_last_changed_conversation_is_listed_first_and_its_page_sorts_it_so(url: str) -> None:
    async with opened(url) as store:
        first, second, third = await many(store, 3, 1)
        store.save_step("ada", first, message("new", "more"))
        await store.written(first, 10)
        store.save_thread("ada", second, metadata={"chat_settings": {}})  # its page was closed
        await store.written(second, 10)
        listed = (await store.list_threads("ada")).threads
        assert [thread["id"] for thread in listed] == [first, third, second]
        assert [thread["createdAt"] for thread in listed] == sorted((t["createdAt"] for t in listed), reverse=True)


async def test_pages_stay_whole_while_conversations_change_and_go(url: str) -> None:
    async with opened(url) as store:
        ids = (await many(store, 10, 1))[::-1]
        page = await store.list_threads("ada", first=4)
        assert [thread["id"] for thread in page.threads] == ids[:4]
        assert await store.delete_thread("ada", ids[3])  # at which the page ended
        store.save_step("ada", ids[9], message("new", "more"))
        await store.written(ids[9], 10)
        rest = await store.list_threads("ada", first=100, cursor=page.end)
        assert [thread["id"] for thread in rest.threads] == ids[4:9]


async def test_conversations_are_searched_by_name_and_text_without_regard_to_case_and_wildcards(url: str) -> None:
    async with opened(url) as store:
        said = {
            "plain": "Hello World",
            "umlaut": "ÜNÏCÖDÉ 模型",
            "percent": "100% sure",
            "under": "a_b",
            "back": "a\\b",
        }
        for thread_id, words in said.items():
            await stored(store, "ada", thread_id, words)
        store.save_thread("ada", "plain", name="Straße Ωmega")
        store.save_step("ada", "back", message("thought", "HIDDEN reasoning", "llm"))
        await stored(store, "eve", "hers", "hello world")
        await store.flush(10)
        expected = {
            "hello wor": ["plain"],
            "ünïcödé": ["umlaut"],
            "模型": ["umlaut"],
            "ωMEGA": ["plain"],
            "0% S": ["percent"],
            "%": ["percent"],
            "_": ["under"],
            "\\": ["back"],
            "hidden": [],
            "nowhere": [],
        }
        for words, threads in expected.items():
            assert [each["id"] for each in (await store.list_threads("ada", search=words)).threads] == threads, words
        assert len((await store.list_threads("ada", search="  ")).threads) == 5


async def test_conversations_are_filtered_by_feedback_and_by_their_owner(url: str) -> None:
    async with opened(url) as store:
        good, bad, none = await many(store, 3, 2)
        await store.upsert_feedback("ada", f"{good}-1", 1)
        await store.upsert_feedback("ada", f"{bad}-1", 0)
        listed = {
            value: [each["id"] for each in (await store.list_threads("ada", value=value)).threads] for value in (0, 1)
        }
        assert listed == {0: [bad], 1: [good]}
        assert len((await store.list_threads("ada")).threads) == 3, none
        assert (await store.list_threads("eve")).to_dict() == {
            "pageInfo": {"hasNextPage": False, "startCursor": None, "endCursor": None},
            "data": [],
        }


@pytest.mark.parametrize("cursor", ["", "~", "x", "\x00~\x00", "9999~", f"~{THREAD}", "a~b~c", "é~\ud800", THREAD])
@pytest.mark.parametrize("first", [-1, 0, 1, 10**9])
async def test_a_malformed_cursor_or_page_breaks_nothing(postgres_url: str, cursor: str, first: int) -> None:
    async with opened(postgres_url) as store:
        await stored(store, "ada", THREAD, "hello")
        page = await store.list_threads("ada", first=first, cursor=cursor)
        assert len(page.threads) <= 1


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


async def test_a_signed_out_token_is_known_to_every_replica(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        assert not await here.is_signed_out("token")
        assert await here.sign_out("token", time.time() + 60)
        assert await here.is_signed_out("token")
        assert await there.is_signed_out("token")
        assert await here.sign_out("old", time.time() - 1)
        assert await here.sign_out("new", time.time() + 60)
        assert [row[0] for row in sorted(await rows(url, "SELECT id FROM signed_out"))] == ["new", "token"]


async def test_asking_for_tokens_and_people_again_costs_no_statement(url: str) -> None:
    async with opened(url) as store:
        ada = await store.add_person("ada", {"provider": "x"})
        await store.is_signed_out("token")
        counting = Counting(store)
        for _ in range(5):
            assert await store.person("ada") == await store.person_by_id(ada.id) == ada
            assert not await store.is_signed_out("token")
        assert counting.statements == []


async def test_people_who_sign_in_at_once_are_one(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        people = await asyncio.gather(*(each.add_person("ada", {"n": 1}) for each in (here, there) * 5))
        assert len({person.id for person in people}) == 1
        assert (await here.add_person("ada", {"n": 2})).metadata == {"n": 2}
        assert await here.person("nobody") is None
