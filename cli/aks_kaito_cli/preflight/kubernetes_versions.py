"""The Kubernetes version: offered in the region, for the support plan, and reachable from the one that runs.

See: https://learn.microsoft.com/azure/aks/supported-kubernetes-versions
"""

from collections.abc import Iterator

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.preflight import resources
from aks_kaito_cli.preflight.context import Context

SUBJECT = "Kubernetes version"
_LTS = "AKSLongTermSupport"


def findings(context: Context, group: str) -> Iterator[Finding]:
    """Yield the findings on `cluster.kubernetes_version`."""
    settings = context.settings
    wanted = settings.cluster.kubernetes_version
    running = _running(context)
    if running and _minor(running) >= _minor(wanted):
        newer = _minor(running) > _minor(wanted)
        text = f"the cluster runs {running}" + (f", newer than {wanted}: AKS cannot downgrade" if newer else "")
        yield Finding(group, SUBJECT, "warning" if newer else "ok", text)
        return
    if running and _minor(wanted)[1] - _minor(running)[1] > 1:
        text = f"the cluster runs {running}, and AKS upgrades to {wanted} one minor version at a time"
        yield Finding(group, SUBJECT, "blocker", text, "Set cluster.kubernetes_version to the next minor version")
        return
    path = f"{context.scope}/providers/Microsoft.ContainerService/locations/{settings.location}/kubernetesVersions"
    offered = {each["version"]: each for each in context.arm.get(path)["values"]}
    yield _offered(context, group, offered)


def _running(context: Context) -> str:
    """Return the version of this environment's cluster; empty if there is none."""
    path = resources.own(context, resources.CLUSTERS, context.names.cluster)
    cluster = resources.existing(context, path)
    if cluster is None:
        return ""
    properties = cluster["properties"]
    return str(properties.get("currentKubernetesVersion") or properties["kubernetesVersion"])


def _offered(context: Context, group: str, offered: dict[str, Answer]) -> Finding:
    location, cluster = context.settings.location, context.settings.cluster
    wanted, plan = cluster.kubernetes_version, cluster.support_plan
    minor = ".".join(map(str, _minor(wanted)))
    usable = [name for name, each in offered.items() if plan in _plans(each)]
    choices = f"Set cluster.kubernetes_version to one of {', '.join(sorted(usable, key=_minor)) or '(none)'}"
    if minor not in offered:
        return Finding(group, SUBJECT, "blocker", f"AKS does not offer {minor} in {location}", choices)
    version = offered[minor]
    if plan not in _plans(version):
        text = f"AKS offers {minor} in {location} with {' and '.join(_plans(version))} only, not with {plan}"
        if _LTS in _plans(version):
            choices += f'; or set cluster.support_plan = "{_LTS}" and cluster.sku_tier = "Premium"'
        return Finding(group, SUBJECT, "blocker", text, choices)
    patches = sorted(version["patchVersions"], key=_numbers)
    if wanted not in (minor, *patches):
        text = f"AKS does not offer {wanted} in {location}; of {minor} it offers {', '.join(patches)}"
        return Finding(group, SUBJECT, "blocker", text, f'Set cluster.kubernetes_version = "{minor}"')
    if version.get("isPreview"):
        text = f"{wanted} is a preview in {location}, without support"
        return Finding(group, SUBJECT, "warning", text, choices)
    return Finding(group, SUBJECT, "ok", f"AKS offers {wanted} in {location} ({plan}), now {patches[-1]}")


def _plans(version: Answer) -> list[str]:
    return list(version["capabilities"]["supportPlan"])


def _minor(version: str) -> tuple[int, int]:
    major, minor, *_ = _numbers(version)
    return major, minor


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
