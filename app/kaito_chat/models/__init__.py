"""Questions to models: readiness, retries, context window, and streamed answers.

- `readiness`: whether each model is ready, polled once for all sessions.
- `asking`: one question, with retries before the first token.
- `context_window`: the part of a conversation that fits into the model's context window.
- `progress`: the state of an answer while it streams.
- `batching`: batches of stream events.
"""
