"""Connections to PostgreSQL verify the server's certificate where the URL, or a token, asks for it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from kaito_chat.history import HistoryError
from kaito_chat.history.database import Database
from kaito_chat.history.engines import tls
from support.chat.certificates import authority

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class Credential:
    """Gives the test server's password as a token, and counts the requests."""

    def __init__(self) -> None:
        self.asked = 0

    async def get_token(self, *_scopes: str, **_options: object) -> object:
        self.asked += 1
        return type("Token", (), {"token": "not-a-secret"})()


@asynccontextmanager
async def encrypted(url: str, certificate: Path) -> AsyncIterator[str]:
    """Run a server that speaks TLS as PostgreSQL does, before the genuine one; yield its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    parsed = make_url(url)
    pumps: set[asyncio.Task[None]] = set()

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readexactly(8) == SSL_REQUEST, "a connection without TLS"
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            there, onward = await asyncio.open_connection(parsed.host, parsed.port or 5432)
        except OSError:
            writer.close()
            return
        for source, target in ((reader, onward), (there, writer)):
            pumps.add(asyncio.create_task(pump(source, target)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield parsed.set(port=server.sockets[0].getsockname()[1]).render_as_string(hide_password=False)
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def answer(url: str, credential: Credential | None = None, ca_file: Path | None = None) -> int:
    """Ask the database a question; return the answer."""
    database = Database(url, credential, ca_file)  # type: ignore[arg-type]
    try:
        async with database.engine.connect() as connection:
            return int((await connection.execute(text("SELECT 42"))).scalar_one())
    finally:
        await database.close()


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
async def test_a_server_is_trusted_by_its_authority_only(mode: str, postgres_url: str, tmp_path: Path) -> None:
    ca_file, certificate = authority(tmp_path)
    other, _ = authority(tmp_path, "other")
    async with encrypted(postgres_url, certificate) as url:
        assert await answer(f"{url}?sslmode={mode}", ca_file=ca_file) == 42
        for wrong in (None, other):
            with pytest.raises(ssl.SSLCertVerificationError):
                await answer(f"{url}?sslmode={mode}", ca_file=wrong)


async def test_the_name_must_match_unless_only_the_authority_counts(postgres_url: str, tmp_path: Path) -> None:
    ca_file, certificate = authority(tmp_path)
    async with encrypted(postgres_url, certificate) as url:
        named = url.replace("127.0.0.1", "localhost")
        with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
            await answer(f"{named}?sslmode=verify-full", ca_file=ca_file)
        assert await answer(f"{named}?sslmode=verify-ca", ca_file=ca_file) == 42


async def test_a_token_goes_to_a_verified_server_only(postgres_url: str, tmp_path: Path) -> None:
    ca_file, certificate = authority(tmp_path)
    credential = Credential()
    async with encrypted(postgres_url, certificate) as url:
        without_password = url.replace(":not-a-secret", "")
        with pytest.raises(ssl.SSLCertVerificationError):
            await answer(without_password, credential)
        assert await answer(without_password, credential, ca_file) == 42
    # The genuine server of the tests has no TLS.
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await answer(postgres_url.replace(":not-a-secret", ""), Credential(), ca_file)


async def test_the_history_names_the_server_that_is_not_trusted(postgres_url: str, tmp_path: Path) -> None:
    _, certificate = authority(tmp_path)
    async with encrypted(postgres_url, certificate) as url:
        database = Database(f"{url}?sslmode=verify-full")
        with pytest.raises(HistoryError, match=r"127\.0\.0\.1") as raised:
            await database.migrate()
        await database.close()
    assert "not-a-secret" not in str(raised.value)


@pytest.mark.parametrize("mode", [None, "disable", "prefer", "require"])
def test_other_modes_stay_as_they_are(mode: str | None) -> None:
    assert tls(mode) == mode
