"""Settings of the wake button."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

# The most that Microsoft Graph compares with a user's groups in one request.
MOST_GROUPS = 20


class Waking(BaseModel):
    """The users who may wake a model that sleeps."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    wake_allowed: Literal["nobody", "signed_in", "listed"] = "nobody"
    """Users who may wake a model that was scaled to zero: `signed_in` users, or those `listed` in `wake_users` and
    `wake_groups`. It needs `inference_set_name` of the model, and a Role for the pod's ServiceAccount."""
    wake_users: tuple[str, ...] = ()
    """Names of users who may wake a model, as a JSON list; with Entra ID, their user principal names."""
    wake_groups: Annotated[tuple[UUID, ...], Field(max_length=MOST_GROUPS)] = ()
    """Object ids of groups in Entra ID whose members may wake a model, as a JSON list of at most 20. Memberships are
    read at the sign-in, also those through other groups."""
