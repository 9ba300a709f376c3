"""A model server with fixed timing: the first token after 0.3 s, sixty in 2 s; /chat answers after 2 s."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

FIRST_SECONDS, ANSWER_SECONDS, TOKENS = 0.3, 2.0, 60


async def models(_: Request) -> Response:
    """List one model."""
    return JSONResponse({"data": [{"id": "fixed", "owned_by": "vllm", "max_model_len": 100_000}]})


async def chat(_: Request) -> Response:
    """Answer the legacy route, with the whole text at the end."""
    await asyncio.sleep(ANSWER_SECONDS)
    return JSONResponse({"Result": "word " * TOKENS})


async def completions(request: Request) -> Response:
    """Stream an answer; a question of one word gets one token at once."""
    body = await request.json()
    quick = " " not in body["messages"][-1]["content"]
    return StreamingResponse(_stream(1 if quick else TOKENS, quick=quick), media_type="text/event-stream")


async def _stream(tokens: int, *, quick: bool) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    pace = (ANSWER_SECONDS - FIRST_SECONDS) / max(tokens - 1, 1)
    for number in range(tokens):
        if not quick:
            await asyncio.sleep(max(0.0, began + FIRST_SECONDS + number * pace - loop.time()))
        yield _event({"choices": [{"index": 0, "delta": {"content": "word "}}]})
    yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, object]) -> str:
    frame = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "fixed"}
    return f"data: {json.dumps(frame | content)}\n\n"


if __name__ == "__main__":
    routes = [
        Route("/v1/models", models),
        Route("/chat", chat, methods=["POST"]),
        Route("/v1/chat/completions", completions, methods=["POST"]),
    ]
    uvicorn.run(
        Starlette(routes=routes),
        port=int(sys.argv[1]),
        log_level="warning",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=120,  # 200 pages take longer than the default 5 s to connect
    )
