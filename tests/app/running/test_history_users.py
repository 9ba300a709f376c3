"""Users and signed-out tokens in the history, on SQLite and on PostgreSQL."""

import asyncio
import time

from support.chat.databases import Counting, opened, rows


async def test_a_signed_out_token_is_known_to_every_replica(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        assert not await here.is_signed_out("token")
        assert await here.sign_out("token", time.time() + 60)
        assert await here.is_signed_out("token")
        assert await there.is_signed_out("token")
        assert await here.sign_out("old", time.time() - 1)
        assert await here.sign_out("new", time.time() + 60)
        assert [row[0] for row in sorted(await rows(url, "SELECT id FROM signed_out"))] == ["new", "token"]


async def test_repeated_lookups_of_tokens_and_users_are_cached(url: str) -> None:
    async with opened(url) as store:
        ada = await store.add_user("ada", {"provider": "x"})
        await store.is_signed_out("token")
        counting = Counting(store)
        for _ in range(5):
            assert await store.user("ada") == await store.user_by_id(ada.id) == ada
            assert not await store.is_signed_out("token")
        assert counting.statements == []


async def test_concurrent_sign_ins_create_one_user(url: str) -> None:
    async with opened(url) as here, opened(url) as there:
        users = await asyncio.gather(*(each.add_user("ada", {"n": 1}) for each in (here, there) * 5))
        assert len({user.id for user in users}) == 1
        assert (await here.add_user("ada", {"n": 2})).metadata == {"n": 2}
        assert await here.user("nobody") is None
