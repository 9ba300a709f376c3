"""Environment variables meant for other programs do not reach Chainlit."""

import os

from kaito_chat.page.surroundings import clear

FOREIGN = {
    "RUN": "1",
    "run": "1",
    "FEATURES": "x",
    "UI": "{}",
    "Project": "kaito",
    "CODE": "x",
    "ROOT": "/nowhere",
    "CHAINLIT_SERVER": "x",
    "CHAINLIT_ROOT_PATH": "/elsewhere",
    "CHAINLIT_AUTH_COOKIE_NAME": "x",
    "CHAINLIT_CUSTOM_AUTH": "1",
    "DATABASE_URL": "postgresql://nowhere/x",
    "LITERAL_API_KEY": "x",
    "SLACK_BOT_TOKEN": "x",
    "SLACK_SIGNING_SECRET": "x",
    "TEAMS_APP_ID": "x",
    "TEAMS_APP_PASSWORD": "x",
    "DISCORD_BOT_TOKEN": "x",
    "OAUTH_GITHUB_CLIENT_ID": "x",
    "OAUTH_GITHUB_CLIENT_SECRET": "x",
    "BUCKET_NAME": "x",
    "APP_AWS_REGION": "x",
    "STORAGE_EXPIRY_TIME": "soon",
}
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
