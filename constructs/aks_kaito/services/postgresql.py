"""PostgreSQL for the chat's history: private endpoint only, sign-in with Entra ID only.

A separate identity administers the server. A Job of the chat's chart uses it to create the role of the chat, which owns
its tables and nothing else.

See: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-azure-ad-authentication
"""

from cdktn import TerraformStack
from cdktn_provider_azapi.resource_action import ResourceAction
from cdktn_provider_azurerm.postgresql_flexible_server import (
    PostgresqlFlexibleServer,
    PostgresqlFlexibleServerHighAvailability,
)
from cdktn_provider_azurerm.postgresql_flexible_server_active_directory_administrator import (
    PostgresqlFlexibleServerActiveDirectoryAdministrator,
)
from cdktn_provider_azurerm.postgresql_flexible_server_database import PostgresqlFlexibleServerDatabase
from constructs import Construct

from aks_kaito import diagnostics, protection
from aks_kaito.identity import Identity
from aks_kaito.naming import DATABASE
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.services import PostgreSql as PostgreSqlSettings
from aks_kaito.stored import address, stored

_LINK = PrivateLink("postgresqlServer", "privatelink.postgres.database.azure.com")
_API_VERSION = "2024-08-01"
_MIB_PER_GIB = 1024
# Terraform address in the states of earlier versions.
_FORMER_ADMINISTRATOR = (
    "azurerm_postgresql_flexible_server_active_directory_administrator.postgresql_administrator_1BB32092"
)


class PostgreSql(Construct):
    """Server, its database `chat`, and its administrator.

    Public attributes: `resource_id`, `fqdn`, `database_name`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: PostgreSqlSettings,
        placement: Placement,
        access: NetworkAccess,
        administrator: Identity,
    ) -> None:
        """Define the server, which has no passwords and no public access even if other services have."""
        super().__init__(scope, construct_id)
        server = PostgresqlFlexibleServer(
            self,
            "Resource",
            name=placement.names.postgresql,
            version=settings.version,
            sku_name=settings.sku_name,
            storage_mb=settings.storage_gib * _MIB_PER_GIB,
            auto_grow_enabled=True,
            backup_retention_days=settings.backup_retention_days,
            geo_redundant_backup_enabled=settings.geo_redundant_backup_enabled,
            public_network_access_enabled=False,
            authentication={
                "active_directory_auth_enabled": True,
                "password_auth_enabled": False,
                "tenant_id": administrator.tenant_id,
            },
            high_availability=PostgresqlFlexibleServerHighAvailability(mode="ZoneRedundant")
            if settings.zone_redundancy_enabled
            else None,
            lifecycle=protection.lifecycle(
                self,
                ignore_changes=[
                    # Azure chooses the zones and swaps them at a failover.
                    "zone",
                    *(["high_availability[0].standby_availability_zone"] if settings.zone_redundancy_enabled else []),
                    # Azure grows the disk, and azurerm would replace the server to shrink it again.
                    "storage_mb",
                ],
            ),
            **placement.arguments,
        )
        self._grow_disk(server, settings.storage_gib)
        database = PostgresqlFlexibleServerDatabase(
            self,
            "database",
            name=DATABASE,
            server_id=server.id,
            charset="UTF8",
            collation="en_US.utf8",
            lifecycle=protection.lifecycle(self),
        )
        PostgresqlFlexibleServerActiveDirectoryAdministrator(
            self,
            "role-administrator",
            resource_group_name=placement.resource_group_name,
            server_name=server.name,
            tenant_id=administrator.tenant_id,
            object_id=administrator.principal_id,
            principal_name=administrator.name,
            principal_type="ServicePrincipal",
        )
        self._forget_administrator()
        access.add_private_endpoint(self, placement=placement, link=_LINK, resource_id=server.id, required=True)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=server.id,
            logs=["PostgreSQLLogs"],
            metrics=True,
            table_selectable=True,
        )
        self.resource_id: str = server.id
        self.fqdn: str = server.fqdn
        self.database_name: str = database.name

    def _forget_administrator(self) -> None:
        """Remove the administrator of earlier versions, which was the chat, from Terraform's state only.

        Deleting it in Azure would drop its role, which owns the tables: that fails, or the chat loses its history. The
        Job takes the administrator's rights from the role instead.
        """
        forgotten = {"from": _FORMER_ADMINISTRATOR, "lifecycle": {"destroy": False}}
        TerraformStack.of(self).add_override("removed", [forgotten])

    def _grow_disk(self, server: PostgresqlFlexibleServer, storage_gib: int) -> None:
        """Grow the disk when the setting changes, never below its size at that time.

        The size is stored until the next change of the setting: growth by Azure alone changes no plan.
        """
        actual = f"{server.terraform_resource_type}.{server.friendly_unique_id}.storage_mb / {_MIB_PER_GIB}"
        size = stored(self, "disk-size", f"${{max({storage_gib}, {actual})}}", until_changed=storage_gib)
        ResourceAction(
            self,
            "disk",
            type=f"Microsoft.DBforPostgreSQL/flexibleServers@{_API_VERSION}",
            resource_id=server.id,
            method="PATCH",
            body={"properties": {"storage": {"storageSizeGB": f"${{{address(size)}.output}}"}}},
        )
