"""PostgreSQL for the chat's history: reached privately, signed in to with Entra ID.

See: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-azure-ad-authentication
"""

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.postgresql_flexible_server import (
    PostgresqlFlexibleServer,
    PostgresqlFlexibleServerHighAvailability,
)
from cdktn_provider_azurerm.postgresql_flexible_server_active_directory_administrator import (
    PostgresqlFlexibleServerActiveDirectoryAdministrator,
)
from cdktn_provider_azurerm.postgresql_flexible_server_database import PostgresqlFlexibleServerDatabase
from constructs import Construct

from aks_kaito import diagnostics
from aks_kaito.identity import Identity
from aks_kaito.network import private_endpoint
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

_MIB_PER_GIB = 1024


class PostgreSql(Construct):
    """Defines the server, the database `chat`, and the workload identity as its administrator.

    Public attributes: `resource_id`, `fqdn`, `database_name`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
        workload_identity: Identity,
    ) -> None:
        """Define the server; it has no password, and no public address whatever the settings say."""
        super().__init__(scope, construct_id)
        postgresql = settings.postgresql
        server = PostgresqlFlexibleServer(
            self,
            "Resource",
            name=placement.names.postgresql,
            version=postgresql.version,
            sku_name=postgresql.sku_name,
            storage_mb=postgresql.storage_gib * _MIB_PER_GIB,
            auto_grow_enabled=True,
            backup_retention_days=postgresql.backup_retention_days,
            public_network_access_enabled=False,
            authentication={
                "active_directory_auth_enabled": True,
                "password_auth_enabled": False,
                "tenant_id": workload_identity.tenant_id,
            },
            high_availability=PostgresqlFlexibleServerHighAvailability(mode="ZoneRedundant")
            if postgresql.zone_redundancy_enabled
            else None,
            # Azure chooses the zones, and swaps them at a failover.
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=["zone", "high_availability[0].standby_availability_zone"]
                if postgresql.zone_redundancy_enabled
                else ["zone"]
            ),
            **placement.arguments,
        )
        database = PostgresqlFlexibleServerDatabase(
            self, "database", name="chat", server_id=server.id, charset="UTF8", collation="en_US.utf8"
        )
        # The app migrates its own tables, and Terraform cannot create roles inside the server without a password.
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
        private_endpoint.PrivateEndpoint(
            self,
            "private-endpoint",
            placement=placement,
            network=network,
            link=private_endpoint.POSTGRESQL,
            target_resource_id=server.id,
        )
        diagnostics.send(
            self,
            target_resource_id=server.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["PostgreSQLLogs"],
            metrics=True,
        )
        self.resource_id: str = server.id
        self.fqdn: str = server.fqdn
        self.database_name: str = database.name
