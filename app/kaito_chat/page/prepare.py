"""Set-up of Chainlit's directory and environment variables, before Chainlit is imported.

Chainlit writes below its root directory when it is imported, so its root is the data directory, the only writable one.
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
custom_meta_image_url = "{root_path}/public/icon.svg"
default_avatar_file_url = "{root_path}/public/icon.svg"

[meta]
generated_by = "{version}"
"""


class DataDirError(Exception):
    """The data directory is not writable."""


def prepare(settings: Settings) -> None:
    """Write Chainlit's configuration and files below the data directory, and point Chainlit at it.

    Raises:
        DataDirError: The directory cannot be created or written.
    """
    surroundings.clear()
    root = settings.data_dir
    origins = [settings.public_origin] if settings.public_origin else []
    config = TEMPLATE.format(
        session_timeout=settings.session_timeout_seconds,
        origins=json.dumps(origins),
        root_path=settings.root_path,
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
    """Set the environment variables from which Chainlit configures sign-in."""
    if settings.auth_secret:
        os.environ["CHAINLIT_AUTH_SECRET"] = settings.auth_secret.get_secret_value()
    if settings.public_origin:  # without the root path: Chainlit appends the request's full path
        os.environ["CHAINLIT_URL"] = settings.public_origin
    if settings.sign_in == "entra" and settings.entra_client_secret:
        os.environ |= {
            "OAUTH_AZURE_AD_CLIENT_ID": settings.entra_client_id or "",
            "OAUTH_AZURE_AD_CLIENT_SECRET": settings.entra_client_secret.get_secret_value(),
            "OAUTH_AZURE_AD_TENANT_ID": settings.entra_tenant_id or "",
            "OAUTH_AZURE_AD_ENABLE_SINGLE_TENANT": "true",
            # The profile only, and no refresh token: the application never acts on the user's behalf.
            "OAUTH_AZURE_AD_SCOPES": "https://graph.microsoft.com/User.Read",
        }
