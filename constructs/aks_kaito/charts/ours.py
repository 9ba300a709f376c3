"""Values of this repository's two charts, as far as they are known before a deployment.

`stacks.workloads` adds the ids that Azure assigns. `stacks.synthesis` writes the values of the chat chart to
`cdktf.out/values/<environment>.yaml`, for releases of the application alone.
"""

from aks_kaito.charts import kaito, scaling_values
from aks_kaito.charts.model_values import models
from aks_kaito.charts.names import (
    CHAT_TLS_SECRET,
    GATEWAY,
    MODEL_MIRROR_CLASS,
    MODEL_STREAMER,
    NGINX_NAMESPACE,
    PROMETHEUS_NAMESPACE,
    SIGN_IN_SECRETS,
    image,
    model_tokens,
)
from aks_kaito.charts.values import Values, gateway_annotations, tolerations
from aks_kaito.naming import DATABASE
from aks_kaito.settings import Environment, Settings
from aks_kaito.settings.workload import Ingress

_APP_ROUTING_CLASS = "webapprouting.kubernetes.azure.com"
# Namespace of the agents of managed Prometheus.
_AGENTS_NAMESPACE = "kube-system"
# The application's default of KAITO_CHAT_AUTH_SECRET_DELAY_SECONDS, and the time in which a kubelet updates a volume.
_SIGNING_DELAY_SECONDS = 600
_KUBELET_MINUTES = 5


def published(ingress: Ingress) -> bool:
    """Return whether the chat has a public URL, which takes an ingress controller and a host name."""
    return ingress.mode != "none" and ingress.hostname is not None


def chat(environment: Environment) -> Values:
    """Return the values of `charts/kaito-chat`."""
    settings = environment.settings
    values: Values = {
        **models(environment),
        "chat": {
            "image": {"repository": image(environment)},
            "replicas": settings.chat.replicas,
            "tolerations": tolerations(settings),
            "serviceAccount": {"name": settings.chat.service_account_name},
            "workloadIdentity": {"enabled": True},
        },
        "networkPolicy": _network_policy(settings),
        "monitoring": _monitoring(settings),
    }
    if settings.openai.enabled:
        values["chat"]["models"] = [
            {
                "name": name,
                "endpointUrl": f"https://{environment.names.openai}.openai.azure.com",
                "backend": "azure_openai",
                "model": name,
            }
            for name in settings.openai.deployments
        ]
    if settings.chat.sign_in == "entra":
        values["chat"]["settings"] = _sign_in(environment) | scaling_values.waking(settings.chat)
        values["chat"]["keyVault"] = {"enabled": True, "name": environment.names.key_vault, "secrets": SIGN_IN_SECRETS}
        if settings.postgresql.enabled:
            administrator = environment.names.of("id", "database")
            values["chat"]["databaseRole"] = {"enabled": True, "administrator": administrator}
    elif model_tokens(settings):
        values["chat"]["keyVault"] = {"name": environment.names.key_vault}
    if published(settings.ingress):
        values["ingress"] = _ingress(environment)
    return values


def cluster(environment: Environment) -> Values:
    """Return the values of `charts/kaito-cluster`, except the tag of the image that waits for KAITO."""
    settings = environment.settings
    mode = settings.ingress.mode
    classes = {"nginx": "nginx", "webapprouting": _APP_ROUTING_CLASS}
    gateway = mode == "gateway" and published(settings.ingress)
    cert_manager = settings.workloads.cert_manager_enabled
    zone = settings.ingress.dns_zone_name if cert_manager else None
    return {
        "issuers": {
            "enabled": cert_manager and (published(settings.ingress) or zone is not None),
            "email": settings.ingress.email or "",
            "ingressClassName": classes.get(mode, "") if published(settings.ingress) else "",
            "dns": {
                "enabled": zone is not None,
                "resourceGroup": (settings.ingress.dns_zone_resource_group_name or "") if zone else "",
                "zone": zone or "",
            },
        },
        "gateway": {
            "enabled": gateway,
            "name": GATEWAY,
            "hostname": (settings.ingress.hostname or "") if gateway else "",
            "issuer": _issuer(settings) if cert_manager else "",
            "routesFrom": settings.chat.namespace if gateway else "",
            "serviceAnnotations": gateway_annotations(environment) if gateway else {},
        },
        "awaitKaito": {"enabled": settings.kaito.enabled, "image": {"repository": image(environment)}},
        **(_model_mirror(environment) if settings.kaito.model_mirror_enabled else {}),
        "tolerations": tolerations(settings),
    }


def _model_mirror(environment: Environment) -> Values:
    """Return the StorageClass of the mirror, and the ServiceAccount of the models that stream from it."""
    return {
        "modelMirror": {
            "enabled": True,
            "storageClass": MODEL_MIRROR_CLASS,
            "storageAccount": environment.names.model_storage_account,
            "resourceGroup": environment.names.resource_group,
            "serviceAccount": MODEL_STREAMER,
        }
    }


def _issuer(settings: Settings) -> str:
    """Return the ClusterIssuer of the chat's certificate: DNS-01 if there is a DNS zone, else HTTP-01.

    HTTP-01 requires that the host can be reached from the internet.
    """
    return "letsencrypt-dns" if settings.ingress.dns_zone_name else "letsencrypt"


def _ingress(environment: Environment) -> Values:
    settings = environment.settings
    values: Values = {"mode": settings.ingress.mode, "host": settings.ingress.hostname}
    if settings.ingress.mode == "gateway":
        return values | {"gateway": {"name": GATEWAY, "namespace": settings.chat.namespace, "sectionName": "https"}}
    if settings.workloads.cert_manager_enabled:
        return values | {"tls": {"clusterIssuer": _issuer(settings)}}
    return values | {"tls": {"secretName": CHAT_TLS_SECRET}}


def _monitoring(settings: Settings) -> Values:
    """Return monitors for managed Prometheus and, for a Prometheus in the cluster, monitors, alerts and dashboards.

    Managed Prometheus has its alerts as Azure resources; `make deploy` imports the dashboards into managed Grafana.
    """
    in_cluster = settings.workloads.kube_prometheus_stack_enabled
    values: Values = {
        "azureMonitor": True,
        "prometheusOperator": in_cluster,
        "alerts": in_cluster,
        "dashboards": in_cluster,
    }
    if settings.monitoring.runbooks_url is not None:
        values["runbooksUrl"] = settings.monitoring.runbooks_url
    if settings.monitoring.gpu_exporter_enabled:
        values["gpuExporter"] = {"enabled": True} | kaito.gpu_selector(settings)
    return values


def _network_policy(settings: Settings) -> Values:
    cluster_settings, network = settings.cluster, settings.network
    values: Values = {
        "monitoringNamespaces": [_AGENTS_NAMESPACE],
        "podCidr": network.pod_subnet_cidr or cluster_settings.pod_cidr,
        "serviceCidr": cluster_settings.service_cidr,
        "vnetCidrs": list(network.address_space),
    }
    if cluster_settings.api_server_vnet_integration_enabled:
        values["apiServerCidr"] = network.api_server_subnet_cidr
    elif cluster_settings.private_cluster_enabled:
        # AKS puts the private endpoint of the API server into the nodes' subnet.
        values["apiServerCidr"] = network.system_subnet_cidr
    if network.private_endpoints_enabled:
        values["privateEndpointsCidr"] = network.vm_subnet_cidr
    if settings.postgresql.enabled:
        values["postgresqlCidr"] = network.vm_subnet_cidr
    if settings.workloads.kube_prometheus_stack_enabled:
        values["monitoringNamespaces"] += [PROMETHEUS_NAMESPACE]
    if settings.ingress.mode == "nginx":
        values["ingressControllerNamespace"] = NGINX_NAMESPACE
    return values


def _sign_in(environment: Environment) -> Values:
    settings, names = environment.settings, environment.names
    values: Values = {"KAITO_CHAT_SIGN_IN": "entra", "KAITO_CHAT_ENTRA_CLIENT_ID": settings.chat.entra_client_id}
    # A changed secret reaches every pod within the interval and the kubelet's own.
    delay_seconds = (settings.cluster.key_vault_secrets_rotation_interval_minutes + _KUBELET_MINUTES) * 60
    if delay_seconds > _SIGNING_DELAY_SECONDS:
        values["KAITO_CHAT_AUTH_SECRET_DELAY_SECONDS"] = delay_seconds
    if settings.postgresql.enabled:
        user, host = names.of("id", "chat"), f"{names.postgresql}.postgres.database.azure.com"
        values |= {
            "KAITO_CHAT_DATABASE_URL": f"postgresql://{user}@{host}/{DATABASE}?sslmode=verify-full",
            "KAITO_CHAT_DATABASE_ENTRA_ENABLED": True,
        }
    return values
