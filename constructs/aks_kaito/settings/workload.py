"""The tables of what runs in the cluster: `[chat]`, `[ingress]` and `[workloads]`."""

from typing import Annotated, Literal

from pydantic import Field

from aks_kaito.settings.fields import (
    AllowedSources,
    DnsLabel,
    EmailAddress,
    Guid,
    Hostname,
    Matching,
    ResourceGroupName,
    Section,
)


class Chat(Section):
    """Where the chat application lives in the cluster; its identity trusts this service account only."""

    namespace: DnsLabel = "kaito-chat"
    """Namespace of the chat and the Workspace."""
    service_account_name: DnsLabel = "kaito-chat"
    """ServiceAccount that the workload identity is federated with."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Pods of the chat; one carries some hundred people."""
    sign_in: Literal["none", "entra"] = "none"
    """Whether people sign in; history needs it. Its two secrets come from the Key Vault: `chat-auth-secret` and
    `chat-entra-client-secret`."""
    entra_client_id: Guid | None = None
    """Application (client) id of the app registration that people sign in with; goes with `sign_in = "entra"`."""


class Ingress(Section):
    """How people reach the chat.

    See: https://learn.microsoft.com/azure/aks/concepts-network-ingress
    """

    mode: Literal["nginx", "gateway", "webapprouting", "none"] = "nginx"
    """F5 NGINX, app routing's Gateway API, app routing's NGINX (support ends November 2026), or none."""
    hostname: Hostname | None = None
    """Host name of the chat; with a DNS zone its record is made, without one you point it at the address."""
    model_hostname: Hostname | None = None
    """Host name of the model's own endpoint, for programs; left out, it stays inside. The model asks nobody who they
    are, so it goes with one of the next two keys, and with an NGINX controller, which can."""
    model_allowed_ip_ranges: AllowedSources = ()
    """Public addresses or ranges that may ask the model's endpoint; left empty, all may who have the password."""
    model_basic_auth_secret_name: DnsLabel | None = None
    """Secret of the chat's namespace with users and passwords of the model's endpoint, which you make: key `htpasswd`
    for `nginx` (type `nginx.org/htpasswd`), `auth` for `webapprouting`. Left out, no password is asked for."""
    dns_zone_name: Hostname | None = None
    """Existing public Azure DNS zone of the same subscription; goes with `dns_zone_resource_group_name`. A record that
    the host has already must be deleted first."""
    dns_zone_resource_group_name: ResourceGroupName | None = None
    """Resource group of that zone."""
    email: EmailAddress | None = None
    """Address for Let's Encrypt's notices; left out, it sends none."""

    @property
    def has_static_address(self) -> bool:
        """Whether the controller takes a public address of ours; app routing's NGINX brings its own and its records."""
        return self.mode in ("nginx", "gateway")


class Workloads(Section):
    """How the stack of what runs in the cluster is deployed, and what it brings beside the chat."""

    credentials: Literal["azurecli", "azd", "msi", "spn", "workloadidentity"] = "azurecli"
    """How `kubelogin` signs in to the cluster: as whoever ran `az login`, or as an identity of a pipeline."""
    cert_manager_enabled: bool = True
    """cert-manager, and issuers for Let's Encrypt's certificates. Without it you make the certificates: Secrets
    `kaito-chat-tls`, and `kaito-chat-model-tls` for the model's host, in the chat's namespace."""
    kube_prometheus_stack_enabled: bool = False
    """A Prometheus, an Alertmanager and a Grafana in the cluster, beside Azure's managed ones, with the same dashboards
    and alerts. It costs memory on the user nodes and a disk of 64 GiB."""


class State(Section):
    """Where Terraform keeps the state of an environment's stacks.

    See: https://developer.hashicorp.com/terraform/language/backend/azurerm
    """

    backend: Literal["local", "azurerm"] = "local"
    """A file beside `cdktf.json`, or a blob that several people share; reached with Entra ID, without keys."""
    resource_group_name: ResourceGroupName | None = None
    """Resource group of the storage account."""
    storage_account_name: (
        Annotated[str, Matching(r"[a-z0-9]{3,24}", "must be 3-24 lower-case letters and digits")] | None
    ) = None
    """Storage account, which is there before the first deployment."""
    container_name: Annotated[
        str, Matching(r"[a-z0-9](-?[a-z0-9]){2,62}", "must be 3-63 lower-case letters, digits and single '-'")
    ] = "tfstate"
    """Container in it; each stack has a blob of its own name."""
