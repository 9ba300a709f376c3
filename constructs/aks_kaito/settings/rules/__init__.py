"""Rules between the keys of an environment file: errors, which refuse the file, and warnings.

A file's problems are reported in the order of these lists.
"""

from aks_kaito.settings.rules import addresses, cluster, ingress, kaito, machines, names, regions, services, sizes, tags
from aks_kaito.settings.rules.rule import Context, Rule

RULES: tuple[Rule, ...] = (
    addresses.subnets_are_in_the_network,
    addresses.subnets_do_not_overlap,
    addresses.cluster_ranges_do_not_overlap,
    addresses.dns_address_is_in_the_service_range,
    addresses.pod_subnet_matches_the_plugin_mode,
    sizes.ranges_have_possible_sizes,
    sizes.dedicated_subnets_are_large_enough,
    sizes.ranges_hold_all_nodes,
    sizes.vm_subnet_holds_endpoints_and_jump_box,
    sizes.lists_are_not_too_long,
    tags.tags_are_not_too_many,
    tags.dns_accepts_the_tags,
    tags.tags_are_set_or_ignored,
    regions.region_has_the_zones,
    regions.replicas_have_the_zones,
    regions.region_has_a_pair,
    machines.sizes_are_not_retired,
    machines.nodes_have_the_images_architecture,
    machines.ephemeral_disks_fit,
    machines.system_nodes_are_large_enough,
    machines.user_nodes_are_large_enough,
    machines.jump_box_can_boot_its_image,
    cluster.kubernetes_version_is_known,
    cluster.tier_includes_the_features,
    cluster.upgrade_channels_agree,
    cluster.node_counts_are_ordered,
    cluster.pool_names_differ,
    cluster.private_cluster_is_reachable,
    cluster.private_cluster_has_no_allow_list,
    cluster.flux_has_a_repository,
    ingress.ingress_controllers_exclude_each_other,
    ingress.dns_zone_is_complete,
    ingress.published_model_is_protected,
    ingress.published_model_has_a_certificate,
    ingress.sign_in_has_a_registration,
    kaito.gpu_size_is_available,
    kaito.preset_is_known,
    kaito.model_fits_the_gpus,
    names.names_fit_azure,
    names.names_have_no_reserved_words,
    names.namespace_is_the_chats_own,
    names.service_account_can_be_federated,
    names.application_gateway_is_in_the_subscription,
    services.registry_tier_includes_the_features,
    services.private_services_have_no_allow_list,
    services.openai_has_deployments,
    services.burstable_servers_have_no_standby,
    services.remote_state_has_an_account,
    services.alert_addresses_need_alerts,
)
WARNINGS: tuple[Rule, ...] = (
    cluster.kubernetes_version_is_supported,
    ingress.app_routing_nginx_is_deprecated,
    ingress.gateway_proxies_can_be_scheduled,
    kaito.model_needs_a_token,
    machines.sizes_are_known,
    names.names_have_no_trademarks,
    names.application_gateway_can_be_checked,
    regions.zones_of_the_region_are_confirmed,
    services.history_needs_sign_in,
    services.metrics_can_be_queried,
    services.shared_state_has_an_admin_group,
)

__all__ = ["RULES", "WARNINGS", "Context", "Rule"]
