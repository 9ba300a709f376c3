"""The sample's variables as the sample itself declares them, and a file of variables that has its own values."""

import csv

from support.needs import needs_path
from support.project import ROOT

_VARIABLES = ROOT.parent / "shared" / "seed-data" / "variables.tsv"
# The values that the sample prints, with valid values instead of its placeholders: those of environments/sample.toml.
PRINTED = """\
name_prefix              = "Anubi"
location                 = "westeurope"
kubernetes_version       = "1.29.2"
network_plugin_mode      = "overlay"
vnet_integration_enabled = true
system_node_pool_vm_size = "Standard_D4ads_v5"
user_node_pool_vm_size   = "Standard_D4ads_v5"
ssh_public_key           = "{key}"
admin_group_object_ids   = ["aaaaaaaa-0000-4000-8000-000000000001"]
vm_enabled               = true
namespace                = "Kaito-demo"
service_account_name     = "Kaito-sa"
web_app_routing_enabled  = true
domain                   = "babosbird.com"
dns_zone_name            = "babosbird.com"
dns_zone_resource_group_name = "DnsResourceGroup"
grafana_admin_user_object_id = "aaaaaaaa-0000-4000-8000-000000000002"
kaito_enabled            = true
instance_type            = "Standard_NC12s_v3"
"""


def declared() -> list[dict[str, str]]:
    """Return name, type and default of each variable."""
    path = needs_path(_VARIABLES, "the sample's variables in ../shared/seed-data")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
