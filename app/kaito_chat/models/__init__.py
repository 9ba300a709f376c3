"""Models of the settings: their readiness, and questions to them.

- `readiness`: whether each model is ready, checked once for all sessions; `states`: the states that the page shows;
  `objects`: the model's objects in the cluster; `download`: the remaining time of a download; `gauges`: metrics.
- `replica`: one server of a model; `routing`: the choice of a server for a question.
- `asking`: one question until its answer is complete, with all retries.
- `fitting`, `context_window`: the messages and the room for the answer that fit into the context window.
- `progress`: the state of an answer while it arrives; `batching`: fewer, larger pieces of a stream.
"""
