"""Jump box: a Linux virtual machine behind Bastion, for work inside the virtual network."""

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.linux_virtual_machine import LinuxVirtualMachine, LinuxVirtualMachineAdminSshKey
from cdktn_provider_azurerm.network_interface import NetworkInterface, NetworkInterfaceIpConfiguration
from cdktn_provider_azurerm.virtual_machine_extension import VirtualMachineExtension
from constructs import Construct

from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings.services import JumpBox as JumpBoxSettings


class JumpBox(Construct):
    """Linux machine without a public address, with the Azure Monitor agent.

    Public attributes: `resource_id`, `name`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: JumpBoxSettings,
        admin_username: str,
        ssh_public_key: str,
        placement: Placement,
        network: VirtualNetwork,
        storage: StorageAccount,
    ) -> None:
        """Define the machine, which accepts `ssh_public_key` and no password."""
        super().__init__(scope, construct_id)
        interface = NetworkInterface(
            self,
            "network-interface",
            name=placement.names.of("nic", "vm"),
            accelerated_networking_enabled=settings.accelerated_networking_enabled,
            ip_configuration=[
                NetworkInterfaceIpConfiguration(
                    name="default", subnet_id=network.vm_subnet_id, private_ip_address_allocation="Dynamic"
                )
            ],
            **placement.arguments,
        )
        machine = LinuxVirtualMachine(
            self,
            "Resource",
            name=placement.names.jump_box,
            computer_name=placement.names.jump_box,
            size=settings.vm_size,
            admin_username=admin_username,
            admin_ssh_key=[LinuxVirtualMachineAdminSshKey(username=admin_username, public_key=ssh_public_key)],
            disable_password_authentication=True,
            secure_boot_enabled=True,
            vtpm_enabled=True,
            network_interface_ids=[interface.id],
            os_disk={
                "caching": "ReadWrite",
                "storage_account_type": settings.os_disk_storage_account_type,
            },
            source_image_reference=settings.image.model_dump(),
            boot_diagnostics={"storage_account_uri": storage.primary_blob_endpoint},
            # The monitoring agent signs in with this identity.
            identity={"type": "SystemAssigned"},
            # A new key would replace the machine with its disk.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["admin_ssh_key"]),
            **placement.arguments,
        )
        VirtualMachineExtension(
            self,
            "monitor-agent",
            name="AzureMonitorLinuxAgent",
            virtual_machine_id=machine.id,
            publisher="Microsoft.Azure.Monitor",
            type="AzureMonitorLinuxAgent",
            # The version to install first; Azure updates it.
            type_handler_version="1.33",
            auto_upgrade_minor_version=True,
            automatic_upgrade_enabled=True,
            tags=placement.tags,
        )
        self.resource_id: str = machine.id
        self.name: str = machine.name
