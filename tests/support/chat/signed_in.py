"""Users who sign in to a running application with a password."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from support.chat.pages import Hostile
from support.chat.processes import Running, chat

USERS = {"ada": "not-a-secret", "grace": "not-a-secret-either"}
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of these tests
SIGN_IN = {"sign_in": "password", "password_users": json.dumps(USERS), "auth_secret": SECRET}


async def signed_in(app: Running, name: str = "ada") -> httpx.AsyncClient:
    """Return an HTTP client with the cookies of a signed-in user."""
    client = httpx.AsyncClient(base_url=app.url, timeout=20)
    (await client.post("/login", data={"username": name, "password": USERS[name]})).raise_for_status()
    return client


def cookie(client: httpx.AsyncClient) -> str:
    """Return the `Cookie` header of a client."""
    return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


async def opened(app: Running, client: httpx.AsyncClient | None = None, **how: Any) -> Hostile:
    """Return an open page."""
    page = Hostile(app.url, cookie=cookie(client) if client else "", **how)
    try:
        await page.open()
    except Exception:
        await page.close(forget=False)
        raise
    return page


async def threads(client: httpx.AsyncClient) -> list[str]:
    """Return the ids of a user's conversations, as the page lists them."""
    body = {"pagination": {"first": 20}, "filter": {}}
    return [each["id"] for each in (await client.post("/project/threads", json=body)).raise_for_status().json()["data"]]


@asynccontextmanager
async def started(endpoint: str, folder: Path, **settings: str) -> AsyncIterator[Running]:
    """Start the application without blocking the servers of this event loop."""
    context = chat(endpoint, folder, **settings)
    running = await asyncio.to_thread(context.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)
