"""Smoke test: send one real message to a chat application and to model servers.

`python -m kaito_chat.probe --chat https://chat.example.com --model http://workspace-phi-4-mini-instruct`, or in the
application's own pod `python -m kaito_chat.probe --models` for every model of its settings.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import httpx
import socketio.exceptions
from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential
from pydantic import ValidationError

from kaito_chat.backends import (
    Backend,
    Endpoint,
    Message,
    Request,
    Sampling,
    Text,
    Timeouts,
    backend_at,
    connect,
    pool,
)
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import trust
from kaito_chat.chainlit_client import Page
from kaito_chat.settings import PREFIX, ModelSettings, SettingsError, read

QUESTION = "Say hello in one short sentence."
SAMPLING = Sampling(temperature=0.0, top_p=1.0, max_tokens=16)
POLL_SECONDS = 2.0
TRUST_SECONDS = 600.0
# One attempt for the request, for each field that a server may refuse, and for completions instead of a chat.
MOST_FORMS = 8


class ProbeError(Exception):
    """A probed service did not answer as expected."""


def at(url: str) -> ModelSettings:
    """Return default settings for the model server at a URL.

    Raises:
        ProbeError: The URL is invalid.
    """
    try:
        return ModelSettings(endpoint_url=url)
    except ValidationError as error:
        raise ProbeError(f"--model {url}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def servers_of(model: ModelSettings) -> dict[str, ModelSettings]:
    """Return the settings of each server of a model, by a name for the output."""
    if not model.replica_urls:
        return {model.name or model.endpoint_url: model}
    return {f"{model.name} at {each.endpoint_url}".removeprefix(" at "): each for each in model.servers}


def ca_file() -> Path | None:
    """Return the path of the additional CA certificates in the environment, if set.

    Raises:
        ProbeError: The file cannot be read.
    """
    name = os.environ.get(f"{PREFIX}CA_FILE")
    try:
        trust(Path(name) if name else None)
    except OSError as error:
        raise ProbeError(f"{PREFIX}CA_FILE={name}: {error}") from None
    return Path(name) if name else None


async def probe_model(model: ModelSettings, timeout_seconds: float, reach_seconds: float = 0) -> str:
    """Wait until a model server is ready, ask it a question, and return the name of the model that answered.

    Raises:
        ProbeError: It did not answer.
    """
    began = time.monotonic()
    deadline = began + reach_seconds
    timeouts = Timeouts(first_token=timeout_seconds, token=timeout_seconds, answer=timeout_seconds)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(pool(5, 1, ca_file()))
        keyless = model.backend == "azure_openai" and not model.api_key_variable
        credential = await stack.enter_async_context(DefaultAzureCredential()) if keyless else None
        endpoint = connect(model, client, timeouts, credential=credential)
        while True:
            try:
                return await _ask(endpoint, model)
            except BackendError as error:
                if error.kind is not Kind.NOT_READY or time.monotonic() + POLL_SECONDS > deadline:
                    raise ProbeError(str(error)) from None
            except AzureError as error:
                # A new federated credential takes some minutes to become valid; a missing one never does.
                if time.monotonic() + POLL_SECONDS > min(deadline, began + TRUST_SECONDS):
                    raise ProbeError(f"Entra ID gives no token: {error.message.splitlines()[0]}") from None
            await asyncio.sleep(POLL_SECONDS)


async def _ask(endpoint: Endpoint, model: ModelSettings) -> str:
    backend = await backend_at(endpoint, model)
    served = await backend.describe()
    text = await _answer(backend, backend.request(served, [Message("user", QUESTION)], SAMPLING))
    if not text.strip():
        raise ProbeError("the answer is empty")
    listed = "" if served.listed or not served.id or backend.name == "azure_openai" else ", not listed by its server"
    return f"{served.id or 'unnamed model'} ({backend.name}{listed})"


async def _answer(backend: Backend, request: Request) -> str:
    """Return the text of the answer; send the request again in other forms if the server refuses its form."""
    for _ in range(MOST_FORMS - 1):
        try:
            return await _text(backend, request)
        except BackendError as error:
            adapted = backend.adapt(request, error)
            if adapted is None:
                raise
            request = adapted
    return await _text(backend, request)


async def _text(backend: Backend, request: Request) -> str:
    text = ""
    async with aclosing(backend.stream(request)) as batches:
        async for events in batches:
            text += "".join(event.text for event in events if isinstance(event, Text))
    return text


async def _reach(url: str, seconds: float) -> dict[str, Any]:
    """Poll until the page answers, since DNS and certificate may take a while; return its sign-in configuration."""
    deadline = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=10, verify=trust(ca_file())) as client:
        while True:
            try:
                (await client.get(f"{url}/")).raise_for_status()
                sign_in: dict[str, Any] = (await client.get(f"{url}/auth/config")).raise_for_status().json()
            except (httpx.HTTPError, ValueError) as error:
                if time.monotonic() + POLL_SECONDS > deadline:
                    raise ProbeError(str(error) or type(error).__name__) from None
            except httpx.InvalidURL as error:
                raise ProbeError(str(error)) from None
            else:
                return sign_in
            await asyncio.sleep(POLL_SECONDS)


async def probe_chat(url: str, timeout_seconds: float, reach_seconds: float = 0) -> str:
    """Ask a question on the page; if it requires sign-in, only check that the page and its sign-in answer.

    Raises:
        ProbeError: The page or its model does not answer.
    """
    url = url.rstrip("/")
    sign_in = await _reach(url, reach_seconds)
    if sign_in.get("requireLogin"):
        return "page and sign-in respond; no message was sent, since that requires a signed-in user"
    page = Page(url, trust=trust(ca_file()))
    try:
        await page.open()
        heard = await page.ask(QUESTION, timeout_seconds)
    except socketio.exceptions.ConnectionError as error:
        raise ProbeError(f"no WebSocket: {error}") from None
    except TimeoutError:
        raise ProbeError(f"no answer within {timeout_seconds:g} s") from None
    finally:
        await page.close()
    if not heard.answer:
        raise ProbeError(f"no answer, but: {heard.notice or 'nothing'}")
    return f"first text after {heard.first_text_seconds or 0:.1f} s"


async def _run(options: argparse.Namespace) -> int:
    failed = False
    probes: dict[str, Coroutine[Any, Any, str]] = {}
    models = {"model": at(options.model)} if options.model is not None else {}
    if options.models:
        for each in read().settings.configured_models:
            models |= {f"model {name}": server for name, server in servers_of(each).items()}
    for name, model in models.items():
        probes[name] = probe_model(model, options.timeout, options.reach)
    if options.chat is not None:
        probes["chat"] = probe_chat(options.chat, options.timeout, options.reach)
    for name, probe in probes.items():
        began = time.monotonic()
        try:
            words = await probe
        except ProbeError as error:
            failed = True
            sys.stdout.write(f"{name}: FAILED {error}\n")
        else:
            sys.stdout.write(f"{name}: OK {words}, {time.monotonic() - began:.1f} s\n")
    return int(failed)


def main() -> int:
    """Return the exit code: 0 if everything answered, 1 if something did not, 2 for invalid options or settings."""
    parser = argparse.ArgumentParser(prog="python -m kaito_chat.probe", description=__doc__)
    parser.add_argument("--chat", metavar="URL", help="address of the chat application")
    parser.add_argument("--model", metavar="URL", help="address of a model server")
    parser.add_argument("--models", action="store_true", help="probe every model of the application's settings")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=120, help="for each answer; default: 120")
    parser.add_argument(
        "--reach",
        metavar="SECONDS",
        type=float,
        default=0,
        help="how long to wait for page and model to become ready; default: 0",
    )
    options = parser.parse_args()
    if options.chat is None and options.model is None and not options.models:
        parser.error("nothing to probe: give --chat, --model or --models")
    try:
        return asyncio.run(_run(options))
    except (ProbeError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
