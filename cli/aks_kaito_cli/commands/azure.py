"""Command lines of the Azure CLI."""

from aks_kaito.settings import Environment
from aks_kaito_cli.commands import Command

# See: https://learn.microsoft.com/rest/api/keyvault/secrets/get/get
_VAULT_API_VERSION = "2023-07-01"
_TSV = ("--output", "tsv")
_SILENT = ("--output", "none")


class Azure:
    """Build commands for one environment, in the subscription that Terraform deploys to."""

    def __init__(self, environment: Environment, subscription: str | None) -> None:
        """Remember the environment; without a subscription, az uses its own default."""
        self._environment = environment
        self._names = environment.names
        self.subscription = subscription

    def _az(self, *words: str) -> Command:
        return ("az", *words, *(("--subscription", self.subscription) if self.subscription else ()))

    def _named(self, name: str) -> Command:
        return ("--resource-group", self._names.resource_group, "--name", name)

    def show_cluster(self, query: str) -> Command:
        """Print one property of the cluster."""
        return self._az("aks", "show", *self._named(self._names.cluster), "--query", query, *_TSV)

    def get_credentials(self, kubeconfig: str | None = None) -> Command:
        """Write a kubeconfig: to the given file, or into the user's own."""
        file = ("--file", kubeconfig) if kubeconfig else ()
        return self._az("aks", "get-credentials", *self._named(self._names.cluster), *file)

    def run_in_cluster(self, command: str) -> Command:
        """Run a command line inside the cluster, through Azure's management API."""
        return self._az("aks", "command", "invoke", *self._named(self._names.cluster), "--command", command)

    def registry_token(self) -> Command:
        """Ask the registry for a token, without an engine to store it in."""
        return self._az("acr", "login", "--name", self._names.registry, "--expose-token", *_SILENT)

    def image_digest(self, image: str) -> Command:
        """Print the digest of an image, `NAME:TAG` or `NAME@DIGEST`."""
        image_in_registry = ("--name", self._names.registry, "--image", image)
        return self._az("acr", "repository", "show", *image_in_registry, "--query", "digest", *_TSV)

    def build_image(self, image: str, folder: str) -> Command:
        """Build an image on the registry's machines."""
        return self._az("acr", "build", "--registry", self._names.registry, "--image", image, folder)

    def find_secret(self, secret: str) -> Command:
        """Print a secret's name, through Azure's management API, which never returns its value."""
        subscription = self.subscription or "{subscriptionId}"  # az replaces it by its default
        group = f"/subscriptions/{subscription}/resourceGroups/{self._names.resource_group}"
        vault = f"{group}/providers/Microsoft.KeyVault/vaults/{self._names.key_vault}"
        url = f"{vault}/secrets/{secret}?api-version={_VAULT_API_VERSION}"
        return ("az", "rest", "--method", "get", "--url", url, "--query", "name", *_TSV)

    def set_secret(self, secret: str, file: str) -> Command:
        """Store the content of a file as a secret."""
        place = ("--vault-name", self._names.key_vault, "--name", secret)
        return ("az", "keyvault", "secret", "set", *place, "--file", file, *_SILENT)

    def create_dashboard(self, definition: str) -> Command:
        """Create or replace a dashboard of Managed Grafana from a JSON file."""
        source = ("--definition", f"@{definition}", "--overwrite", "true", *_SILENT)
        return self._az("grafana", "dashboard", "create", *self._named(self._names.grafana), *source)

    def grafana_endpoint(self) -> Command:
        """Print the address of Managed Grafana."""
        query = ("--query", "properties.endpoint", *_TSV)
        return self._az("grafana", "show", *self._named(self._names.grafana), *query)

    def ingress_address(self) -> Command:
        """Print the platform's static address for the ingress controller."""
        name = self._names.of("pip", "ingress")
        return self._az("network", "public-ip", "show", *self._named(name), "--query", "ipAddress", *_TSV)

    def jump_box_id(self) -> Command:
        """Print the resource id of the jump box."""
        return self._az("vm", "show", *self._named(self._names.jump_box), "--query", "id", *_TSV)

    def bastion_ssh(self) -> Command:
        """Open a shell through Bastion; the target and the user's key are still to be added."""
        user = self._environment.settings.cluster.admin_username
        key = ("--auth-type", "ssh-key", "--username", user)
        return self._az("network", "bastion", "ssh", *self._named(self._names.of("bas")), *key)

    def group_exists(self) -> Command:
        """Print whether the resource group exists: true or false."""
        return self._az("group", "exists", "--name", self._names.resource_group)

    def list_resources(self) -> Command:
        """Print type and name of each resource in the resource group."""
        group = ("--resource-group", self._names.resource_group)
        return self._az("resource", "list", *group, "--query", "[].[type, name]", *_TSV)

    def list_node_pools(self) -> Command:
        """Print name, size and number of nodes of each pool, KAITO's included."""
        cluster = ("--resource-group", self._names.resource_group, "--cluster-name", self._names.cluster)
        return self._az("aks", "nodepool", "list", *cluster, "--query", "[].[name, vmSize, count]", *_TSV)

    def node_groups(self) -> Command:
        """Print the resource group in which AKS keeps the cluster's nodes; nothing if there is none."""
        owned = f"[?ends_with(managedBy || '', '/managedClusters/{self._names.cluster}')].name"
        return self._az("group", "list", "--query", owned, *_TSV)

    def deleted_vault(self) -> Command:
        """Print the time at which Azure purges the deleted key vault; nothing if there is none."""
        purged = f"[?name=='{self._names.key_vault}'].properties.scheduledPurgeDate"
        return self._az("keyvault", "list-deleted", "--resource-type", "vault", "--query", purged, *_TSV)

    def deleted_vault_place(self) -> Command:
        """Print region and purge time of a deleted key vault of the environment's name; nothing if there is none."""
        place = "properties.location, properties.scheduledPurgeDate"
        query = f"[?name=='{self._names.key_vault}'].[{place}]"
        return self._az("keyvault", "list-deleted", "--resource-type", "vault", "--query", query, *_TSV)

    def current_subscription(self) -> Command:
        """Print the id of the subscription that az has selected."""
        return ("az", "account", "show", "--query", "id", *_TSV)
