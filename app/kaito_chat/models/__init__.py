"""Models of the settings: their readiness, and questions to them.

- `readiness`: whether each model is ready, checked once for all sessions; `download`: the remaining time of a download.
- `asking`: one question until its answer is complete, with all retries.
- `fitting`, `context_window`: the messages and the room for the answer that fit into the context window.
- `progress`: the state of an answer while it arrives; `batching`: fewer, larger pieces of a stream.
"""
