"""The second port: health probes and metrics, for the kubelet and Prometheus and nobody else."""

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
    """A port cannot be listened on."""


def application(not_ready: Callable[[], str]) -> Starlette:
    """The routes `/livez`, `/readyz` and `/metrics`.

    Args:
        not_ready: Why no requests should be sent here; empty if they may be.
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
    """A socket that listens.

    Args:
        host: An address of this machine.
        port: 0 takes a free one.
        variable: The setting that chose the port, for the error.

    Raises:
        PortError: Something else listens there, or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortError(f"{variable}={port}: cannot listen on {host}: {error.strerror or error}") from None


class Server(uvicorn.Server):
    """Serves beside the application's own server, which has the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the application's server."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """Serve on a socket, until the end of the block."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait((task,), timeout=5)
