"""Lists of conversations, on SQLite and on PostgreSQL: pages, order, search and filters."""

import uuid

import pytest

from kaito_chat.history.store import Store
from support.chat.databases import THREAD, Counting, message, opened, stored


async def many(store: Store, conversations: int, messages: int, owner: str = "ada") -> list[str]:
    """Store conversations, and return their ids, the oldest first."""
    ids = [str(uuid.uuid4()) for _ in range(conversations)]
    for number, thread_id in enumerate(ids):
        store.save_thread(owner, thread_id, name=f"Conversation {number}")
        for each in range(messages):
            kind = "assistant_message" if each % 2 else "user_message"
            store.save_step(owner, thread_id, message(f"{thread_id}-{each}", f"text {number} " + "words " * 20, kind))
    assert await store.flush(120) == 0
    return ids


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
