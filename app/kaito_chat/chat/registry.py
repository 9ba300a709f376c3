"""The shared objects, for Chainlit's handlers: Chainlit loads these by path, so they cannot take arguments."""

from typing import Any

from kaito_chat.chat.services import Services

_running: dict[str, Any] = {}


def use(services: Services, data_layer: object | None = None) -> None:
    """Set the shared objects; call it before the handlers are loaded."""
    _running.update(services=services, data_layer=data_layer)


def services() -> Services:
    """Return the shared objects of the application."""
    found: Services = _running["services"]
    return found


def data_layer() -> Any:  # noqa: ANN401 - Chainlit's, which has no types
    """Return the data layer, or `None` without a history."""
    return _running.get("data_layer")
