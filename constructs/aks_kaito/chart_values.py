"""What the settings of an environment mean for the two charts: values, as far as they are known before a deployment.

Ids that Azure hands out are not among them; the stack of workloads adds those. The rest is what
`cdktf.out/values/<environment>.yaml` holds for releases of the application alone.
"""

from typing import Any

from aks_kaito.settings import Environment, Settings

REPOSITORY = "kaito-chat"
GATEWAY = "kaito-chat"
# Each controller's own namespace; F5's chart has none of its own, so it is named after the chart.
NGINX_NAMESPACE = "nginx-ingress"
APP_ROUTING_CLASS = "webapprouting.kubernetes.azure.com"
ISSUER = "letsencrypt"
_SECRETS = {"KAITO_CHAT_AUTH_SECRET": "chat-auth-secret", "KAITO_CHAT_ENTRA_CLIENT_SECRET": "chat-entra-client-secret"}
_DATABASE = "chat"

Values = dict[str, Any]


def image_repository(environment: Environment) -> str:
    """Where the application's image is: in the environment's own registry."""
    return f"{environment.names.registry}.azurecr.io/{REPOSITORY}"


def load_balancer_annotations(environment: Environment) -> dict[str, str]:
    """What puts a Service of type LoadBalancer on the platform's static address.

    See: https://learn.microsoft.com/azure/aks/static-ip
    """
    return {
        "service.beta.kubernetes.io/azure-load-balancer-resource-group": environment.names.resource_group,
        "service.beta.kubernetes.io/azure-pip-name": environment.names.of("pip", "ingress"),
    }


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
            "serviceAccount": {"name": settings.chat.service_account_name},
            "workloadIdentity": {"enabled": True},
        },
        "networkPolicy": _network_policy(settings),
        "monitoring": {"azureMonitor": True},
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
        values["chat"]["keyVault"] = {"enabled": True, "name": environment.names.key_vault, "secrets": _SECRETS}
    if published(settings):
        values["ingress"] = _ingress(environment)
    return values


def cluster(environment: Environment) -> Values:
    """Values of the kaito-cluster chart, without the image that waits for KAITO."""
    settings = environment.settings
    mode = settings.ingress.mode
    classes = {"nginx": "nginx", "webapprouting": APP_ROUTING_CLASS}
    gateway = mode == "gateway" and published(settings)
    zone = settings.ingress.dns_zone_name
    return {
        "issuers": {
            "enabled": settings.workloads.cert_manager_enabled and (published(settings) or zone is not None),
            "email": settings.ingress.email or "",
            "ingressClassName": classes.get(mode, "") if published(settings) else "",
            "dns": {
                "enabled": zone is not None,
                "resourceGroup": settings.ingress.dns_zone_resource_group_name or "",
                "zone": zone or "",
            },
        },
        "gateway": {
            "enabled": gateway,
            "name": GATEWAY,
            "hostname": (settings.ingress.hostname or "") if gateway else "",
            "issuer": ISSUER if settings.workloads.cert_manager_enabled else "",
            "routesFrom": settings.chat.namespace if gateway else "",
            "serviceAnnotations": load_balancer_annotations(environment) if gateway else {},
        },
        "awaitKaito": {"enabled": settings.kaito.enabled},
    }


def nginx(environment: Environment) -> Values:
    """Values of F5's chart: on the platform's static address, with metrics and a health probe.

    See: https://docs.nginx.com/nginx-ingress-controller/install/helm/parameters/
    """
    annotations = load_balancer_annotations(environment) | {
        "service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path": "/nginx-health"
    }
    return {
        "controller": {
            "replicaCount": 2,
            "healthStatus": True,
            "ingressClass": {"name": "nginx"},
            "service": {"annotations": annotations, "externalTrafficPolicy": "Local"},
        },
        "prometheus": {"create": True},
    }


def _ingress(environment: Environment) -> Values:
    settings = environment.settings
    values: Values = {"mode": settings.ingress.mode, "host": settings.ingress.hostname}
    if settings.ingress.mode == "gateway":
        return values | {"gateway": {"name": GATEWAY, "namespace": settings.chat.namespace, "sectionName": "https"}}
    if settings.workloads.cert_manager_enabled:
        return values | {"tls": {"clusterIssuer": ISSUER}}
    return values | {"tls": {"secretName": "kaito-chat-tls"}}


def _network_policy(settings: Settings) -> Values:
    cluster_settings, network = settings.cluster, settings.network
    values: Values = {
        "podCidr": network.pod_subnet_cidr or cluster_settings.pod_cidr,
        "serviceCidr": cluster_settings.service_cidr,
    }
    if cluster_settings.api_server_vnet_integration_enabled:
        values["apiServerCidr"] = network.api_server_subnet_cidr
    if settings.postgresql.enabled:
        values["postgresqlCidr"] = network.vm_subnet_cidr
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
