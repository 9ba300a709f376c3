"""`python -m kaito_chat.engine.scripted`: an OpenAI-compatible server with scripted answers.

It imitates vLLM, including its errors, so that the application can be tried and tested without a model.
See: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from kaito_chat.engine import announce, command_line, end_with_parent
from kaito_chat.engine.script import answer_to, prompt_tokens_of, tokens_of

MODEL = "scripted"
WINDOW_TOKENS = 4096
CREATED = 1_735_689_600  # always the same: the engine is deterministic


class RefusalError(Exception):
    """A rejected request, with an error body in vLLM's format."""

    def __init__(self, message: str, kind: str = "BadRequestError", status: int = 400) -> None:
        super().__init__(message)
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": status}}
        self.status = status


@dataclass(frozen=True)
class Completion:
    """A prepared answer, truncated to the requested length.

    Attributes:
        tokens: The pieces of the text.
        prompt_tokens: The token count of the conversation.
        finish_reason: `stop`, or `length` if the answer was truncated.
        usage_wanted: Whether a stream ends with the usage.
    """

    tokens: list[str]
    prompt_tokens: int
    finish_reason: str
    usage_wanted: bool

    @property
    def usage(self) -> dict[str, int]:
        """The token counts in the format of OpenAI's API."""
        count = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": count,
            "total_tokens": self.prompt_tokens + count,
        }


def completion_of(body: object) -> Completion:
    """Return the answer to a request.

    Raises:
        RefusalError: The request is malformed, names another model, or is too long.
    """
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(messages, list) or not messages:
        raise RefusalError("messages: a list with at least one message is required")
    if not all(isinstance(message, dict) for message in messages):
        raise RefusalError("messages: every message must be an object")
    model = body.get("model") or MODEL
    if model != MODEL:
        raise RefusalError(f"The model `{model}` does not exist.", "NotFoundError", 404)
    prompt = prompt_tokens_of(messages)
    wanted = body.get("max_completion_tokens") or body.get("max_tokens")
    longest = _longest(prompt, wanted if isinstance(wanted, int) else None)
    tokens = tokens_of(answer_to(messages))
    options = body.get("stream_options")
    return Completion(
        tokens[:longest],
        prompt,
        "length" if len(tokens) > longest else "stop",
        isinstance(options, dict) and bool(options.get("include_usage")),
    )


def _longest(prompt_tokens: int, max_tokens: int | None) -> int:
    """Return the maximum length of the answer; raise vLLM's error if the prompt leaves no room for it."""
    limit = f"This model's maximum context length is {WINDOW_TOKENS} tokens"
    if prompt_tokens >= WINDOW_TOKENS:
        raise RefusalError(
            f"{limit}. However, your request has {prompt_tokens} input tokens. "
            "Please reduce the length of the input messages."
        )
    room = WINDOW_TOKENS - prompt_tokens
    if max_tokens is None:
        return room
    if max_tokens < 1:
        raise RefusalError(f"max_tokens must be at least 1, got {max_tokens}.")
    if max_tokens > room:
        raise RefusalError(
            f"'max_tokens' or 'max_completion_tokens' is too large: {max_tokens}. {limit} and your request has "
            f"{prompt_tokens} input tokens ({max_tokens} > {WINDOW_TOKENS} - {prompt_tokens})."
        )
    return max_tokens


def application(token_seconds: float) -> Starlette:
    """Build the ASGI application.

    Args:
        token_seconds: The delay between two tokens.
    """

    async def models(_: Request) -> Response:
        entry = {
            "id": MODEL,
            "object": "model",
            "created": CREATED,
            "owned_by": "kaito-chat",
            "root": MODEL,
            "max_model_len": WINDOW_TOKENS,
        }
        return JSONResponse({"object": "list", "data": [entry]})

    async def health(_: Request) -> Response:
        return Response()

    async def chat_completions(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            completion = completion_of(body)
        except RefusalError as refusal:
            return JSONResponse(refusal.body, refusal.status)
        except ValueError:
            return JSONResponse(RefusalError("the body is not JSON").body, 400)
        if body.get("stream"):
            return StreamingResponse(_pieces(completion, token_seconds), media_type="text/event-stream")
        await asyncio.sleep(token_seconds * len(completion.tokens))
        message = {"role": "assistant", "content": "".join(completion.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": completion.finish_reason}
        return JSONResponse(_envelope("chat.completion") | {"choices": [choice], "usage": completion.usage})

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat_completions, methods=["POST"]),
            Route("/health", health),
        ]
    )


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-scripted", "object": kind, "created": CREATED, "model": MODEL}


async def _pieces(completion: Completion, token_seconds: float) -> AsyncIterator[bytes]:
    """Yield the answer as server-sent events; the usage, if requested, precedes `[DONE]`."""

    def event(choices: list[dict[str, Any]], **more: object) -> bytes:
        body = _envelope("chat.completion.chunk") | {"choices": choices} | more
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    def delta(content: dict[str, str], reason: str | None = None) -> list[dict[str, Any]]:
        return [{"index": 0, "delta": content, "finish_reason": reason}]

    yield event(delta({"role": "assistant", "content": ""}))
    for token in completion.tokens:
        await asyncio.sleep(token_seconds)
        yield event(delta({"content": token}))
    yield event(delta({}, completion.finish_reason))
    if completion.usage_wanted:
        yield event([], usage=completion.usage)
    yield b"data: [DONE]\n\n"


class _Server(uvicorn.Server):
    """Exits without draining running answers."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Exit at once, without re-raising the signal."""
        del sig, frame
        self.should_exit = self.force_exit = True


def main() -> int:
    """Serve until a signal arrives, and return the exit code."""
    parser = command_line("kaito_chat.engine.scripted", "An OpenAI-compatible server with scripted answers.")
    parser.add_argument("--token-milliseconds", type=float, default=20, help="delay between two tokens")
    arguments = parser.parse_args()
    try:
        listener = socket.create_server(("127.0.0.1", arguments.port), backlog=128)
    except OSError as error:
        sys.stderr.write(f"cannot listen on 127.0.0.1:{arguments.port}: {error.strerror}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):  # until uvicorn has its own handlers
        signal.signal(number, lambda *_: sys.exit(0))
    announce(f"http://127.0.0.1:{listener.getsockname()[1]}")
    if arguments.with_parent:
        end_with_parent()
    app = application(arguments.token_milliseconds / 1000)
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", ws="none")
    asyncio.run(_Server(config).serve(sockets=[listener]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
