"""The tables of the workloads and of Terraform's state.

These are `[chat]`, `[ingress]`, `[workloads]`, `[charts]` and `[state]`.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aks_kaito.settings.addresses import AllowedSources
from aks_kaito.settings.fields import (
    DnsLabel,
    EmailAddress,
    Guid,
    Hostname,
    Matching,
    ResourceGroupName,
    Section,
    distinct,
    fixed,
)


class Chat(Section):
    """The chat application in the cluster. Its managed identity trusts only its ServiceAccount."""

    namespace: DnsLabel = fixed("kaito-chat")
    """Namespace of the chat and the Workspace."""
    service_account_name: DnsLabel = fixed("kaito-chat")
    """ServiceAccount with the federated workload identity."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Number of pods of the chat; one serves some hundred users."""
    sign_in: Literal["none", "entra"] = "none"
    """Sign-in of users, which history requires. Entra ID needs two secrets in the Key Vault: `chat-auth-secret` and
    `chat-entra-client-secret`."""
    entra_client_id: Guid | None = None
    """Application (client) id of the app registration for sign-in; required with `sign_in = "entra"`."""
    public_without_sign_in: bool = False
    """Publish the chat, and with it the GPU, to everyone who can reach `ingress.hostname`. A host name without sign-in
    is refused unless this is set."""
    wake_allowed: Literal["nobody", "signed_in", "listed"] = "nobody"
    """Users who may wake a model that sleeps (`models.NAME.schedule`) with a button of the page: nobody, everyone who
    signed in, or those of the next two keys. It needs `sign_in`. GPU nodes are billed from then on."""
    wake_users: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(strict=False), AfterValidator(distinct)
    ] = ()
    """User principal names of users who may wake a model, with `wake_allowed = "listed"`."""
    wake_groups: Annotated[tuple[Guid, ...], Field(strict=False, max_length=20), AfterValidator(distinct)] = ()
    """Object ids of at most 20 groups of Entra ID whose members may wake a model, with `wake_allowed = "listed"`."""


class Ingress(Section):
    """The address of the chat, and of the model if it is published.

    See: https://learn.microsoft.com/azure/aks/concepts-network-ingress
    """

    mode: Literal["nginx", "gateway", "webapprouting", "none"] = fixed("nginx")
    """Ingress controller: F5 NGINX, app routing's Gateway API, app routing's NGINX (supported until November 2026), or
    none."""
    hostname: Hostname | None = fixed(None)
    """Host name of the chat. With a DNS zone, the deployment creates its record; otherwise you create it."""
    front_door_only: bool = False
    """Admit web traffic from Azure Front Door's addresses only (its service tag), which all profiles of Azure share.
    Let's Encrypt's HTTP challenge does not arrive then: it requires a DNS zone or certificates of your own."""
    model_hostname: Hostname | None = fixed(None)
    """Host name of the model's own endpoint, for programs; if unset, it is reachable inside the cluster only. The model
    has no authentication, so this requires one of the next two keys, and an NGINX controller, which enforces them."""
    model_allowed_ip_ranges: AllowedSources = ()
    """Public addresses or ranges that can reach the model's endpoint; if empty, all can that have the password."""
    model_basic_auth_secret_name: DnsLabel | None = None
    """Secret in the chat's namespace with users and passwords of the model's endpoint, which you create: key `htpasswd`
    for `nginx` (type `nginx.org/htpasswd`), `auth` for `webapprouting`. If unset, no password is required."""
    dns_zone_name: Hostname | None = fixed(None)
    """Existing public Azure DNS zone in the same subscription; requires `dns_zone_resource_group_name`. Delete existing
    records of the host names first."""
    dns_zone_resource_group_name: ResourceGroupName | None = fixed(None)
    """Resource group of the DNS zone."""
    email: EmailAddress | None = None
    """E-mail address for Let's Encrypt's notices; if unset, it sends none."""

    @property
    def has_static_address(self) -> bool:
        """Whether the platform stack defines the controller's address; app routing's NGINX has its own, and records."""
        return self.mode in ("nginx", "gateway")


class Workloads(Section):
    """The stack of workloads: its credentials, and the workloads beside the chat."""

    credentials: Literal["azurecli", "azd", "msi", "spn", "workloadidentity"] = "azurecli"
    """Sign-in method of `kubelogin`: the account of `az login`, or an identity of a pipeline."""
    cert_manager_enabled: bool = True
    """Install cert-manager, with issuers for Let's Encrypt. Without it, you create the certificates: Secrets
    `kaito-chat-tls`, and `kaito-chat-model-tls` and `kaito-chat-model-NAME-tls` for hosts of models, in the chat's
    namespace."""
    kube_prometheus_stack_enabled: bool = False
    """Install Prometheus, Alertmanager and Grafana in the cluster, in addition to Azure's managed services, with the
    same dashboards and alerts. They use memory of the user nodes and a disk of 64 GiB."""


class Charts(Section):
    """Where the Helm charts of other projects come from.

    See: https://helm.sh/docs/topics/registries/
    """

    registry: (
        Annotated[
            str,
            Matching(
                r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-][a-z0-9]+)*)*",
                "must be a registry's host and path without oci://, such as contoso.azurecr.io/charts",
            ),
        ]
        | None
    ) = None
    """OCI registry with copies of the charts, such as `contoso.azurecr.io/charts`; if unset, each chart comes from its
    project's registry. The deploying machine signs in to it with `helm registry login`."""


class State(Section):
    """The location of the Terraform state of the environment's stacks.

    See: https://developer.hashicorp.com/terraform/language/backend/azurerm
    """

    backend: Literal["local", "azurerm"] = "local"
    """Backend: a file beside `cdktf.json`, or a blob that several operators share, with Entra ID authentication."""
    resource_group_name: ResourceGroupName | None = None
    """Resource group of the storage account."""
    storage_account_name: (
        Annotated[str, Matching(r"[a-z0-9]{3,24}", "must be 3-24 lower-case letters and digits")] | None
    ) = None
    """Storage account, which must exist before the first deployment."""
    container_name: Annotated[
        str, Matching(r"[a-z0-9](-?[a-z0-9]){2,62}", "must be 3-63 lower-case letters, digits and single '-'")
    ] = "tfstate"
    """Container in the storage account. Names of blobs contain prefix, environment and a hash of the subscription."""
