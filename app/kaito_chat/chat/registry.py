"""Where Chainlit's handlers find what all conversations share: they are loaded by path, so nobody can pass it."""

from typing import Any

from kaito_chat.chat.services import Services

_running: dict[str, Any] = {}


def use(services: Services, data_layer: object | None = None) -> None:
    """Set what the handlers find, before they are loaded."""
    _running.update(services=services, data_layer=data_layer)


def services() -> Services:
    """The shared parts."""
    found: Services = _running["services"]
    return found


def data_layer() -> Any:  # noqa: ANN401 - Chainlit's, which has no types
    """The history, if there is one."""
    return _running.get("data_layer")
