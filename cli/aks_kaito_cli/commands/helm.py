"""Command lines of Helm."""

from typing import NamedTuple

from aks_kaito.charts.names import CHAT_CHART
from aks_kaito_cli.commands import Command

_TIMEOUT = "10m"


class Upgrade(NamedTuple):
    """An upgrade of the chat's release.

    Attributes:
        chart: The chart's folder.
        values: The values file that a synthesis wrote.
        namespace: The namespace of the release.
        kubeconfig: The file that signs in; without one, Helm uses the user's own.
        version: The image's tag or digest; each replaces the other.
    """

    chart: str
    values: str
    namespace: str
    kubeconfig: str | None
    version: str

    def command(self, program: str, helm_version: str) -> Command:
        """Build the upgrade, which is rolled back if the pods do not become ready."""
        tag, digest = ("", self.version) if self.version.startswith("sha256:") else (self.version, "")
        access = ("--kubeconfig", self.kubeconfig) if self.kubeconfig else ()
        return (
            *(program, "upgrade", "--install", CHAT_CHART, self.chart),
            *(*access, "--namespace", self.namespace),
            *("--reset-then-reuse-values", "--values", self.values),
            *("--set-string", f"chat.image.tag={tag}", "--set-string", f"chat.image.digest={digest}"),
            *("--timeout", _TIMEOUT, *_waiting(helm_version)),
        )


def version(program: str) -> Command:
    """Print Helm's version."""
    return (program, "version", "--short")


def _waiting(helm_version: str) -> Command:
    """Wait for the pods only: the default of Helm 4 would wait for the model too."""
    return ("--atomic", "--wait") if helm_version.startswith("v3") else ("--rollback-on-failure", "--wait=legacy")
