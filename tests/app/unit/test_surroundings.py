"""Environment variables of other programs do not reach Chainlit."""

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


def test_only_variables_that_chainlit_would_read_are_removed() -> None:
    environ = FOREIGN | OTHERS
    assert clear(environ) == sorted(FOREIGN)
    assert environ == OTHERS | {"CHAINLIT_ENV_FILE": os.devnull}
