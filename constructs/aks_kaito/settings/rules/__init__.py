"""Rules between the keys of an environment file: errors, which refuse the file, and warnings.

A file's problems are reported in the order of these lists.
"""

from aks_kaito.settings.rules import addresses, cluster, egress, ingress, kaito, services
from aks_kaito.settings.rules.rule import Context, Rule

RULES: tuple[Rule, ...] = (
    addresses.subnets_are_in_the_network,
    addresses.subnets_do_not_overlap,
    addresses.cluster_ranges_do_not_overlap,
    addresses.dns_address_is_in_the_service_range,
    addresses.pod_subnet_matches_the_plugin_mode,
    addresses.dedicated_subnets_are_large_enough,
    addresses.ranges_hold_all_nodes,
    cluster.kubernetes_version_is_known,
    cluster.tier_includes_the_features,
    cluster.upgrade_channels_agree,
    cluster.node_counts_are_ordered,
    cluster.pool_names_differ,
    cluster.private_cluster_is_reachable,
    cluster.private_cluster_has_no_allow_list,
    cluster.flux_has_a_repository,
    egress.only_standard_nat_has_a_zone,
    ingress.ingress_controllers_exclude_each_other,
    ingress.dns_zone_is_complete,
    ingress.published_model_is_protected,
    ingress.published_model_has_a_certificate,
    ingress.sign_in_has_a_registration,
    kaito.gpu_size_is_available,
    kaito.preset_is_known,
    kaito.model_fits_the_gpus,
    services.names_fit_azure,
    services.registry_tier_includes_the_features,
    services.private_services_have_no_allow_list,
    services.openai_has_deployments,
    services.burstable_servers_have_no_standby,
    services.remote_state_has_an_account,
    services.alert_addresses_need_alerts,
)
WARNINGS: tuple[Rule, ...] = (
    cluster.kubernetes_version_is_supported,
    egress.nat_survives_the_failure_of_a_zone,
    ingress.app_routing_nginx_is_deprecated,
    ingress.gateway_proxies_can_be_scheduled,
    kaito.gpu_size_is_unknown,
    kaito.model_is_unknown,
    kaito.nodes_differ,
    kaito.model_needs_a_token,
    services.history_needs_sign_in,
    services.shared_state_has_an_admin_group,
)

__all__ = ["RULES", "WARNINGS", "Context", "Rule"]
