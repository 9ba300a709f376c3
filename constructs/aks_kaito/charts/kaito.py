"""Values of the charts of the open-source KAITO: its controller, and the GPU provisioner.

See: https://github.com/kaito-project/kaito/tree/v0.12.0/charts/kaito/workspace
"""

from typing import Literal, TypedDict

from aks_kaito.charts.names import MODEL_MIRROR_CLASS, MODEL_STREAMER
from aks_kaito.charts.values import Values, tolerations
from aks_kaito.settings import Environment, Settings

# KAITO's names of its provisioners. It decides by them, not by the feature gate disableNodeAutoProvisioning, whether it
# creates nodes; the gate of the chart installs the labels of existing nodes.
_PROVISIONERS = {
    "node-auto-provisioning": "karpenter",
    "gpu-provisioner": "azure-gpu-provisioner",
    "none": "byo",
}
# Node classes of node auto-provisioning, as KAITO names them. KAITO creates a class that is missing and changes none:
# another specification needs another name. Its chart has Ubuntu2204, which Kubernetes 1.37 ends; Ubuntu is the version
# that belongs to the cluster's Kubernetes.
# See: https://learn.microsoft.com/azure/aks/node-auto-provisioning-aksnodeclass
NODE_CLASSES = {"ubuntu": "image-family-ubuntu", "azurelinux": "image-family-azure-linux"}
_IMAGE_FAMILIES = {"ubuntu": "Ubuntu", "azurelinux": "AzureLinux"}
_SPOT_TAINT = {
    "key": "kubernetes.azure.com/scalesetpriority",
    "operator": "Equal",
    "value": "spot",
    "effect": "NoSchedule",
}
# Taints of GPU nodes that KAITO's pods and its device plugin tolerate. By default the discovery of features tolerates
# only the first one, and KAITO starts no model on a node without its labels.
_GPU_TAINTS = (
    {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},
)
# Disk of the operating system, on which the images of the models are.
_DISK_GIB = 300


class Place(TypedDict):
    """Ids of the deployment that only Azure knows, for the GPU provisioner."""

    client_id: str
    tenant_id: str
    subscription_id: str
    node_resource_group: str


def workspace(environment: Environment) -> Values:
    """Return the values of the chart of KAITO's controller."""
    settings = environment.settings
    kaito, placed = settings.kaito, _placed(settings)
    values: Values = {
        "clusterName": environment.names.cluster,
        "featureGates": settings.kaito_feature_gates,
        "nodeProvisioner": _PROVISIONERS[kaito.provisioner],
        "tolerations": tolerations(settings),
    }
    if kaito.provisioner == "node-auto-provisioning":
        values["karpenterProviders"] = {"azure": {"nodeClasses": node_classes()}}
    if kaito.model_mirror_enabled:
        values |= {
            "defaultModelMirrorStorageClass": MODEL_MIRROR_CLASS,
            "defaultStreamingServiceAccount": MODEL_STREAMER,
        }
    has_spot = any(model.spot_enabled for model in settings.all_models.values())
    if has_spot:
        values["spotInstance"] = {"enabled": True}
    if kaito.provisioner == "none":
        values["gpu-feature-discovery"] = _discovery(has_spot=has_spot)
    if placed:
        values["local-csi-driver"] = {"manager": {"deployment": placed}}
    return values


def node_classes() -> list[Values]:
    """Return the node classes from which a model chooses with `node_image_family`; the first one is the default."""
    return [
        {
            "name": name,
            "default": family == "ubuntu",
            "spec": {"imageFamily": _IMAGE_FAMILIES[family], "osDiskSizeGB": _DISK_GIB},
        }
        for family, name in NODE_CLASSES.items()
    ]


def gpu_provisioner(environment: Environment, place: Place) -> Values:
    """Return the values of the GPU provisioner, which signs in with its workload identity.

    See: https://github.com/Azure/gpu-provisioner/blob/v0.4.3/gpu-provisioner-values-template.yaml
    """
    names, settings = environment.names, environment.settings
    variables = {
        "ARM_SUBSCRIPTION_ID": place["subscription_id"],
        "LOCATION": settings.location,
        "AZURE_CLUSTER_NAME": names.cluster,
        "AZURE_NODE_RESOURCE_GROUP": place["node_resource_group"],
        "ARM_RESOURCE_GROUP": names.resource_group,
        "LEADER_ELECT": "false",
    }
    return {
        "controller": {
            "env": [{"name": name, "value": value} for name, value in variables.items()],
            "logLevel": "info",
        },
        "logLevel": "info",
        "settings": {"azure": {"clusterName": names.cluster}},
        "workloadIdentity": {"clientId": place["client_id"], "tenantId": place["tenant_id"]},
        **_placed(settings),
    }


def image_family(family: Literal["ubuntu", "azurelinux"] | None, settings: Settings) -> dict[str, str]:
    """Return the annotation of a Workspace that selects the operating system of its nodes."""
    if family is None:
        return {}
    if settings.kaito.installed_provisioner == "node-auto-provisioning":
        return {"kaito.sh/node-class-name": NODE_CLASSES[family]}
    return {"kaito.sh/node-image-family": family}


def gpu_selector(settings: Settings) -> Values:
    """Return the value of our chart that selects the GPU nodes, where its default label is not on them.

    The GPU provisioners set that label. KAITO labels the nodes of node auto-provisioning; existing ones have labels by
    the discovery of features, which its chart installs for them.
    """
    labels = {"node-auto-provisioning": {"accelerator": "nvidia"}, "none": {"nvidia.com/gpu.present": "true"}}
    found = labels.get(settings.kaito.installed_provisioner or "")
    # Helm removes a key of the chart's own map if it is null.
    return {} if found is None else {"nodeSelector": {"kaito.sh/machine-type": None, **found}}


def _discovery(*, has_spot: bool) -> Values:
    """Return the tolerations of both DaemonSets that label existing GPU nodes."""
    taints = [*_GPU_TAINTS, *([_SPOT_TAINT] if has_spot else [])]
    return {
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, *taints],
        "nfd": {"worker": {"tolerations": taints}},
    }


def _placed(settings: Settings) -> Values:
    """Return the tolerations of the user pool beside that of the chart, which a list replaces, if there are any."""
    found = tolerations(settings)
    return {"tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, *found]} if found else {}
