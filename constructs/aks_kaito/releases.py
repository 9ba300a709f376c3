"""Helm releases: the charts of others, pinned, and our own.

See: https://registry.terraform.io/providers/hashicorp/helm/latest/docs/resources/release
"""

import json
from collections.abc import Sequence

from cdktn import ITerraformDependable
from cdktn_provider_helm.release import Release
from constructs import Construct

from aks_kaito import chart_values

_TIMEOUT_SECONDS = 600
# Relative to where Terraform runs, cdktf.out/stacks/NAME: no path of the machine that synthesized.
_OUR_CHARTS = "../../../charts"


def _of_others(
    scope: Construct, *, name: str, repository: str, version: str, namespace: str, values: chart_values.Values
) -> Release:
    """A pinned release of somebody else's chart, in a namespace of its own."""
    return Release(
        scope,
        "Resource",
        name=name,
        repository=repository,
        chart=name,
        version=version,
        namespace=namespace,
        create_namespace=True,
        atomic=True,
        timeout=_TIMEOUT_SECONDS,
        values=[json.dumps(values, sort_keys=True)],
    )


class CertManager(Construct):
    """Defines cert-manager, which may write DNS records as the identity that its ServiceAccount is federated with.

    Public attributes: `release`.

    See: https://cert-manager.io/docs/installation/helm/
    """

    NAME = "cert-manager"
    VERSION = "v1.21.1"

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Define the release; namespace and ServiceAccount have its name."""
        super().__init__(scope, construct_id)
        identity = {"azure.workload.identity/use": "true"}
        self.release = _of_others(
            self,
            name=self.NAME,
            repository="oci://quay.io/jetstack/charts",
            version=self.VERSION,
            namespace=self.NAME,
            values={
                "crds": {"enabled": True},
                "config": {
                    "apiVersion": "controller.config.cert-manager.io/v1alpha1",
                    "kind": "ControllerConfiguration",
                    "gatewayAPI": {"enabled": True},
                },
                "podLabels": identity,
                "serviceAccount": {"labels": identity},
            },
        )


class NginxController(Construct):
    """Defines F5's NGINX Ingress Controller.

    Public attributes: `release`.

    See: https://docs.nginx.com/nginx-ingress-controller/
    """

    VERSION = "2.6.4"

    def __init__(self, scope: Construct, construct_id: str, *, values: chart_values.Values) -> None:
        """Define the release with some of `chart_values`."""
        super().__init__(scope, construct_id)
        self.release = _of_others(
            self,
            name="nginx-ingress",
            repository="oci://ghcr.io/nginx/charts",
            version=self.VERSION,
            namespace=chart_values.NGINX_NAMESPACE,
            values=values,
        )


class OurChart(Construct):
    """Defines a release of a chart of this repository.

    Public attributes: `release`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chart: str,
        namespace: str,
        values: Sequence[chart_values.Values],
        after: Sequence[ITerraformDependable],
        timeout_seconds: int = _TIMEOUT_SECONDS,
    ) -> None:
        """Define the release; later values go before earlier ones. It waits for Jobs, not for models."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name=chart,
            chart=f"{_OUR_CHARTS}/{chart}",
            namespace=namespace,
            atomic=True,
            wait_for_jobs=True,
            timeout=timeout_seconds,
            values=[json.dumps(each, sort_keys=True) for each in values],
            depends_on=list(after),
        )
