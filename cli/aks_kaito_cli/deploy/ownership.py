"""Comparison of the states with the environment, before anything is changed.

Terraform would turn the resources of another environment's state into this one: it would destroy them.
"""

from collections.abc import Iterator
from typing import NamedTuple

from aks_kaito.state import Part
from aks_kaito_cli.deploy import states
from aks_kaito_cli.deploy.states import Resource, States
from aks_kaito_cli.pages import LOST_STATE, OTHER_STATE
from aks_kaito_cli.project import environment_file
from aks_kaito_cli.shell import RefusedError, Shell, Step, StepError

_OTHER = """\
{found}
A deployment or destruction would destroy the former, with its data. Undo the change of prefix, location or subscription
(subscription_id or ARM_SUBSCRIPTION_ID), or define the new environment in a file of another name: {page}"""
_LOST = """\
{place} lists no resource group, and Azure has {group}: its state is elsewhere, and a deployment would begin anew beside
it. Take the state along from the machine that deployed it, or from the name that an older version gave it: {page}"""


class Owner(NamedTuple):
    """The environment to which a state belongs.

    Attributes:
        group: Its resource group.
        subscription: The id of its subscription; empty if it is not known.
    """

    group: str
    subscription: str

    def __str__(self) -> str:
        """Return the words for a message."""
        return f"resource group {self.group}" + (f" in subscription {self.subscription}" if self.subscription else "")

    def differs(self, other: "Owner") -> bool:
        """Return whether group or, where both are known, subscription differ; Azure ignores case."""
        groups = self.group.lower() != other.group.lower()
        known = bool(self.subscription and other.subscription)
        return groups or (known and self.subscription.lower() != other.subscription.lower())


def check(shell: Shell, found: States) -> None:
    """Check that both states are empty or belong to the environment.

    Raises:
        RefusedError: A state belongs to another resource group or subscription.
    """
    environment = shell.environment
    owners = [(part, owner) for part, resources in found.items() for owner in _owners(part, resources)]
    subscription = shell.azure.subscription or (_current_subscription(shell) if owners else "")
    wanted = Owner(environment.names.resource_group, subscription)
    wrong = [
        f"{states.place(environment, part)} is the state of {owner}; {environment_file(environment.name)} is {wanted}."
        for part, owner in owners
        if owner.differs(wanted)
    ]
    if wrong:
        raise RefusedError(_OTHER.format(found="\n".join(wrong), page=OTHER_STATE))


def _current_subscription(shell: Shell) -> str:
    """Return the subscription that is used without a choice; empty if az cannot say."""
    try:
        return shell.selected_subscription()
    except StepError:
        return ""


def check_none_is_lost(shell: Shell, found: States) -> None:
    """Check that no resource group exists whose state is elsewhere.

    Raises:
        RefusedError: Azure has the resource group, and the state does not.
        StepError: Azure cannot be asked.
    """
    if any(states.managed(found["platform"], "azurerm_resource_group")):
        return
    environment = shell.environment
    if shell.ask(Step("find the resource group", shell.azure.group_exists())) == "true":
        where, group = states.place(environment, "platform"), environment.names.resource_group
        raise RefusedError(_LOST.format(place=where, group=group, page=LOST_STATE))


def _owners(part: Part, resources: list[Resource]) -> Iterator[Owner]:
    """Yield the owner: the platform's resource group, or the group in which the workloads found their cluster."""
    if part == "platform":
        found = [(each, each.get("name")) for each in states.managed(resources, "azurerm_resource_group")]
    else:
        clusters = states.looked_up(resources, "azurerm_kubernetes_cluster")
        found = [(each, each.get("resource_group_name")) for each in clusters]
    for attributes, group in found:
        if group:
            yield Owner(group, _subscription(str(attributes.get("id") or "")))


def _subscription(resource_id: str) -> str:
    """Return the subscription of a resource id, /subscriptions/ID/resourceGroups/NAME..."""
    parts = resource_id.split("/")
    return parts[2] if resource_id.lower().startswith("/subscriptions/") else ""
