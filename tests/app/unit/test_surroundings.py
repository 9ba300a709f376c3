"""Variables that others set for other programs do not reach Chainlit."""

import os

from kaito_chat.page.surroundings import clear
from support.chat.surroundings import FOREIGN

OTHERS = {
    "PATH": "/bin",
    "HTTPS_PROXY": "http://proxy",
    "AZURE_CLIENT_ID": "x",
    "OTEL_SERVICE_NAME": "x",
    "KAITO_CHAT_SIGN_IN": "none",
    "RUNNER": "x",
}


def test_what_chainlit_would_read_is_removed_and_nothing_else() -> None:
    environ = FOREIGN | OTHERS
    assert clear(environ) == sorted(FOREIGN)
    assert environ == OTHERS | {"CHAINLIT_ENV_FILE": os.devnull}
