"""Models that KAITO downloads from Hugging Face: the token, the licence, and the hosts that the nodes must reach."""

import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from aks_kaito.models.tables import KAITO
from aks_kaito.settings.model import Model
from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.preflight.context import Context

GROUP = "Model"
# The hosts of the model's row in tools/hosts.toml, and of the nodes' first row; a test compares them.
DOWNLOADS = ("huggingface.co", "*.hf.co", "*.huggingface.co")
IMAGES = ("mcr.microsoft.com", "*.data.mcr.microsoft.com")
# Hugging Face's own tools read the same variables.
_TOKEN, _ENDPOINT = "HF_TOKEN", "HF_ENDPOINT"
_PUBLIC = "https://huggingface.co"
_TIMEOUT = (4, 10)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_LONGEST_MESSAGE = 200


class _Served(NamedTuple):
    """A model that KAITO serves; `id` on Hugging Face."""

    id: str
    is_downloaded: bool
    token_required: bool


class _Answer(NamedTuple):
    status: int
    code: str
    message: str
    body: object


def checks(context: Context) -> list[Check]:
    """Return the checks of the models that the environment serves; none while KAITO is off."""
    settings = context.settings
    if not settings.kaito.enabled:
        return []
    with_presets = [model for model in settings.all_models.values() if model.template is None]
    models = [*with_presets, *filter(None, (model.standby() for model in with_presets))]
    # Models and standbys of one preset are one download.
    served = list(dict.fromkeys(_served(each, settings.kaito.version) for each in models))
    first = {_served(each, settings.kaito.version) for each in with_presets}
    downloaded = [each for each in served if each.is_downloaded]
    found = [Check(GROUP, "egress", partial(_egress, served))]
    if downloaded:
        found.append(Check(GROUP, "Hugging Face token", partial(_token, context, downloaded)))
    for each in downloaded:
        subject = f"{'model' if each in first else 'standby'} access"
        found.append(Check(GROUP, subject, partial(_access, context, subject, each)))
    return found


def _served(model: Model, version: str) -> _Served:
    """Return the model's id, and whether this KAITO version downloads it instead of taking it from an image."""
    tables = KAITO[version]
    preset = tables.find(model.preset)
    if preset is None:
        return _Served(model.preset, is_downloaded=True, token_required=False)
    # Models of one shape are equal, so that identity decides.
    name = next(name for name, each in tables.models.items() if each is preset.model)
    is_downloaded = tables.estimator is not None or preset.token_required
    return _Served(name, is_downloaded, preset.token_required)


def _egress(served: list[_Served]) -> Iterator[Finding]:
    """Yield the hosts that the nodes must reach, which cannot be tried from here."""
    hosts = (*IMAGES, *(DOWNLOADS if any(each.is_downloaded for each in served) else ()))
    text = f"the nodes need HTTPS to {', '.join(hosts)}: allow these where a firewall filters egress"
    yield Finding(GROUP, "egress", "info", text)


def _token(context: Context, downloaded: list[_Served]) -> Iterator[Finding]:
    finding = partial(Finding, GROUP, "Hugging Face token")
    required = [each.id for each in downloaded if each.token_required]
    token = context.variables.get(_TOKEN, "")
    if not token:
        if required:
            text = f"{', '.join(required)} needs a token, and {_TOKEN} is not set: the Workspace's is not checked"
            yield finding("unknown", text, f"Set {_TOKEN} to the token of the Workspace's Secret")
        return
    if not _is_sendable(token):
        text = f"{_TOKEN} has spaces, line breaks or letters that no token has"
        yield finding("blocker" if required else "warning", text, f"Set {_TOKEN} to the token alone")
        return
    answer = _asked(context, "/api/whoami-v2")
    if isinstance(answer, str):
        yield finding("unknown", answer)
    elif answer.status == _UNAUTHORIZED:
        text = f"Hugging Face refuses the token of {_TOKEN}: it is wrong, expired or revoked"
        yield finding("blocker" if required else "warning", text, f"Create one: {_endpoint(context)}/settings/tokens")
    elif answer.status == _OK and isinstance(answer.body, dict) and isinstance(answer.body.get("name"), str):
        yield finding("ok", f"the token of {_TOKEN} is valid, of the account {answer.body['name']}")
    else:
        yield finding("unknown", f"Hugging Face answers {_described(answer)} about the token")


def _access(context: Context, subject: str, model: _Served) -> Iterator[Finding]:
    """Yield whether the account of the token, or everyone without one, may download a model."""
    finding = partial(Finding, GROUP, subject)
    has_token = _is_sendable(context.variables.get(_TOKEN, ""))
    answer = _asked(context, f"/api/models/{model.id}/auth-check")
    page = f"{_endpoint(context)}/{model.id}"
    if isinstance(answer, str):
        yield finding("unknown", answer, f"The nodes may reach it all the same; its page: {page}")
    elif answer.status == _OK:
        yield finding("ok", f"{model.id} exists, and {'the token' if has_token else 'everyone'} may download it")
    elif answer.code == "GatedRepo" and not has_token:
        text = f"{model.id} is gated, and {_TOKEN} is not set: the licence's acceptance is not checked"
        yield finding("unknown", text, f"Accept the licence at {page}, and set {_TOKEN} to a token of that account")
    elif answer.code == "GatedRepo":
        said = f": {answer.message}" if answer.message else ""
        text = f"{model.id} is gated, and the token's account may not download it{said}"
        yield finding("blocker", text, f"Accept the licence at {page}; the token needs read access to gated models")
    elif answer.code == "RepoNotFound" or answer.status == _NOT_FOUND:
        text = f"Hugging Face has no model {model.id} that {'the token' if has_token else 'everyone'} may see"
        yield finding("blocker", text, f"Correct model.preset, or set {_TOKEN} to a token that may read {page}")
    elif answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        yield finding("unknown", f"Hugging Face answers {_described(answer)} about {model.id}", f"Check {_TOKEN}")
    else:
        yield finding("unknown", f"Hugging Face answers {_described(answer)} about {model.id}")


def _asked(context: Context, path: str) -> _Answer | str:
    """Ask Hugging Face; return its answer, or the reason why there is none."""
    endpoint = _endpoint(context)
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        return f"{_ENDPOINT}={endpoint}: must begin with https://, or a token would be readable on its way"
    token = context.variables.get(_TOKEN, "")
    headers = {"Authorization": f"Bearer {token}"} if _is_sendable(token) else {}
    try:
        answer = requests.get(f"{endpoint}{path}", headers=headers, timeout=_TIMEOUT)
    except requests.RequestException as error:
        # Its text can contain headers.
        return f"{parts.hostname} cannot be reached from here ({type(error).__name__})"
    try:
        body = answer.json()
    except ValueError:
        body = None
    message = " ".join(answer.headers.get("X-Error-Message", "").split())
    return _Answer(
        answer.status_code,
        answer.headers.get("X-Error-Code", ""),
        (message.replace(token, "(token)") if token else message)[:_LONGEST_MESSAGE],
        body,
    )


def _endpoint(context: Context) -> str:
    return (context.variables.get(_ENDPOINT) or _PUBLIC).rstrip("/")


def _is_sendable(token: str) -> bool:
    """Return whether a header can carry the token; the library's error for others would show it."""
    return re.fullmatch(r"[!-~]+", token) is not None


def _described(answer: _Answer) -> str:
    return " ".join(filter(None, [f"HTTP {answer.status}", answer.code, answer.message]))
