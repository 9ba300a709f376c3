"""Helm releases: the charts of others, pinned, and our own.

See: https://registry.terraform.io/providers/hashicorp/helm/latest/docs/resources/release
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from cdktn import ITerraformDependable
from cdktn_provider_helm.release import Release
from constructs import Construct

from aks_kaito.charts.ours import Values
from aks_kaito.charts.theirs import Chart

CHARTS = Path(__file__).parents[3] / "charts"
_TIMEOUT_SECONDS = 600
# Relative to where Terraform runs, cdktf.out/stacks/NAME: no path of the machine that synthesized.
_FROM_STACK = "../../../charts"


class TheirChart(Construct):
    """Defines a pinned release of somebody else's chart, in a namespace of its own.

    Public attributes: `release`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chart: Chart,
        values: Values,
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Define the release, which has the chart's name."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name=chart.name,
            repository=chart.repository,
            chart=chart.name,
            version=chart.version,
            namespace=chart.namespace,
            create_namespace=True,
            atomic=True,
            timeout=_TIMEOUT_SECONDS,
            values=[json.dumps(values, sort_keys=True)],
            depends_on=list(after) or None,
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
        values: Sequence[Values],
        after: Sequence[ITerraformDependable],
        timeout_seconds: int = _TIMEOUT_SECONDS,
    ) -> None:
        """Define the release; later values go before earlier ones. It waits for Jobs, not for models."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name=chart,
            chart=f"{_FROM_STACK}/{chart}",
            # The provider compares a chart's version and values, never its templates; so they are named here.
            description=f"files {fingerprint(CHARTS / chart)}",
            namespace=namespace,
            atomic=True,
            wait_for_jobs=True,
            timeout=timeout_seconds,
            values=[json.dumps(each, sort_keys=True) for each in values],
            depends_on=list(after),
        )


def fingerprint(chart: Path) -> str:
    """Twelve digits that change when a file of the chart does that a release is made of."""
    shipped = [
        chart / "Chart.yaml",
        chart / "values.yaml",
        *(chart / "templates").rglob("*"),
        *(chart / "files").rglob("*"),
    ]
    digest = hashlib.sha256()
    for path in sorted(path for path in shipped if path.is_file()):
        digest.update(path.relative_to(chart).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
