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


class CertManager(Construct):
    """Defines cert-manager, which may write DNS records as the identity that its ServiceAccount is federated with.

    Public attributes: `release`.

    See: https://cert-manager.io/docs/installation/helm/
    """

    NAMESPACE = "cert-manager"
    VERSION = "v1.21.1"

    def __init__(self, scope: Construct, construct_id: str) -> None:
        """Define the release, in a namespace of its own."""
        super().__init__(scope, construct_id)
        identity = {"azure.workload.identity/use": "true"}
        values = {
            "crds": {"enabled": True},
            "config": {
                "apiVersion": "controller.config.cert-manager.io/v1alpha1",
                "kind": "ControllerConfiguration",
                "gatewayAPI": {"enabled": True},
            },
            "podLabels": identity,
            "serviceAccount": {"labels": identity},
        }
        self.release = Release(
            self,
            "Resource",
            name="cert-manager",
            repository="oci://quay.io/jetstack/charts",
            chart="cert-manager",
            version=self.VERSION,
            namespace=self.NAMESPACE,
            create_namespace=True,
            atomic=True,
            timeout=_TIMEOUT_SECONDS,
            values=[json.dumps(values, sort_keys=True)],
        )


class NginxController(Construct):
    """Defines F5's NGINX Ingress Controller.

    Public attributes: `release`.

    See: https://docs.nginx.com/nginx-ingress-controller/
    """

    VERSION = "2.6.4"

    def __init__(self, scope: Construct, construct_id: str, *, values: chart_values.Values) -> None:
        """Define the release, in a namespace of its own."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name="nginx-ingress",
            repository="oci://ghcr.io/nginx/charts",
            chart="nginx-ingress",
            version=self.VERSION,
            namespace=chart_values.NGINX_NAMESPACE,
            create_namespace=True,
            atomic=True,
            timeout=_TIMEOUT_SECONDS,
            values=[json.dumps(values, sort_keys=True)],
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
