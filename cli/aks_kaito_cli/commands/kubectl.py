"""Command lines of kubectl."""

from aks_kaito.charts.names import CHAT_DEPLOYMENT, CHAT_SERVICE, KAITO_DEPLOYMENT, NGINX_NAMESPACE
from aks_kaito_cli.commands import Command

_DEPLOYMENT = f"deployment/{CHAT_DEPLOYMENT}"
# KAITO's controller, whose image tag is KAITO's version.
_KAITO = f"deployment/{KAITO_DEPLOYMENT}"
_IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"
_POOLS = (
    "jsonpath={range .items[*]}{.metadata.name}{range .status.parents[*].conditions[*]}"
    ' {.type}={.status}{end}{"\\n"}{end}'
)
_PATIENCE = "--request-timeout=15s"
_NAME = ("--output", "name")


class Kubectl:
    """Build commands for the chat's namespace.

    Attributes:
        namespace: The chat's namespace.
        kubeconfig: The file that signs in; without one, kubectl uses the user's own.
    """

    def __init__(self, namespace: str, kubeconfig: str | None = None) -> None:
        """Remember the namespace and the kubeconfig."""
        self.namespace = namespace
        self.kubeconfig = kubeconfig

    def command(self, *words: str, namespace: str | None = None) -> Command:
        """Build any command, in the chat's namespace or in another."""
        access = ("--kubeconfig", self.kubeconfig) if self.kubeconfig else ()
        return ("kubectl", *access, "--namespace", namespace or self.namespace, *words)

    def find_secret(self, name: str) -> Command:
        """Print the name of a Secret if it exists."""
        return self.command("get", "secret", name, *_NAME)

    def chat_image(self) -> Command:
        """Print the image of the chat's Deployment."""
        return self.command("get", _DEPLOYMENT, "--output", _IMAGE)

    def kaito_image(self, namespace: str) -> Command:
        """Print the image of KAITO's controller, whose namespace depends on the distribution."""
        return self.command("get", _KAITO, "--output", _IMAGE, _PATIENCE, namespace=namespace)

    def inference_pools(self) -> Command:
        """Print the names of the pools of models, each with its conditions."""
        return self.command("get", "inferencepools.inference.networking.k8s.io", "--output", _POOLS, _PATIENCE)

    def exec_in_chat(self, *words: str) -> Command:
        """Run a program in one of the chat's pods."""
        return self.command("exec", _DEPLOYMENT, "--", *words)

    def forward_chat(self, port: int) -> Command:
        """Forward a port of this machine to the chat."""
        return self.command("port-forward", f"service/{CHAT_SERVICE}", f"{port}:80")

    def find_gateways(self, *names: str) -> Command:
        """Print the names of those Gateways that exist."""
        return self.command(
            "get", "gateways.gateway.networking.k8s.io", *names, "--ignore-not-found", *_NAME, _PATIENCE
        )

    def find_nginx(self) -> Command:
        """Print the names of the Services of F5's NGINX."""
        return self.command("get", "services", *_NAME, _PATIENCE, namespace=NGINX_NAMESPACE)
