"""Helm releases of charts of this repository and of other projects.

See: https://registry.terraform.io/providers/hashicorp/helm/latest/docs/resources/release
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from cdktn import ITerraformDependable
from cdktn_provider_helm.release import Release
from constructs import Construct

from aks_kaito.charts.names import CHARTS_FOLDER
from aks_kaito.charts.theirs import Chart
from aks_kaito.charts.values import Values

_TIMEOUT_SECONDS = 600
# Relative to Terraform's working directory, cdktf.out/stacks/NAME, so that the output contains no local path.
_FROM_STACK = "../../../charts"


class TheirChart(Construct):
    """Pinned release of another project's chart, in its own namespace.

    Public attributes: `release`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chart: Chart,
        values: Values,
        registry: str | None,
        after: Sequence[ITerraformDependable] = (),
    ) -> None:
        """Define the release, from the chart of its project's registry or of `registry`."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name=chart.release or chart.name,
            repository=f"oci://{registry}" if registry else chart.repository,
            chart=chart.name,
            version=chart.version,
            namespace=chart.namespace,
            create_namespace=True,
            take_ownership=chart.takes_ownership or None,
            atomic=True,
            timeout=_TIMEOUT_SECONDS,
            values=[json.dumps(values, sort_keys=True)],
            depends_on=list(after) or None,
        )


class OurChart(Construct):
    """Release of a chart of this repository.

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
        """Define the release; later values override earlier ones. It waits for Jobs, but not for models."""
        super().__init__(scope, construct_id)
        self.release = Release(
            self,
            "Resource",
            name=chart,
            chart=f"{_FROM_STACK}/{chart}",
            # The provider does not compare a chart's files, so the description contains their fingerprint.
            description=f"files {_fingerprint(chart)}",
            namespace=namespace,
            atomic=True,
            wait_for_jobs=True,
            timeout=timeout_seconds,
            values=[json.dumps(each, sort_keys=True) for each in values],
            depends_on=list(after),
        )


@cache
def _fingerprint(chart: str) -> str:
    """Return the fingerprint of a chart of this repository, which several environments release."""
    return fingerprint(CHARTS_FOLDER / chart)


def fingerprint(chart: Path) -> str:
    """Return twelve hexadecimal digits that change with the files that the release consists of."""
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
