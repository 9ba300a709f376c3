"""Nodes of a model as an environment file describes it: its copies, custom templates, and nodes that exist already."""

from typing import Protocol

from aks_kaito.models.plan import Obstacle, Plan, Wanted, on_slice, plan
from aks_kaito.models.tables import KAITO


class Served(Wanted, Protocol):
    """The settings of one model with its copies."""

    @property
    def template(self) -> str | None:
        """The file of a pod template, if the model has no preset."""

    @property
    def mig_profile(self) -> str | None:
        """The slice of a GPU that the model takes."""

    @property
    def most_replicas(self) -> int:
        """The largest number of copies."""


def of_one(served: Served, version: str) -> Plan:
    """Return the plan of a KAITO version for one copy.

    KAITO creates the configured number of nodes for a template, and knows nothing about its memory. It creates none if
    the model has no size, whose nodes exist; their memory is unknown here, except that of a slice of a GPU.
    """
    if served.template is not None:
        return Plan(nodes=served.node_count if served.instance_type else 0)
    if served.mig_profile is not None:
        return on_slice(served, version, served.mig_profile)
    found = plan(served, version)
    return found if served.instance_type else Plan(nodes=0, obstacles=_of_the_model(found))


def _of_the_model(found: Plan) -> tuple[Obstacle, ...]:
    return tuple(obstacle for obstacle in found.obstacles if obstacle.key != "instance_type")


def takes_token(served: Served, version: str) -> bool:
    """Return whether KAITO gets a Hugging Face token for a preset: a gated one, or one that is unknown here.

    The name of a Workspace contains the token's Secret, so a model that needs none must not get the standby's.
    """
    preset = KAITO[version].find(served.preset)
    return served.template is None and (preset is None or preset.token_required)


def nodes(served: Served, version: str) -> int | None:
    """Return the number of nodes that KAITO creates for all copies; None if it is unknown."""
    each = of_one(served, version).nodes
    return None if each is None else each * served.most_replicas
