"""Prometheus metrics, served at `/metrics`.

Each counter has a series with the value 0 for every known value of its labels. Prometheus computes rates between
samples: without a first sample of 0, the first event of a pod would not appear in any rate.

See: https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
"""

from collections.abc import Iterable

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

# The outcomes of questions besides the kinds of errors.
OUTCOMES = ("answered", "length", "drained", "stopped", "left")
# The reasons of refused requests and questions.
REFUSALS = (
    *("origin", "path", "route", "body", "slow", "packet", "sessions", "searches"),
    *("malformed", "signed_out", "flood", "question"),
    *("user_answers", "answers", "user_rate", "rate"),
)

REQUESTS = Counter("kaito_chat_requests", "Questions, by model and outcome.", ["model", "outcome"])
ERRORS = Counter(
    "kaito_chat_errors",
    "Questions without a complete answer, by model and kind; not those that are too long for the model.",
    ["model", "kind"],
)
RETRIES = Counter("kaito_chat_retries", "Retries before the first token.", ["model"])
FIRST_TOKEN = Histogram(
    "kaito_chat_time_to_first_token_seconds",
    "From the question to the first token.",
    ["model"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
ANSWER = Histogram(
    "kaito_chat_answer_seconds",
    "From the question to the end of its answer.",
    ["model"],
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
TOKENS = Counter("kaito_chat_tokens", "Tokens, by model and direction (prompt or completion).", ["model", "direction"])
ACTIVE = Gauge("kaito_chat_active_streams", "Answers being generated.", ["model"])
WAITING = Gauge("kaito_chat_waiting_questions", "Questions waiting for their model to become ready.", ["model"])
SESSIONS = Gauge("kaito_chat_sessions", "Open pages, including those that may still reconnect.")
MODEL_READY = Gauge("kaito_chat_model_ready", "Whether the model is ready (1) or not (0).", ["model"])
HISTORY_ERRORS = Counter("kaito_chat_history_errors", "Failed operations on the history's database.")
REFUSED = Counter("kaito_chat_refused", "Requests and questions that were refused, by reason.", ["reason"])
SIGN_INS = Counter("kaito_chat_sign_ins", "Sign-in attempts, by outcome (ok, failed or limited).", ["outcome"])
HISTORY_PENDING = Gauge("kaito_chat_history_pending", "Writes waiting for the history's database.")
HISTORY_OLDEST = Gauge("kaito_chat_history_oldest_pending_seconds", "Age of the oldest waiting write.")
HISTORY_DROPPED = Counter("kaito_chat_history_dropped", "Writes to the history that were lost, by reason.", ["reason"])
DRAINING = Gauge("kaito_chat_draining", "Whether this process is shutting down.")

for _metric, _values in (
    (REFUSED, REFUSALS),
    (SIGN_INS, ("ok", "failed", "limited")),
    (HISTORY_DROPPED, ("full", "refused", "foreign", "shutdown")),
):
    for _value in _values:
        _metric.labels(_value)


def begin(model: str, *, outcomes: Iterable[str], errors: Iterable[str]) -> None:
    """Create the series of a model, with the value 0.

    Args:
        model: The model's name.
        outcomes: The outcomes of its questions besides `OUTCOMES`.
        errors: The kinds of errors.
    """
    for outcome in (*OUTCOMES, *outcomes):
        REQUESTS.labels(model, outcome)
    for kind in errors:
        ERRORS.labels(model, kind)
    for direction in ("prompt", "completion"):
        TOKENS.labels(model, direction)
    for metric in (RETRIES, FIRST_TOKEN, ANSWER, ACTIVE, WAITING):
        metric.labels(model)


def exposition() -> bytes:
    """Return all metrics in Prometheus's text format, including those of the process."""
    return generate_latest(REGISTRY)
