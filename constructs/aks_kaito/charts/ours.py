"""What the settings of an environment mean for our two charts: values, as far as they are known before a deployment.

Ids that Azure hands out are not among them; the stack of workloads adds those. The rest is what
`cdktf.out/values/<environment>.yaml` holds for releases of the application alone.
"""

from typing import Any

from aks_kaito.settings import Environment, Settings

REPOSITORY = "kaito-chat"
# The tag of this version's image, as the chart and the application call their version.
IMAGE_TAG = "0.1.0"
GATEWAY = "kaito-chat"
# Each controller's own namespace; F5's chart has none of its own, so it is named after the chart.
NGINX_NAMESPACE = "nginx-ingress"
PROMETHEUS_NAMESPACE = "monitoring"
APP_ROUTING_CLASS = "webapprouting.kubernetes.azure.com"
# Where a Gateway's proxy tells how it is.
_ISTIO_STATUS_PORT = "15021"
_ISTIO_HEALTH_PATH = "/healthz/ready"
# Where the agents of managed Prometheus run.
_AGENTS_NAMESPACE = "kube-system"
# Where the secrets of sign-in are in the vault.
SECRETS = {"KAITO_CHAT_AUTH_SECRET": "chat-auth-secret", "KAITO_CHAT_ENTRA_CLIENT_SECRET": "chat-entra-client-secret"}
_DATABASE = "chat"
# What AKS taints the nodes of a spot pool with.
# See: https://learn.microsoft.com/azure/aks/spot-node-pool
_SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"

Values = dict[str, Any]


def image_repository(environment: Environment) -> str:
    """Where the application's image is: in the environment's own registry."""
    return f"{environment.names.registry}.azurecr.io/{REPOSITORY}"


def tolerations(settings: Settings) -> list[dict[str, str]]:
    """What every pod of ours tolerates: the user pool's taints. There is no other pool where it could run."""
    pool = settings.user_pool
    found = []
    for taint in [*pool.node_taints, *([_SPOT_TAINT] if pool.spot_enabled else [])]:
        label, _, effect = taint.rpartition(":")
        key, _, value = label.partition("=")
        found.append({"key": key, "operator": "Equal", "value": value, "effect": effect})
    return found


def load_balancer_annotations(environment: Environment, health_path: str) -> dict[str, str]:
    """What puts a Service of type LoadBalancer on the platform's static address, and has Azure ask for `health_path`.

    See: https://learn.microsoft.com/azure/aks/static-ip,
    https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
    """
    return {
        "service.beta.kubernetes.io/azure-load-balancer-resource-group": environment.names.resource_group,
        "service.beta.kubernetes.io/azure-pip-name": environment.names.of("pip", "ingress"),
        "service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path": health_path,
    }


def _gateway_annotations(environment: Environment) -> dict[str, str]:
    """The same for Istio's proxy, which tells how it is on a port of its own, and answers "/" with 404."""
    prefix, probe = "service.beta.kubernetes.io/port", {"port": _ISTIO_STATUS_PORT, "protocol": "http"}
    probes = {f"{prefix}_{port}_health-probe_{key}": value for port in (80, 443) for key, value in probe.items()}
    return load_balancer_annotations(environment, _ISTIO_HEALTH_PATH) | probes


def issuer(settings: Settings) -> str:
    """The ClusterIssuer of the chat's certificate, if cert-manager is there: by a DNS record where it may write one.

    Let's Encrypt's other way is a question over HTTP, to hosts that the internet reaches.
    """
    return "letsencrypt-dns" if settings.ingress.dns_zone_name else "letsencrypt"


def published(settings: Settings) -> bool:
    """Whether the chat has an address: a controller, and a host name."""
    return settings.ingress.mode != "none" and settings.ingress.hostname is not None


def chat(environment: Environment) -> Values:
    """Values of the kaito-chat chart."""
    settings = environment.settings
    values: Values = {
        "model": {
            "enabled": settings.kaito.enabled,
            "preset": settings.model.preset,
            "instanceType": settings.model.instance_type,
            "nodeCount": settings.model.node_count,
        },
        "chat": {
            "image": {"repository": image_repository(environment)},
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
        values["chat"]["settings"] = _sign_in(environment)
        values["chat"]["keyVault"] = {"enabled": True, "name": environment.names.key_vault, "secrets": SECRETS}
    if published(settings):
        values["ingress"] = _ingress(environment)
    if settings.ingress.model_hostname is not None:
        values["model"]["ingress"] = _model_ingress(settings)
    return values


def cluster(environment: Environment) -> Values:
    """Values of the kaito-cluster chart, without which version of the image waits for KAITO."""
    settings = environment.settings
    mode = settings.ingress.mode
    classes = {"nginx": "nginx", "webapprouting": APP_ROUTING_CLASS}
    gateway = mode == "gateway" and published(settings)
    cert_manager = settings.workloads.cert_manager_enabled
    zone = settings.ingress.dns_zone_name if cert_manager else None
    return {
        "issuers": {
            "enabled": cert_manager and (published(settings) or zone is not None),
            "email": settings.ingress.email or "",
            "ingressClassName": classes.get(mode, "") if published(settings) else "",
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
            "issuer": issuer(settings) if cert_manager else "",
            "routesFrom": settings.chat.namespace if gateway else "",
            "serviceAnnotations": _gateway_annotations(environment) if gateway else {},
        },
        "awaitKaito": {"enabled": settings.kaito.enabled, "image": {"repository": image_repository(environment)}},
        "tolerations": tolerations(settings),
    }


def _ingress(environment: Environment) -> Values:
    settings = environment.settings
    values: Values = {"mode": settings.ingress.mode, "host": settings.ingress.hostname}
    if settings.ingress.mode == "gateway":
        return values | {"gateway": {"name": GATEWAY, "namespace": settings.chat.namespace, "sectionName": "https"}}
    if settings.workloads.cert_manager_enabled:
        return values | {"tls": {"clusterIssuer": issuer(settings)}}
    return values | {"tls": {"secretName": "kaito-chat-tls"}}


def _model_ingress(settings: Settings) -> Values:
    ingress = settings.ingress
    return {
        "enabled": True,
        "host": ingress.model_hostname,
        "basicAuthSecret": ingress.model_basic_auth_secret_name or "",
        "allowedCidrs": [each if "/" in each else f"{each}/32" for each in ingress.model_allowed_ip_ranges],
    }


def _monitoring(settings: Settings) -> Values:
    """Monitors for managed Prometheus, and everything once more for one in the cluster.

    Managed Prometheus gets the alerts as Azure resources, and managed Grafana the dashboards from `make deploy`.
    """
    in_cluster = settings.workloads.kube_prometheus_stack_enabled
    return {"azureMonitor": True, "prometheusOperator": in_cluster, "alerts": in_cluster, "dashboards": in_cluster}


def _network_policy(settings: Settings) -> Values:
    cluster_settings, network = settings.cluster, settings.network
    values: Values = {
        "monitoringNamespaces": [_AGENTS_NAMESPACE],
        "podCidr": network.pod_subnet_cidr or cluster_settings.pod_cidr,
        "serviceCidr": cluster_settings.service_cidr,
    }
    if cluster_settings.api_server_vnet_integration_enabled:
        values["apiServerCidr"] = network.api_server_subnet_cidr
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
    if settings.postgresql.enabled:
        user, host = names.of("id", "chat"), f"{names.postgresql}.postgres.database.azure.com"
        values |= {
            "KAITO_CHAT_DATABASE_URL": f"postgresql://{user}@{host}/{_DATABASE}",
            "KAITO_CHAT_DATABASE_ENTRA_ENABLED": True,
        }
    return values
