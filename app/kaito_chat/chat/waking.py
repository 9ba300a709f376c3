"""Waking of models that were scaled to zero, by the users whom the settings admit."""

import logging

from chainlit.user import User

from kaito_chat.chat.services import Services
from kaito_chat.kubernetes.resources import ApiError
from kaito_chat.models.readiness import Model
from kaito_chat.models.states import State
from kaito_chat.settings import Settings
from kaito_chat.telemetry import metrics
from kaito_chat.telemetry.audit import record

log = logging.getLogger(__name__)

# The key in a user's metadata with the ids of those groups in `wake_groups` of which the user is a member.
GROUPS = "wake_groups"


def may_wake(settings: Settings, model: Model, user: User | None) -> bool:
    """Return whether a user may wake a model, provided that it sleeps and can be woken."""
    if user is None or model.settings.inference_set_name is None or settings.wake_allowed == "nobody":
        return False
    if settings.wake_allowed == "signed_in":
        return True
    if str(user.identifier).casefold() in {name.casefold() for name in settings.wake_users}:
        return True
    groups = (user.metadata or {}).get(GROUPS)
    return isinstance(groups, list) and any(str(group) in groups for group in settings.wake_groups)


def offers_wake(settings: Settings, model: Model, user: User | None) -> bool:
    """Return whether to show a user the wake button."""
    return model.state is State.ASLEEP and may_wake(settings, model, user)


async def wake(services: Services, model: Model, user: User) -> None:
    """Start the replicas of a model; a model that has some stays as it is.

    Raises:
        PermissionError: The user may not wake it.
        ApiError: The API server refuses, fails or does not answer.
    """
    name, schedule = model.settings.inference_set_name, model.settings.schedule
    if name is None or not may_wake(services.settings, model, user):
        record("wake", user.identifier, "not_allowed", model=model.name)
        raise PermissionError(model.name)
    try:
        await services.inference_sets.wake(name, schedule.replicas if schedule else 1)
    except ApiError as error:
        log.warning("a model was not woken", extra={"model": model.name, "reason": str(error)})
        record("wake", user.identifier, error.reason, model=model.name)
        raise
    metrics.LAST_USE.labels(model.name).set_to_current_time()
    record("wake", user.identifier, "ok", model=model.name)
    model.check_soon()
