"""The chat's embedded engine with one thread, for `sizing_engine.py`: on a busy CPU several wait for each other."""

import sys
import time

import xllamacpp

from kaito_chat.engine import announce, end_with_parent
from kaito_chat.engine.embedded import CONVERSATIONS, WINDOW_TOKENS, model_file


def main() -> int:
    """Serve until the parent process ends."""
    path = model_file()
    if path is None:
        return 2
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.port = 0
    params.n_parallel = CONVERSATIONS
    params.n_ctx = WINDOW_TOKENS * CONVERSATIONS
    params.kv_unified = False
    params.ui = False
    params.verbosity = -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    announce(server.listening_address)
    end_with_parent()
    while True:
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
