"""Fakes of KAITO's runtimes by version, and of vLLM, after recorded responses."""

import json
from collections.abc import Callable
from typing import Any

import httpx

Answer = httpx.Response
HEALTHY = {"status": "Healthy"}
WORDS = ["Hello", " there", ", friend", "."]
KNOWN_TO_TRANSFORMERS = {"model", "messages", "stream", "max_tokens", "temperature", "top_p"}


def not_found() -> Answer:
    return Answer(404, json={"detail": "Not Found"})


def broken() -> Answer:
    return Answer(500, text="Internal Server Error", headers={"content-type": "text/plain"})


def sse(*pieces: object, done: bool = True) -> Answer:
    lines = [f"data: {json.dumps(piece)}\n\n" for piece in pieces] + (["data: [DONE]\n\n"] if done else [])
    return Answer(200, text="".join(lines), headers={"content-type": "text/event-stream"})


def delta(**content: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": content}]}


def finish(reason: str = "stop", **more: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], **more}


class Fake:
    """A server that records its requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> Answer:
        try:
            body = json.loads(request.content) if request.content else None
        except ValueError:
            return Answer(
                422, json={"detail": [{"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error"}]}
            )
        self.asked.append((request.method, request.url.path, body))
        route: Callable[[Any], Answer] | None = getattr(
            self, request.method.lower() + self.name(request.url.path), None
        )
        return route(body) if route else self.otherwise(request.method, request.url.path)

    @staticmethod
    def name(path: str) -> str:
        return "_" + (path.strip("/").replace("/", "_") or "root")

    def otherwise(self, method: str, path: str) -> Answer:
        del method, path
        return not_found()

    def bodies(self, path: str) -> list[Any]:
        return [body for method, asked, body in self.asked if asked == path and method == "POST"]


class Legacy06(Fake):
    """KAITO 0.3 to 0.8: the transformers runtime with /chat."""

    def otherwise(self, method: str, path: str) -> Answer:
        return (
            Answer(405, json={"detail": "Method Not Allowed"}) if path == "/chat" else super().otherwise(method, path)
        )

    def get_root(self, _: Any) -> Answer:
        return Answer(200, json={"message": "Server is running"})

    def get_health(self, _: Any) -> Answer:
        return Answer(200, json=HEALTHY)

    def get_metrics(self, _: Any) -> Answer:
        return Answer(200, json={"gpu_info": []})

    def post_chat(self, body: dict[str, Any]) -> Answer:
        if "prompt" not in body:
            return Answer(400, json={"detail": "Text generation parameter prompt required"})
        if not isinstance(body["prompt"], str):
            return Answer(
                422, json={"detail": [{"type": "string_type", "loc": ["body", "prompt"], "msg": "not a string"}]}
            )
        how = body.get("generate_kwargs", {})
        if how.get("temperature", 1) == 0 or how.get("max_length", 200) <= len(body["prompt"].encode()):
            return broken()
        if set(how) - {"max_length", "do_sample", "temperature", "top_k", "top_p"}:
            return broken()
        text = 'He said "yes" twice.'
        return Answer(200, json={"Result": text if body.get("return_full_text") is False else body["prompt"] + text})


class Legacy02(Legacy06):
    """KAITO 0.2, on a machine without a GPU."""

    get_health = None  # type: ignore[assignment]

    def get_healthz(self, _: Any) -> Answer:
        return Answer(500, json={"detail": "No GPU available"})


class Transformers(Fake):
    """KAITO from 0.9: the transformers runtime with OpenAI's routes."""

    def get_v1_models(self, _: Any) -> Answer:
        entry = {"id": "phi-4-mini-instruct", "object": "model", "created": 1, "owned_by": "kaito"}
        return Answer(200, json={"object": "list", "data": [entry]})

    def get_health(self, _: Any) -> Answer:
        return Answer(200, json=HEALTHY)

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if unknown := set(body) - KNOWN_TO_TRANSFORMERS - {"max_completion_tokens"}:
            return Answer(422, json={"detail": f"Unexpected fields in the request: {sorted(unknown)}"})
        if "messages" not in body:
            return broken()
        if body.get("model", "phi-4-mini-instruct") != "phi-4-mini-instruct":
            words = f"Server is pinned to '/workspace/weights@main'; requested '{body['model']}'."
            return Answer(400, json={"detail": words})
        usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
        pieces = [delta(role="assistant", content=""), *(delta(content=word) for word in WORDS)]
        return sse(*pieces, finish(usage=usage, model="/workspace/weights@main"), done=False)


class VLLM(Fake):
    """vLLM, KAITO's default."""

    def __init__(self, model: str = "phi-4-mini-instruct", window_tokens: int = 2048) -> None:
        super().__init__()
        self.model = model
        self.window_tokens = window_tokens
        self.refusals: list[Answer] = []
        self.pieces: list[object] = [delta(content=word) for word in WORDS]

    def get_v1_models(self, _: Any) -> Answer:
        entry = {"id": self.model, "owned_by": "vllm", "root": "/weights", "max_model_len": self.window_tokens}
        return Answer(200, json={"object": "list", "data": [entry]})

    def get_health(self, _: Any) -> Answer:
        return Answer(200)

    def post_tokenize(self, body: dict[str, Any]) -> Answer:
        if "prompt" in body:
            return Answer(200, json={"count": len(body["prompt"].split())})
        return Answer(200, json={"count": sum(len(each["content"].split()) + 4 for each in body["messages"])})

    def post_v1_chat_completions(self, body: dict[str, Any]) -> Answer:
        if self.refusals:
            return self.refusals.pop(0)
        if body.get("model", self.model) != self.model:
            return self.error(404, f"The model `{body['model']}` does not exist.", "NotFoundError", param="model")
        if body.get("max_tokens", 1) > self.window_tokens:
            words = f"max_tokens is too large. This model's maximum context length is {self.window_tokens} tokens."
            return self.error(400, words, "BadRequestError")
        usage = {"prompt_tokens": 12, "completion_tokens": 4}
        return sse(delta(role="assistant", content=""), *self.pieces, finish(), {"choices": [], "usage": usage})

    @staticmethod
    def error(status: int, message: str, kind: str, **more: object) -> Answer:
        return Answer(status, json={"error": {"message": message, "type": kind, "code": status, **more}})


class Downloading(Fake):
    """KAITO's wrapper while it downloads a model: only /metrics."""

    def get_metrics(self, _: Any) -> Answer:
        return Answer(
            200,
            text="# TYPE kaito_model_download_remaining_seconds gauge\nkaito_model_download_remaining_seconds 95.0\n",
        )
