"""A start in a new interpreter: packages that it loads, and that nothing else is missing afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, free_port
from support.chat.signed_in import SIGN_IN, cookie, signed_in, threads
from support.project import ROOT

# `settle` is the last step of the start.
CODE = """
import os, sys
from kaito_chat import garbage, serve
def report():
    import jwt.algorithms
    names = [name for name, module in sys.modules.items() if module]
    print(jwt.algorithms.has_crypto, *names, flush=True)
    os._exit(0)
garbage.settle = report
sys.exit(serve.main())
"""
PASSWORD = {
    "KAITO_CHAT_SIGN_IN": "password",
    "KAITO_CHAT_PASSWORD_USERS": '{"ada": "analytical"}',
    "KAITO_CHAT_AUTH_SECRET": "0" * 64,
}
AZURE = {
    "KAITO_CHAT_ENDPOINT_URL": "https://a.openai.azure.com",
    "KAITO_CHAT_BACKEND": "azure_openai",
    "KAITO_CHAT_MODEL": "gpt",
}
OPTIONAL = {
    *("aiosqlite", "alembic", "asyncpg", "azure", "cryptography", "google", "msal", "pydantic.v1", "requests"),
    *("opentelemetry.sdk", "opentelemetry.exporter", "sqlalchemy"),
}


def loaded(tmp_path: Path, settings: dict[str, str]) -> tuple[str, set[str]]:
    """Return whether PyJWT knows algorithms with keys, and the modules of a process that is ready, in a new process."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "app"),
        "HOME": str(tmp_path),
        "KAITO_CHAT_LISTEN_PORT": str(free_port()),
        "KAITO_CHAT_MANAGEMENT_PORT": str(free_port()),
        "KAITO_CHAT_DATA_DIR": str(tmp_path / "data"),
        "KAITO_CHAT_ENDPOINT_URL": "http://127.0.0.1:9",
        **{name: value.replace("FOLDER", str(tmp_path)) for name, value in settings.items()},
    }
    command = [sys.executable, "-c", CODE]
    ran = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    keys, *names = ran.stdout.split()
    return keys, set(names)


@pytest.mark.parametrize(
    ("settings", "needed", "keys"),
    [
        ({}, set(), "False"),
        (PASSWORD, set(), "False"),
        (
            PASSWORD | {"KAITO_CHAT_DATABASE_URL": "sqlite:///FOLDER/history.db"},
            {"aiosqlite", "alembic", "asyncpg", "sqlalchemy"},
            "False",
        ),
        (AZURE | {"KAITO_CHAT_API_KEY": "key"}, set(), "False"),
        (AZURE, {"azure", "cryptography", "msal", "requests"}, "True"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
            {"google", "opentelemetry.exporter", "opentelemetry.sdk", "requests"},
            "False",
        ),
    ],
    ids=["plain", "sign-in", "history", "key", "identity", "traces"],
)
def test_a_start_loads_what_its_settings_need(
    tmp_path: Path, settings: dict[str, str], needed: set[str], keys: str
) -> None:
    found, names = loaded(tmp_path, settings)
    assert {"chainlit.server", "fastapi", "jwt", "uvicorn"} <= names
    assert names & OPTIONAL == needed
    assert found == keys


async def test_a_conversation_is_signed_in_answered_and_stored_without_the_rest(
    scripted: Running, tmp_path: Path
) -> None:
    """Other tests start from a process that has loaded PyJWT with cryptography, and FastAPI's models complete."""
    database = {"database_url": f"sqlite:///{tmp_path}/history.db"}
    with chat(scripted.url, tmp_path, sys.executable, **SIGN_IN, **database) as app:
        client = await signed_in(app)
        page = Page(app.url, cookie=cookie(client))
        await page.open()
        assert (await page.ask("count to 3")).answer == "1 2 3"
        await page.close()
        assert len(await threads(client)) == 1
        settings = await client.get("/project/settings")
        assert settings.status_code == 200
        client.cookies.clear()
        assert (await client.get("/project/settings")).status_code == 401
        assert (await client.put("/project/thread", json={"threadId": 1})).status_code in (401, 422)
        client.cookies.set("access_token", "eyJhbGciOiJSUzI1NiJ9.eyJpZGVudGlmaWVyIjoiYWRhIn0.AAAA")
        assert (await client.get("/user")).status_code == 401
        await client.aclose()
    assert "Traceback" not in app.text()
