"""Secrets that change under running replicas: no restart, and no moment in which replicas disagree."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import jwt
import pytest

from kaito_chat.history.database import Database
from kaito_chat.history.errors import HistoryAwayError, HistoryError
from support.chat.audits import status
from support.chat.processes import Running, chat
from support.chat.signed_in import SIGN_IN, USERS, signed_in
from support.chat.waiting import until

OLD, NEW = "old-secret-of-at-least-thirty-two-characters", "new-secret-of-at-least-thirty-two-characters"
SECRET = "KAITO_CHAT_AUTH_SECRET"  # noqa: S105 - a name
# Longer than the test takes to change the secret of the second replica.
DELAY_SECONDS = 9.0
CHANGED = "a new secret signs sessions later"


def mount(folder: Path, *versions: str) -> str:
    """Write the versions of the signing secret as the CSI driver does, the newest first; return the setting."""
    kept = folder / f"{SECRET}_VERSIONS"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for number, version in enumerate(versions):
        (kept / str(number)).write_text(version, encoding="utf-8")
    put(folder, SECRET, versions[0])
    return json.dumps([str(folder)])


def put(folder: Path, name: str, value: str) -> None:
    """Replace a file at once."""
    (folder / "new").write_text(value, encoding="utf-8")
    (folder / "new").rename(folder / name)


async def token_of(app: Running) -> str:
    """Sign in and return the token."""
    client = await signed_in(app)
    token = client.cookies["access_token"]
    await client.aclose()
    return token


async def agree(replicas: Sequence[Running]) -> list[str]:
    """Sign in at each replica, assert that each accepts every token, and return the tokens."""
    tokens = [await token_of(replica) for replica in replicas]
    assert [[status(replica, token) for replica in replicas] for token in tokens] == [[200] * len(replicas)] * len(
        tokens
    )
    return tokens


def signed_with(token: str, secret: str) -> bool:
    try:
        jwt.decode(token, secret, ["HS256"])
    except jwt.InvalidSignatureError:
        return False
    return True


async def test_replicas_agree_at_each_step_of_a_rotation(folder: Path, scripted: Running) -> None:
    mounts = [folder / name for name in ("one", "two", "three")]
    given = SIGN_IN | {"auth_secret": OLD, "auth_secret_delay_seconds": str(DELAY_SECONDS)}

    def replica(number: int, *versions: str) -> AbstractContextManager[Running]:
        settings = given | {"secrets_dirs": mount(mounts[number], *versions)}
        return chat(scripted.url, folder, **settings)

    with replica(0, OLD) as first, replica(1, OLD) as second:
        (before, _) = await agree([first, second])
        mount(mounts[0], NEW, OLD)
        await until(lambda: CHANGED in first.text())
        await agree([first, second])
        with replica(2, NEW, OLD) as third:  # a pod that starts during the rotation
            await agree([first, second, third])
            mount(mounts[1], NEW, OLD)
            await until(lambda: CHANGED in second.text())
            during = await agree([first, second, third])
            assert all(signed_with(token, OLD) for token in during)
            found = during
            async with asyncio.timeout(3 * DELAY_SECONDS):
                while not all(signed_with(token, NEW) for token in found):
                    await asyncio.sleep(0.5)
                    found = await agree([first, second, third])
            assert [status(each, before) for each in (first, second, third)] == [200] * 3
            for number in range(3):
                mount(mounts[number], NEW)
            await until(lambda: all(status(each, before) == 401 for each in (first, second, third)))
            assert [status(first, token) for token in found] == [200] * 3
        assert OLD not in first.text() + second.text()
        assert NEW not in first.text() + second.text()


async def test_changed_passwords_apply_and_invalid_ones_do_not(folder: Path, scripted: Running) -> None:
    mounted = folder / "mounted"
    settings = SIGN_IN | {"secrets_dirs": mount(mounted, OLD)}
    with chat(scripted.url, folder, **settings) as app:

        def answer(password: str) -> int:
            return httpx.post(app.url + "/login", data={"username": "ada", "password": password}).status_code

        assert (answer(USERS["ada"]), answer("another")) == (200, 401)
        put(mounted, "KAITO_CHAT_PASSWORD_USERS", json.dumps({"ada": "another"}))
        await until(lambda: answer("another") == 200)
        assert answer(USERS["ada"]) == 401
        put(mounted, "KAITO_CHAT_PASSWORD_USERS", "topsecret")
        await until(lambda: "the changed secrets are not used" in app.text())
        assert answer("another") == 200
        assert "topsecret" not in app.text()


async def test_new_connections_to_the_database_use_the_changed_password(postgres_url: str) -> None:
    wrong = postgres_url.replace(":not-a-secret@", ":wrong@")
    assert wrong != postgres_url
    database = Database(wrong)
    with pytest.raises(HistoryError):
        await database.migrate()
    assert database.renew(f"{postgres_url}x") is False
    assert database.renew("postgresql://") is False
    assert database.renew(postgres_url) is True
    await database.migrate()
    await database.close()


async def test_a_database_without_a_password_keeps_its_url(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/history.db")
    assert database.renew(f"sqlite:///{tmp_path}/other.db") is False
    await database.close()
    with pytest.raises(HistoryAwayError):
        await Database("postgresql://u:p@127.0.0.1:1/x").run(lambda connection: connection.commit())
