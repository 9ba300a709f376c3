"""Generator of docs/reference/kaito-distributions.md, from the catalog, the pinned charts and the feature gates."""

from collections.abc import Iterator
from pathlib import Path

from aks_kaito.catalog import CATALOG, KaitoFeature
from aks_kaito.charts import theirs
from aks_kaito.settings.feature_gates import DEFAULTS, NEEDED_BY_A_GATE

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "kaito-distributions.md"
_HEADER = """\
# KAITO's distributions

The two values of `kaito.distribution`, and the features of each. This page is generated from `catalog.toml`, the pinned
charts and KAITO's feature gates (`make docs`); do not edit it. [Use the open-source
KAITO](../how-to/use-the-open-source-kaito.md) explains the choice.

| | `"addon"` | `"helm"` |
|---|---|---|
| Installed by | AKS, in the first stack | Helm, in the second stack: {chart} |
| Version | AKS's; documented {documented} | `kaito.version`: {versions} |
| Upgraded by | AKS, without notice | you, with `kaito.version` and `make deploy` |
| Support | Microsoft | the KAITO project, on GitHub |
| Namespace of the controller | `kube-system` | `{namespace}` |
| GPU nodes | AKS's own provisioner, a node pool for each node | `kaito.provisioner`: \
AKS's node auto-provisioning, {provisioner}, or existing nodes |
| Nodes of a deleted model | can stay as node pools, [billed](../how-to/delete-forgotten-gpu-pools.md) | \
deleted with it by node auto-provisioning; node pools as with the add-on |
| Feature gates | none can be set | `kaito.feature_gates` |
| AMD GPUs, Windows | no | no |

## Features

| Feature | Keys of a model | KAITO | `"addon"` | `"helm"` |
|---|---|---|---|---|
"""
_GATES = """
The add-on has a feature without a reason here as soon as it runs that version: `make deploy` compares it with
`kaito.version`.

## Feature gates

`kaito.feature_gates` sets them, with `kaito.distribution = "helm"` only. The gates that a key of a model or
`kaito.provisioner = "none"` needs are on without being named; a contradiction is refused.

| Gate | Default | Needs |
|---|---|---|
"""


def pages() -> dict[Path, str]:
    """Return the text of the page."""
    kaito, provisioner = theirs.KAITO, theirs.GPU_PROVISIONER_CHART
    versions = [version for version, facts in CATALOG.kaito_versions.items() if facts.is_chart]
    documented = [version for version, facts in CATALOG.kaito_versions.items() if facts.released_as == "managed add-on"]
    header = _HEADER.format(
        chart=f"[{kaito.name}]({kaito.repository})",
        documented=", ".join(documented),
        versions=", ".join(versions),
        namespace=kaito.namespace,
        provisioner=f"`{provisioner.name}` {provisioner.version}, which KAITO has deprecated",
    )
    features = (_feature(name, CATALOG.kaito_features[name], versions) for name in sorted(CATALOG.kaito_features))
    return {PAGE: "".join([header, *features, _GATES, *_gates()])}


def _feature(name: str, feature: KaitoFeature, versions: list[str]) -> str:
    since = f"{feature.since} to {feature.until}" if feature.until else f"{feature.since} or newer"
    keys = ", ".join(f"`{key}`" for key in feature.keys.split(", ")) if feature.keys else ""
    addon = f"no: it {feature.addon}" if feature.addon else "yes, if it runs that version"
    chart = "yes" if any(feature.is_in(version) for version in versions) else "no: removed"
    return f"| {name.replace('_', ' ')} | {keys} | {since} | {addon} | {chart} |\n"


def _gates() -> Iterator[str]:
    for gate, value in DEFAULTS.items():
        needs = f"`{NEEDED_BY_A_GATE[gate]}`" if gate in NEEDED_BY_A_GATE else ""
        yield f"| `{gate}` | `{str(value).lower()}` | {needs} |\n"
