"""The effect of changing each setting on a deployed environment, compared with its mark.

Every key of an environment in which everything is on changes alone, to another value and back. Its mark must say
whether the change replaces a resource, according to the list of azurerm's documentation, or removes one that holds
something.
"""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aks_kaito.review import changes, kinds
from aks_kaito.review.documents import Document, document, type_of
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.fields import EFFECT, Effect
from aks_kaito_cli.deploy import endangered
from support.environments import EVERYTHING, altered
from support.rendered import ID
from support.stacks import synthesized

OTHER_ID = "99999999-2222-3333-4444-555555555555"
WIDER: dict[str, dict[str, Any]] = {
    "bastion": {"enabled": True, "sku": "Standard"},
    "flux": {"enabled": True, "url": "https://example.org/flux"},
    "jump_box": {"enabled": True},
    "key_vault": {"secrets_officer_object_ids": {"someone": ID}},
    "monitoring": {"grafana_admin_object_ids": {"someone": ID}},
    "network": {"pod_subnet_cidr": "10.242.0.0/16"},
    "registry": {"sku": "Premium", "georeplication_locations": ["northeurope"]},
    "cluster": {"api_server_vnet_integration_enabled": True, "dapr_enabled": True},
}
# Another value for each key whose type does not determine one.
OTHERS: dict[str, Any] = {
    "chat.entra_client_id": OTHER_ID,
    "charts.registry": "other.azurecr.io/charts",
    "chat.namespace": "other",
    "chat.service_account_name": "other",
    "chat.wake_groups": [OTHER_ID],
    "chat.wake_users": ["other@example.org"],
    "cluster.admin_group_object_ids": [ID],
    "cluster.admin_username": "other",
    "cluster.application_gateway_resource_id": f"/subscriptions/{ID}/resourceGroups/other/providers"
    "/Microsoft.Network/applicationGateways/other",
    "cluster.authorized_ip_ranges": ["52.136.0.0/24"],
    "cluster.dns_service_ip": "172.16.0.20",
    "cluster.kubernetes_version": "1.34",
    "cluster.maintenance_start_time": "03:00",
    "cluster.pod_cidr": "192.169.0.0/16",
    "cluster.service_cidr": "172.17.0.0/16",
    "cluster.ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" + "B" * 48,
    "flux.branch": "other",
    "flux.kustomization_path": "./other",
    "flux.url": "https://example.org/other",
    "ingress.dns_zone_name": "example.org",
    "ingress.dns_zone_resource_group_name": "other",
    "ingress.email": "other@example.org",
    "ingress.hostname": "other.contoso.com",
    "ingress.model_allowed_ip_ranges": ["52.136.0.0/24"],
    "ingress.model_basic_auth_secret_name": "other",
    "ingress.model_hostname": "other-model.contoso.com",
    "jump_box.image.offer": "other",
    "jump_box.image.publisher": "Other",
    "jump_box.image.sku": "other",
    "jump_box.image.version": "1.0.0",
    "jump_box.vm_size": "Standard_D4ads_v5",
    "kaito.feature_gates": {"enableMultiRoleInferenceController": True},
    "kaito.version": "0.12.0",
    "key_vault.name": "other",
    "key_vault.secrets_officer_object_ids": {"someone": OTHER_ID},
    "location": "northeurope",
    "model.access_secret": "hugging-face",
    "model.adapters": {"tone": {"image": "example.azurecr.io/tone:1"}},
    "model.autoscaling": {"scale_up_cooldown_seconds": 600},
    "model.schedule": {"wakes": "07:30", "sleeps": "20:00"},
    "model.auto_upgrade": {"strategy": "Surge"},
    "model.description": "Other",
    "model.display_name": "Other",
    "model.hostname": "other-model.contoso.com",
    "model.icon": "/public/other.svg",
    "model.mig_profile": "2g.20gb",
    "model.node_image_family": "azurelinux",
    "model.node_labels": {"other": "label"},
    "model.preferred_nodes": ["other"],
    "model.starters": [{"label": "Other", "message": "Other?"}],
    "model.template": "other.yaml",
    "model.vllm": {"max-num-seqs": 64},
    "models": {"other": {"preset": "phi-4", "access_secret": "hugging-face"}},
    "model.instance_type": "Standard_NC48ads_A100_v4",
    "model.preset": "other",
    "model.standby_instance_type": "Standard_NC48ads_A100_v4",
    "model.standby_preset": "phi-4",
    "monitoring.alert_email_addresses": {"other": "other@example.org"},
    "monitoring.annotations_allowed": "pods=[other]",
    "monitoring.basic_log_tables": ["ContainerLogV2"],
    "monitoring.cluster_log_categories": ["guard"],
    "monitoring.grafana_admin_object_ids": {"someone": OTHER_ID},
    "monitoring.labels_allowed": "pods=[other]",
    "monitoring.runbooks_url": "https://git.example.org/runbooks",
    "network.address_space": ["10.0.0.0/8", "172.20.0.0/16"],
    "network.allowed_ip_ranges": ["52.136.0.0/24"],
    "network.api_server_subnet_cidr": "10.243.3.0/27",
    "network.bastion_subnet_cidr": "10.243.4.0/24",
    "network.nat_gateway_zones": ["2"],
    "network.pod_subnet_cidr": "10.244.0.0/16",
    "network.public_ip_zones": ["2"],
    "network.system_subnet_cidr": "10.245.0.0/16",
    "network.user_subnet_cidr": "10.246.0.0/16",
    "network.vm_subnet_cidr": "10.243.5.0/24",
    "openai.deployments": {"chat": {"model": "gpt-4.1", "version": "2025-04-14", "sku_name": "Standard"}},
    "postgresql.sku_name": "GP_Standard_D2ds_v5",
    "prefix": "other",
    "registry.georeplication_locations": ["northeurope", "francecentral"],
    "state.container_name": "other",
    "state.resource_group_name": "other",
    "state.storage_account_name": "other",
    "subscription_id": OTHER_ID,
    "system_pool.node_labels": {"other": "label"},
    "system_pool.vm_size": "Standard_D8ads_v5",
    "system_pool.zones": ["2"],
    "tags": {"other": "tag"},
    "tags_ignored": ["other"],
    "tuning": {"other": {"preset": "phi-4", "data_urls": ["https://example.org/other.json"]}},
    "user_pool.node_labels": {"other": "label"},
    "user_pool.node_taints": ["workload=other:NoSchedule"],
    "user_pool.vm_size": "Standard_D8ads_v5",
    "user_pool.zones": ["2"],
    "system_pool.name": "other",
    "user_pool.name": "other",
}


def leaves(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the dotted name of each key, and its field."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


FIELDS = dict(leaves())


def mark(key: str) -> Effect | None:
    """Return the effect that a key is marked with."""
    extra = FIELDS[key].json_schema_extra
    return Effect(str(extra[EFFECT])) if isinstance(extra, dict) else None


def others(key: str, value: object) -> list[Any]:
    """Return other values of a key."""
    if key in OTHERS:
        return [OTHERS[key]]
    field = FIELDS[key]
    limits = [
        part for check in field.metadata for part in (check.metadata if isinstance(check, FieldInfo) else [check])
    ]
    return list(_others(field.annotation, limits, value))


def _others(annotation: Any, limits: list[Any], value: Any) -> Iterator[Any]:
    """Yield the neighbours of a value among those that its type allows."""
    origin = get_origin(annotation)
    if annotation is bool:
        yield not value
    elif origin is Literal:
        allowed = get_args(annotation)
        at = allowed.index(value)
        yield from {allowed[at - 1], allowed[(at + 1) % len(allowed)]} - {value}
    elif annotation is int:
        highest = next((limit.le for limit in limits if isinstance(limit, Le)), None)
        lowest = next((limit.ge for limit in limits if isinstance(limit, Ge)), 0)
        yield from ([lowest] if value is None else [value + 1] if value != highest else [value - 1])
    elif origin is Annotated:
        inner, *checks = get_args(annotation)
        more = [part for check in checks for part in (check.metadata if isinstance(check, FieldInfo) else [check])]
        yield from _others(inner, [*limits, *more], value)
    elif origin in (Union, UnionType):
        yield from _others(get_args(annotation)[0], limits, value)
    else:
        raise AssertionError(annotation)


@pytest.fixture(scope="module")
def environment(environments: dict[str, Environment]) -> Environment:
    """An environment in which everything is on."""
    return altered(altered(environments["dev"], **EVERYTHING), **WIDER)


@pytest.fixture(scope="module")
def before(environment: Environment) -> dict[str, Document]:
    """Its platform."""
    return platform(environment)


def with_value(environment: Environment, key: str, value: object) -> Environment:
    """Return an environment in which one key has another value."""
    data = environment.settings.model_dump(mode="json", exclude_none=True)
    *tables, last = key.split(".")
    table = data
    for name in tables:
        table = table[name]
    table[last] = value
    return Environment(environment.name, Settings.model_validate(data))


def platform(environment: Environment) -> dict[str, Document]:
    return {"platform": document("platform", synthesized(environment))}


def effects(old: dict[str, Document], new: dict[str, Document]) -> Iterator[str]:
    """Yield what a change replaces, and which resources that hold something it removes."""
    for stack in changes.compare(old, new):
        for address, found in stack.changed.items():
            yield from (f"{address} {change.key}" for change in found if change.replaced_by)
        yield from (f"{address} removed" for address in stack.lost)


def held(old: dict[str, Document], new: dict[str, Document]) -> set[str]:
    """Return the Azure names of resources that a change replaces or removes, and that hold something."""
    lost = [
        address
        for stack in changes.compare(old, new)
        for address in (*stack.replaced, *stack.removed)
        if kinds.kind(type_of(address)).holds
    ]
    return {old["platform"].resources[address]["name"] for address in lost}


def state_of(documents: dict[str, Document]) -> list[dict[str, Any]]:
    """Return the resources of a state as Terraform would write it after this configuration was applied."""
    return [
        {
            "mode": "managed",
            "type": type_of(address),
            "name": address.split(".")[1],
            "instances": [{"attributes": each}],
        }
        for address, each in documents["platform"].managed.items()
    ]


@pytest.mark.parametrize("key", FIELDS)
def test_a_change_that_replaces_or_removes_is_marked(
    key: str, environment: Environment, before: dict[str, Document]
) -> None:
    value: Any = environment.settings
    for name in key.split("."):
        value = getattr(value, name)
    found = set[str]()
    for other in others(key, value):
        after = platform(with_value(environment, key, other))
        for old, new in ((before, after), (after, before)):
            found |= {*effects(old, new)}
            assert held(old, new) <= {name for name, _ in endangered.losses(state_of(old), new["platform"])}
    if mark(key) is not Effect.LOWER_REFUSED:
        assert (mark(key) is Effect.REPLACES) == bool(found), found
