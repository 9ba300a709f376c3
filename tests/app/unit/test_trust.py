"""A server with a certificate of a private CA is trusted with that CA's file only."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kaito_chat import probe
from kaito_chat.backends import pool
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import trust
from support.chat.backends import QUICK, backend_at_url
from support.chat.certificates import authority
from support.chat.fakes.faults import plain

MODELS = plain(200, '{"data": [{"id": "private", "owned_by": "vllm", "max_model_len": 2048}]}')


@asynccontextmanager
async def serving(certificate: Path) -> AsyncIterator[str]:
    """Run a model server with TLS, and yield its URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(MODELS.encode())
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def described(url: str, ca_file: Path | None) -> str:
    async with pool(2, 1, ca_file) as client:
        backend = await backend_at_url(url, client, QUICK)
        return (await backend.describe()).id


async def test_a_private_ca_is_trusted_with_its_file_and_with_no_other(tmp_path: Path) -> None:
    ca_file, certificate = authority(tmp_path)
    other, _ = authority(tmp_path, "other")
    async with serving(certificate) as url:
        assert await described(url, ca_file) == "private"
        for wrong in (None, other):
            with pytest.raises(BackendError) as raised:
                await described(url, wrong)
            assert raised.value.kind is Kind.NOT_READY
            assert not raised.value.said, "the words of a library are for the log"


def test_the_systems_certificates_stay_trusted(tmp_path: Path) -> None:
    ca_file, _ = authority(tmp_path)
    assert len(trust(ca_file).get_ca_certs()) == len(trust().get_ca_certs()) + 1
    assert trust().verify_mode is ssl.CERT_REQUIRED
    assert trust().check_hostname


async def test_a_pool_for_plain_http_trusts_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca_file, certificate = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    async with serving(certificate) as url, pool(2, 1, encrypted=False) as client:
        with pytest.raises(BackendError) as raised:
            await backend_at_url(url, client, QUICK)
    assert raised.value.kind is Kind.NOT_READY


async def test_the_file_is_read_for_plain_http_too(tmp_path: Path) -> None:
    ca_file, certificate = authority(tmp_path)
    async with serving(certificate) as url, pool(2, 1, ca_file, encrypted=False) as client:
        backend = await backend_at_url(url, client, QUICK)
        assert (await backend.describe()).id == "private"
    with pytest.raises(FileNotFoundError):
        pool(2, 1, tmp_path / "none", encrypted=False)


async def test_the_probe_trusts_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca_file, certificate = authority(tmp_path)
    async with serving(certificate) as url:
        monkeypatch.setenv("KAITO_CHAT_CA_FILE", str(ca_file))
        with pytest.raises(probe.ProbeError) as raised:  # it lists a model but does not answer questions
            await probe.probe_model(probe.at(url), 2)
        assert "certificate" not in str(raised.value)
        monkeypatch.setenv("KAITO_CHAT_CA_FILE", str(tmp_path / "none"))
        with pytest.raises(probe.ProbeError, match="KAITO_CHAT_CA_FILE"):
            await probe.probe_model(probe.at(url), 2)


async def test_a_ca_that_the_system_trusts_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca_file, certificate = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))  # OpenSSL's file of system certificates
    async with serving(certificate) as url:
        assert await described(url, None) == "private"
