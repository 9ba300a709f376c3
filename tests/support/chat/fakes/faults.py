"""A model server with faults on demand: `fault: NAME` in a question selects one. It writes raw bytes.

`python -m support.chat.fakes.faults --port N`
"""

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable

SSE = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
DONE = "data: [DONE]\n\n"
FOR_EVER = 3600


def piece(text: str | None) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=False) + "\n\n"


def piece_of(content: object) -> str:
    return f"data: {json.dumps(content)}\n\n"


def thought(text: str) -> str:
    return piece_of({"choices": [{"delta": {"reasoning": text}}]})


def end(reason: str = "stop") -> str:
    return "data: " + json.dumps({"choices": [{"delta": {}, "finish_reason": reason}]}) + "\n\n"


def plain(status: int, body: str, kind: str = "application/json", extra: str = "") -> str:
    size = len(body.encode())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {size}\r\n{extra}"
    return f"{head}connection: close\r\n\r\n{body}"


def error(status: int, message: str, kind: str = "x", extra: str = "") -> str:
    return plain(status, json.dumps({"error": {"message": message, "type": kind, "code": status}}), extra=extra)


WHOLE = piece("It ") + piece("works") + piece(".") + end() + DONE
DOCUMENT = {"choices": [{"message": {"content": "It works."}, "finish_reason": "stop"}]}
LESS_ROOM = (
    "'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum context length is 20000 tokens "
    "and your request has 19500 input tokens (1024 > 20000 - 19500)."
)
TOO_LONG = {
    "code": 400,
    "message": "request (30000 tokens) exceeds the available context size (20000 tokens), try increasing it",
    "type": "exceed_context_size_error",
}
FORMULAS = (
    "It costs $5 today and $3 tomorrow. In a line: \\(a^2\\), $b_1$ and $$c$$.\n\n\\[\nd = \\frac{1}{2}\n\\]\n\n"
    "$$e\n= 5$$\n\n- in a list\n  \\[f\\]\n\n`$x$` and `\\(y\\)`\n\n```tex\n\\[z\\] costs $7$\n```\n"
)
IMAGE = "Look: ![a grey cat](https://example.com/cat.png) there."
# The response to the first, second… attempt of a question; the last one repeats. `None` hangs, `RESET` resets.
HANG, RESET = "\0hang", "\0reset"
FAULTS: dict[str, list[list[str]]] = {
    "hang-before-headers": [[HANG]],
    "hang-after-headers": [[SSE, HANG]],
    "hang-mid-stream": [[SSE, piece("Half"), HANG]],
    "reset-before-headers": [[RESET]],
    "reset-mid-stream": [[SSE, piece("Half"), RESET]],
    "cut-without-a-reason": [[SSE, piece("Half")]],
    "cut-in-a-chunk": [
        [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            f"{len(piece('Half')):x}\r\n{piece('Half')}\r\n",
            "ff\r\nx",
        ]
    ],
    "garbage": [["\x16\x03\x01 this is not HTTP\r\n\r\n"]],
    "html": [[plain(200, "<html>Welcome</html>", "text/html")]],
    "redirect": [[plain(302, "", "text/html", "location: /login\r\n")]],
    "json-without-an-answer": [[plain(200, '{"choices": []}')]],
    "json-instead-of-a-stream": [[plain(200, json.dumps(DOCUMENT))]],
    "hang-in-json": [[plain(200, json.dumps(DOCUMENT))[:-9], HANG]],
    "broken-json": [[SSE, piece("Half"), "data: {oops\n\n"]],
    "error-in-the-stream": [[SSE, piece("Half"), 'data: {"error": {"message": "EngineDeadError"}}\n\n']],
    "refused-in-the-stream": [[SSE, piece_of({"error": {"message": "No.", "code": 400}})]],
    "too-long-in-the-stream": [[SSE, f"error: {json.dumps(TOO_LONG)}\n\n"]],
    "busy-in-the-stream": [[SSE, piece_of({"error": "full", "error_type": "overloaded"})], [SSE, WHOLE]],
    "less-room": [[error(400, LESS_ROOM)], [SSE, WHOLE]],
    "no-system-role": [[error(400, "System role not supported")], [SSE, WHOLE]],
    "busy-for-ever": [[error(429, "Too many requests")]],
    "busy-for-long": [[error(429, "Too many requests", extra="retry-after: 300\r\n")]],
    "busy-twice": [[error(429, "Too many")], [error(429, "Too many", extra="retry-after: 1\r\n")], [SSE, WHOLE]],
    "broken": [[plain(500, "Internal Server Error", "text/plain")]],
    "unavailable-twice": [[plain(503, "no")], [plain(503, "no")], [SSE, WHOLE]],
    "unavailable-for-ever": [[plain(503, "no healthy upstream", "text/plain")]],
    "unauthorized": [[error(401, "Unauthorized")]],
    "too-long": [[error(400, "This model's maximum context length is 9 tokens.")]],
    "refused": [[error(400, "roles must alternate")]],
    "unknown-field": [[plain(422, '{"detail": "Unexpected fields: stream_options"}')], [SSE, WHOLE]],
    "huge-line": [[SSE, "data: " + "x" * 2_000_000]],
    "endless": [[SSE] + [piece("and so on " * 20)] * 100_000],
    "endless-comments": [[SSE] + [": ping\n\n", "\0wait"] * 1000],
    "nothing": [[SSE, end(), DONE]],
    "slow": [[SSE, *(each for word in ("It ", "works", ".") for each in ("\0wait", piece(word))), end(), DONE]],
    "slow-thinking": [[SSE, *(each for at in range(30) for each in (thought(f"{at} "), "\0wait")), WHOLE]],
    "byte-by-byte": [[SSE, *(WHOLE.replace("works", "wörks 模型 \U0001f600"))]],
    "split-utf-8": [["\0bytes"]],
    "crlf": [[SSE, WHOLE.replace("\n", "\r\n")]],
    "formulas": [[SSE, *(piece(FORMULAS[at : at + 3]) for at in range(0, len(FORMULAS), 3)), end(), DONE]],
    "nested-quotations": [[SSE, piece("It works.\n\n" + "> " * 4000 + "x"), end(), DONE]],
    "nested-lists": [[SSE, piece("It works.\n\n" + "- " * 3000 + "x"), end(), DONE]],
    "nested-emphasis": [[SSE, piece("It works.\n\n" + "*a **b " * 1200 + "b** a* " * 1200), end(), DONE]],
    "nested-images": [[SSE, piece("It works.\n\n" + "![" * 2000 + "x" + "](u)" * 2000), end(), DONE]],
    "nested-thinking": [
        [SSE, *(piece(each) for each in ("<think>", "> " * 4000, "x</think>", "It works.")), end(), DONE]
    ],
    "image": [[SSE, piece(IMAGE), end(), DONE]],
    "no-done": [[SSE, WHOLE.removesuffix(DONE)]],
    "null-content": [[SSE, piece(None), "data: {}\n\n", 'data: {"choices": []}\n\n', WHOLE]],
    "limit": [[SSE, piece("Half"), end("length"), DONE]],
    "parts": [
        [SSE, piece_of({"choices": [{"delta": {"content": [{"type": "text", "text": "It works."}]}}]}), end(), DONE]
    ],
    "white-space": [[SSE, piece(" \n"), end(), DONE]],
    "filtered": [[SSE, end("content_filter"), DONE]],
    "filtered-midway": [[SSE, piece("Half"), end("content_filter"), DONE]],
    "aborted": [[SSE, piece("Half"), end("abort"), DONE]],
    "thinking-in-tags": [[SSE, *(piece(each) for each in "<think>Hm.</think>\n\nIt works."), end(), DONE]],
    "thought-out": [[SSE, piece("<think>Hm"), end("length"), DONE]],
    "reasoning": [[SSE, 'data: {"choices": [{"delta": {"reasoning": "Hm."}}]}\n\n', WHOLE]],
}


class Server:
    """The routes, and the open requests."""

    def __init__(self) -> None:
        self.open = 0
        self.attempts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(size[1]) if size else 0)
                if not await self.answer(head.split()[1], body, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, path: str, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request, and return whether the connection is kept."""
        if path == "/v1/models":
            entry = {"id": "faulty", "owned_by": "vllm", "max_model_len": 32768}
            writer.write(plain(200, json.dumps({"data": [entry]})).replace("connection: close\r\n", "").encode())
        elif path == "/open":
            writer.write(plain(200, json.dumps({"open": self.open, "attempts": self.attempts})).encode())
            return False
        elif path == "/v1/chat/completions":
            await self.while_open(self.complete(json.loads(body)["messages"], writer), reader)
            return False
        else:
            writer.write(plain(404, "{}").encode())
            return False
        return True

    async def while_open(self, answering: Awaitable[None], reader: asyncio.StreamReader) -> None:
        """Answer until the end, or until the client closes the connection."""
        self.open += 1
        tasks = {asyncio.ensure_future(answering), asyncio.ensure_future(reader.read(1))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def complete(self, messages: list[dict[str, str]], writer: asyncio.StreamWriter) -> None:
        question = messages[-1]["content"]
        asked = [message["content"] for message in messages if message["role"] == "user"]
        found = re.search(r"fault: ([\w-]+) (\S+)$", question)
        if found is None:
            seen = len(re.findall(r"fault: ", "\n".join(asked)))
            writer.write((SSE + piece(f"seen {seen}") + end() + DONE).encode())
            await writer.drain()
            return
        self.attempts[found[2]] += 1
        attempts = FAULTS[found[1]]
        for item in attempts[min(self.attempts[found[2]], len(attempts)) - 1]:
            await self.write(item, writer)

    async def write(self, item: str, writer: asyncio.StreamWriter) -> None:
        special: dict[str, Callable[[], Awaitable[object]]] = {
            HANG: lambda: asyncio.sleep(FOR_EVER),
            "\0wait": lambda: asyncio.sleep(0.2),
        }
        if item in special:
            await special[item]()
        elif item == RESET:
            writer.transport.abort()
        elif item == "\0bytes":
            whole = (SSE + WHOLE.replace("works", "wörks 模型 \U0001f600")).encode()
            cut = whole.index("模".encode()) + 1
            for part in (whole[:cut], whole[cut:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.05)
        else:
            writer.write(item.encode())
            await writer.drain()
            if len(item) == 1:
                await asyncio.sleep(0)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    server = await asyncio.start_server(Server().serve, "127.0.0.1", parser.parse_args().port, limit=1_000_000)
    async with server, asyncio.timeout(600):
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
