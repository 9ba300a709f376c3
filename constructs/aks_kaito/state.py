"""The place of Terraform's state: a file or a blob for each stack, named without the CDK; and of its provider locks.

See: https://developer.hashicorp.com/terraform/language/backend/azurerm
"""

import hashlib
from typing import Any, Literal, get_args

from aks_kaito.settings import Environment

Part = Literal["platform", "workloads"]
PARTS: tuple[Part, ...] = get_args(Part)

_HASH_CHARACTERS = 12


def stack(environment: Environment, part: Part) -> str:
    """Return the name of one of the environment's two stacks."""
    return f"{environment.names.stack}-{part}"


def file_name(environment: Environment, part: Part) -> str:
    """Return the name of the state file of a stack whose backend is `local`."""
    return f"terraform.{stack(environment, part)}.tfstate"


def provider_lock(part: Part) -> str:
    """Return the name of the file with the hashes of a stack's providers, which are the same in each environment."""
    return f"{part}.terraform.lock.hcl"


def key(environment: Environment, part: Part) -> str:
    """Return the name of a stack's blob, which no other prefix, environment or subscription has.

    The subscription is that of the file, as in the names of resources: without one, teams that share a container need
    different prefixes.
    """
    settings = environment.settings
    subscription = hashlib.sha256((settings.subscription_id or "").encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{settings.prefix.lower()}/{environment.name}/{subscription}/{part}.tfstate"


def blob(environment: Environment, part: Part) -> dict[str, Any]:
    """Return the arguments of the backend `azurerm` of a stack."""
    settings = environment.settings
    subscription = {"subscription_id": settings.subscription_id} if settings.subscription_id else {}
    return {
        "resource_group_name": settings.state.resource_group_name,
        "storage_account_name": str(settings.state.storage_account_name),
        "container_name": settings.state.container_name,
        "key": key(environment, part),
        "use_azuread_auth": True,
        **subscription,
    }
