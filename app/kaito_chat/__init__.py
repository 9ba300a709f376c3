"""Chat application for open models that KAITO serves on Kubernetes.

From the top down:

- `__main__`, `laptop`, `probe`, `await_kaito`: the programs. `serve`: the process that `__main__` runs.
- `server`: the web application; `chainlit_client`: a client of its page, for `probe` and the tests.
- `routes`, `sockets`: HTTP requests and WebSocket events of the page.
- `chat`: conversations and their turns.
- `history`: conversations in a database. `page`: Chainlit's configuration, files and security headers.
- `texts`: the texts of the page, in 23 languages.
- `models`: readiness of models, and questions to them.
- `kubernetes`: the cluster's API server. `backends`: model servers.
- `settings`, `telemetry`, `engine`: used by all of the above; they import none of them.
- `garbage`: when the process collects garbage.
- `stand_ins`: modules that Chainlit imports and that are not installed. `lean_imports`: imports that leave out more.
"""

from kaito_chat import stand_ins

# Here, because it must come before the first import of Chainlit.
stand_ins.install()
