"""Meters of Azure's price list, as its fields name them.

See: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

from dataclasses import dataclass

# Prices that hold in every region have one of these instead of a region.
GLOBAL = ("Global", "", "Zone 1")


@dataclass(frozen=True)
class Meter:
    """One meter; fields that are empty are not compared.

    Attributes:
        service: `serviceName` of the price list.
        name: `meterName`.
        product: `productName`, or its beginning.
        sku: `skuName`.
        arm_sku: `armSkuName`, such as the size of a VM.
        per: The thing that is counted beside time, such as GB; empty for a resource.
        is_global: The price is the same in all regions, and has no region in the list.
        is_spot: The price of a spot VM.
    """

    service: str
    name: str = ""
    product: str = ""
    sku: str = ""
    arm_sku: str = ""
    per: str = ""
    is_global: bool = False
    is_spot: bool = False

    def query(self, region: str) -> str:
        """Return the OData filter that finds the meter, with few others.

        Values are compared with regard to case since version 2023-01-01-preview.
        """
        asked = {
            "serviceName": self.service,
            "armRegionName": "" if self.is_global else region,
            "armSkuName": self.arm_sku,
            "meterName": self.name,
            "priceType": "Consumption",
        }
        return " and ".join(f"{key} eq '{_quoted(value)}'" for key, value in asked.items() if value)

    def __str__(self) -> str:
        """Return the words for a message."""
        words = [self.service, self.arm_sku or self.product, self.name, "Spot" if self.is_spot else ""]
        return ", ".join(word for word in words if word)


def virtual_machine(size: str, *, is_spot: bool = False) -> Meter:
    """Return the meter of a Linux VM."""
    return Meter("Virtual Machines", arm_sku=size, is_spot=is_spot)


def _quoted(value: str) -> str:
    return value.replace("'", "''")
