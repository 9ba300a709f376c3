"""Names that the charts, the stacks and the command line share.

One constant per object, even where two objects have the same name today.
"""

from pathlib import Path

from aks_kaito import __version__
from aks_kaito.settings import Environment, Settings

CHARTS_FOLDER = Path(__file__).parents[3] / "charts"
# Charts of this repository. A release has the name of its chart.
CHAT_CHART = "kaito-chat"
CLUSTER_CHART = "kaito-cluster"
# The chat chart names these objects after its release.
CHAT_DEPLOYMENT = CHAT_CHART
CHAT_SERVICE = CHAT_CHART
# ServiceAccount of the Job that creates the chat's role in PostgreSQL, likewise.
DATABASE_SERVICE_ACCOUNT = f"{CHAT_CHART}-database-role"
# Secret of the chat's certificate when cert-manager is off.
CHAT_TLS_SECRET = "kaito-chat-tls"  # noqa: S105  (the name of a Secret)
GATEWAY = "kaito-chat"
# The Gateway inside the cluster that routes questions to models, named after the release.
MODELS_GATEWAY = f"{CHAT_CHART}-models"
# F5's chart does not choose a namespace, so the namespace has the chart's name.
NGINX_NAMESPACE = "nginx-ingress"
PROMETHEUS_NAMESPACE = "monitoring"
# The KEDA add-on of AKS runs here.
KEDA_NAMESPACE = "kube-system"
# Namespaces of KAITO's controller and of its GPU provisioner: the add-on's, and those of the open-source charts.
ADD_ON_NAMESPACE = "kube-system"
KAITO_NAMESPACE = "kaito-workspace"
GPU_PROVISIONER_NAMESPACE = "gpu-provisioner"
# The Deployment of KAITO's controller, in either namespace: the open-source chart names it after its release.
KAITO_DEPLOYMENT = "kaito-workspace"
# The Deployment and the ServiceAccount of the open-source GPU provisioner, named after its chart.
GPU_PROVISIONER = "gpu-provisioner"
# ServiceAccounts and Secrets of the logins to the environment's registry, named after the release.
REGISTRY_PUSH = f"{CHAT_CHART}-registry-push"
REGISTRY_PULL = f"{CHAT_CHART}-registry-pull"
# The ServiceAccount with which models stream their weights, and the StorageClass of the mirror.
MODEL_STREAMER = "kaito-model-streamer"
MODEL_MIRROR_CLASS = "kaito-model-mirror"
# Repository of the chat's image in the environment's registry, and the tag that belongs to this version.
IMAGE_REPOSITORY = "kaito-chat"
IMAGE_TAG = __version__
# Key Vault secrets that sign-in needs, by the environment variable of the chat that receives each.
SIGN_IN_SECRETS = {
    "KAITO_CHAT_AUTH_SECRET": "chat-auth-secret",
    "KAITO_CHAT_ENTRA_CLIENT_SECRET": "chat-entra-client-secret",
}


def image(environment: Environment) -> str:
    """Return the chat's image in the environment's registry, without a tag."""
    return f"{registry_server(environment.names.registry)}/{IMAGE_REPOSITORY}"


def registry_server(name: str) -> str:
    """Return the host name of a registry."""
    return f"{name}.azurecr.io"


def kaito_namespace(settings: Settings) -> str:
    """Return the namespace of KAITO's controller."""
    return KAITO_NAMESPACE if settings.kaito.is_open_source else ADD_ON_NAMESPACE


def model_tokens(settings: Settings) -> list[str]:
    """Return the names of the Key Vault secrets with Hugging Face tokens of the models, each once."""
    named = [model.access_secret for model in settings.all_models.values()] if settings.kaito.enabled else []
    return sorted({name for name in named if name is not None})


def vault_secrets(settings: Settings) -> list[str]:
    """Return the names of the Key Vault secrets that the chat's identity reads: of sign-in, then of models."""
    sign_in = list(SIGN_IN_SECRETS.values()) if settings.chat.sign_in == "entra" else []
    return [*sign_in, *(name for name in model_tokens(settings) if name not in sign_in)]
