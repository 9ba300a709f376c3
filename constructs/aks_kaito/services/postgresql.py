"""PostgreSQL for the chat's history: private endpoint only, sign-in with Entra ID only.

See: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-azure-ad-authentication
"""

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


class PostgreSql(Construct):
    """Server, its database `chat`, and the workload identity as its administrator.

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
        workload_identity: Identity,
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
            public_network_access_enabled=False,
            authentication={
                "active_directory_auth_enabled": True,
                "password_auth_enabled": False,
                "tenant_id": workload_identity.tenant_id,
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
        # The chat migrates its own tables, and Terraform cannot create roles in the server without a password.
        PostgresqlFlexibleServerActiveDirectoryAdministrator(
            self,
            "administrator",
            resource_group_name=placement.resource_group_name,
            server_name=server.name,
            tenant_id=workload_identity.tenant_id,
            object_id=workload_identity.principal_id,
            principal_name=workload_identity.name,
            principal_type="ServicePrincipal",
        )
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
