"""The management port: health probes for the kubelet and metrics for Prometheus."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kaito_chat.telemetry import metrics


class PortError(Exception):
    """The server cannot listen on a port."""


def application(not_ready: Callable[[], str]) -> Starlette:
    """Build the ASGI application with `/livez`, `/readyz` and `/metrics`.

    Args:
        not_ready: Returns why this replica is not ready, or an empty string.
    """

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        reason = not_ready()
        return JSONResponse({"status": reason or "ok"}, status_code=503 if reason else 200)

    async def prometheus(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", prometheus)])


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Return a listening socket.

    Args:
        host: A local address.
        port: The port; 0 for a free one.
        variable: The variable that sets the port, for the error message.

    Raises:
        PortError: The port is in use, or the address is not local.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortError(f"{variable}={port}: cannot listen on {host}: {error.strerror or error}") from None


class Server(uvicorn.Server):
    """A second server in the process, which leaves signals to the first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serve on a socket while the context is open."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False, workers=1
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait((task,), timeout=5)
