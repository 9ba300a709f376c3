"""One question to one model: from its readiness to the batches of its answer.

- `readiness`: whether each model is ready, checked once for all sessions.
- `asking`: one question, with retries before the first token.
- `context_window`: the part of a conversation that fits into the model's context window.
- `progress`: the state of an answer while it arrives.
- `batching`: fewer, larger pieces of a stream.
"""
