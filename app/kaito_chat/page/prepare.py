"""Lays out the directory that Chainlit reads, and sets the variables that it reads, before it is imported.

Chainlit writes below its root when it is imported, so the root is the one writable directory.
See: https://docs.chainlit.io/backend/config/overview
"""

import json
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from kaito_chat.page import surroundings, translations
from kaito_chat.settings import PREFIX, Settings

ASSETS = Path(__file__).parent / "assets"
TEMPLATE = """\
[project]
user_env = []
session_timeout = {session_timeout}
user_session_timeout = 1296000
cache = false
allow_origins = {origins}
transports = ["websocket"]

[features]
unsafe_allow_html = false
latex = true
auto_tag_thread = false
edit_message = true
user_message_markdown = true

[features.spontaneous_file_upload]
enabled = false

[features.mcp]
enabled = false

[UI]
name = "KAITO Chat"
description = "Talk to an open model that runs in your own cluster."
default_theme = "light"
layout = "default"
cot = "full"
custom_css = "/public/kaito-chat.css"
custom_js = "/public/kaito-chat.js"
custom_meta_image_url = "/public/icon.svg"
default_avatar_file_url = {avatar}

[meta]
generated_by = "{version}"
"""


class DataDirError(Exception):
    """The one writable directory cannot be written."""


def prepare(settings: Settings) -> None:
    """Write Chainlit's configuration and files below the data directory, and point Chainlit at it.

    Raises:
        DataDirError: The directory cannot be made or written.
    """
    surroundings.clear()
    root = settings.data_dir
    origins = [settings.public_url] if settings.public_url else ["*"]
    config = TEMPLATE.format(
        session_timeout=settings.session_timeout_seconds,
        origins=json.dumps(origins),
        # The page takes this address as it is, also below a path of its own.
        avatar=json.dumps(f"{getattr(settings, 'root_path', '')}/public/icon.svg"),
        version=version("chainlit"),
    )
    try:
        (root / ".chainlit").mkdir(parents=True, exist_ok=True)
        (root / ".chainlit" / "config.toml").write_text(config, encoding="utf-8")
        (root / "chainlit.md").write_text((ASSETS / "readme.md").read_text(encoding="utf-8"), encoding="utf-8")
        translations.write(root / ".chainlit" / "translations")
        shutil.copytree(ASSETS / "public", root / "public", dirs_exist_ok=True, copy_function=shutil.copyfile)
    except OSError as error:
        raise DataDirError(f"{PREFIX}DATA_DIR={str(root)!r}: cannot be written: {error.strerror or error}") from None
    os.environ["CHAINLIT_APP_ROOT"] = str(root)
    _sign_in(settings)


def _sign_in(settings: Settings) -> None:
    """Chainlit reads what it needs for sign-in from variables of its own."""
    if settings.auth_secret:
        os.environ["CHAINLIT_AUTH_SECRET"] = settings.auth_secret.get_secret_value()
    if settings.public_url:
        os.environ["CHAINLIT_URL"] = settings.public_url
    if settings.sign_in == "entra" and settings.entra_client_secret:
        os.environ |= {
            "OAUTH_AZURE_AD_CLIENT_ID": settings.entra_client_id or "",
            "OAUTH_AZURE_AD_CLIENT_SECRET": settings.entra_client_secret.get_secret_value(),
            "OAUTH_AZURE_AD_TENANT_ID": settings.entra_tenant_id or "",
            "OAUTH_AZURE_AD_ENABLE_SINGLE_TENANT": "true",
            # Who somebody is, and no refresh token: nothing here acts for people while they are away.
            "OAUTH_AZURE_AD_SCOPES": "https://graph.microsoft.com/User.Read",
        }
