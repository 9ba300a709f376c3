"""Names of all Azure resources: abbreviation, prefix, environment and region.

A name is a function of the settings, without random parts, so a plan never renames a resource. Names that must be
unique in all of Azure end in a short hash of prefix and subscription id; if they are too long for Azure, they are cut,
and the hash includes the environment.

See: https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-abbreviations
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

# Azure's rules for the names that can break them.
# See: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_LIMITS = {
    "resource_group": (r"[-\w.()]{0,89}[-\w()]", "1-90 letters, digits and _-.()"),
    "cluster": (r"[A-Za-z0-9]([-\w]{0,61}[A-Za-z0-9])?", "1-63 letters, digits, '_' and '-'"),
    "dns_prefix": (r"[A-Za-z0-9]([-A-Za-z0-9]{0,52}[A-Za-z0-9])?", "1-54 letters, digits and '-'"),
    "registry": (r"[A-Za-z0-9]{5,50}", "5-50 letters and digits"),
    "key_vault": (r"(?=.{3,24}$)[A-Za-z](-?[A-Za-z0-9])+", "3-24 letters, digits and single '-'"),
    "storage_account": (r"[a-z0-9]{3,24}", "3-24 lower-case letters and digits"),
    "model_storage_account": (r"[a-z0-9]{3,24}", "3-24 lower-case letters and digits"),
    "grafana": (r"(?=.{2,23}$)[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])", "2-23 letters, digits and '-'"),
    "openai": (r"[A-Za-z0-9]([-A-Za-z0-9]{0,62}[A-Za-z0-9])?", "2-64 letters, digits and '-'"),
    "postgresql": (r"[a-z0-9]([-a-z0-9]{1,61}[a-z0-9])", "3-63 lower-case letters, digits and '-'"),
    "jump_box": (r"[A-Za-z0-9]([-A-Za-z0-9]{0,62}[A-Za-z0-9])?", "1-64 letters, digits and '-'"),
}
# Database of the chat's history on the PostgreSQL server.
DATABASE = "chat"
_STORAGE_ACCOUNT_LIMIT = 24
_KEY_VAULT_LIMIT = 24
_GRAFANA_LIMIT = 23
_DATA_COLLECTION_ENDPOINT_LIMIT = 44
_DATA_COLLECTION_RULE_LIMIT = 64
# See: https://learn.microsoft.com/azure/aks/faq
_NODE_RESOURCE_GROUP_LIMIT = 80


@dataclass(frozen=True)
class Names:
    """Names of one environment's resources.

    The subscription id, if known, is part of the hash in globally unique names: two subscriptions may use one prefix.
    """

    prefix: str
    environment: str
    location: str
    subscription_id: str | None = None
    key_vault_name: str | None = None

    def of(self, abbreviation: str, qualifier: str = "") -> str:
        """Return a name such as `vnet-kaito-dev-westeurope`, or `snet-system-kaito-dev-westeurope`."""
        parts = (abbreviation, qualifier, self.prefix.lower(), self.environment, self.location)
        return "-".join(part for part in parts if part)

    @property
    def suffix(self) -> str:
        """Six characters of a hash of prefix and subscription; the same on every run."""
        return self._hash()

    @property
    def stack(self) -> str:
        """Prefix of this environment's stack names, such as `kaito-dev`."""
        return f"kaito-{self.environment}"

    @property
    def resource_group(self) -> str:
        """Resource group of the platform."""
        return self.of("rg")

    @property
    def cluster(self) -> str:
        """AKS cluster."""
        return self.of("aks")

    @property
    def node_resource_group(self) -> str:
        """Resource group of the nodes, with the name that AKS would choose."""
        return f"MC_{self.resource_group}_{self.cluster}_{self.location}"[:_NODE_RESOURCE_GROUP_LIMIT]

    @property
    def dns_prefix(self) -> str:
        """First part of the API server's host name."""
        return f"{self.prefix.lower()}-{self.environment}"

    @property
    def registry(self) -> str:
        """Container registry; unique in Azure, letters and digits only."""
        return f"cr{self._letters}{self.suffix}"

    @property
    def storage_account(self) -> str:
        """Storage account; unique in Azure, letters and digits only."""
        return self._unique(f"st{self._letters}", _STORAGE_ACCOUNT_LIMIT, separator="")

    @property
    def model_storage_account(self) -> str:
        """Storage account of the models' weights; unique in Azure, letters and digits only."""
        return self._unique(f"stm{self._letters}", _STORAGE_ACCOUNT_LIMIT, separator="")

    @property
    def key_vault(self) -> str:
        """Key Vault; unique in Azure, also among deleted vaults whose retention has not ended."""
        return self.key_vault_name or self._unique(f"kv-{self.dns_prefix}", _KEY_VAULT_LIMIT)

    @property
    def openai(self) -> str:
        """Azure OpenAI account and its subdomain; unique in Azure."""
        return f"oai-{self.dns_prefix}-{self.suffix}"

    @property
    def postgresql(self) -> str:
        """PostgreSQL server; unique in Azure."""
        return f"psql-{self.dns_prefix}-{self.suffix}"

    @property
    def grafana(self) -> str:
        """Grafana instance; unique in Azure, with four characters of the hash because the limit is short."""
        return self._unique(f"amg-{self.dns_prefix}", _GRAFANA_LIMIT, digits=4)

    @property
    def jump_box(self) -> str:
        """Jump box and its host name."""
        return f"vm-{self.dns_prefix}"

    @property
    def prometheus_endpoint(self) -> str:
        """Data collection endpoint of managed Prometheus, truncated as in Azure's own template."""
        return self._msprom(_DATA_COLLECTION_ENDPOINT_LIMIT)

    @property
    def prometheus_rule(self) -> str:
        """Data collection rule of managed Prometheus, truncated as in Azure's own template."""
        return self._msprom(_DATA_COLLECTION_RULE_LIMIT)

    @property
    def container_insights_rule(self) -> str:
        """Data collection rule of Container Insights."""
        return f"MSCI-{self.location}-{self.cluster}"[:_DATA_COLLECTION_RULE_LIMIT].rstrip("-")

    def broken(self) -> Iterator[tuple[str, str, str]]:
        """Yield each name that Azure would reject: its attribute, the name, and the rule."""
        for attribute, (pattern, allowed) in _LIMITS.items():
            name = getattr(self, attribute)
            if not re.fullmatch(pattern, name):
                yield attribute, name, allowed

    def _hash(self, *more: str) -> str:
        seed = "/".join((self.prefix.lower(), self.subscription_id or "", *more))
        return hashlib.sha256(seed.encode()).hexdigest()[:6]

    def _unique(self, head: str, limit: int, *, separator: str = "-", digits: int = 6) -> str:
        name = f"{head}{separator}{self.suffix[:digits]}"
        if len(name) <= limit:
            return name
        # Two long names of environments can begin alike.
        tail = f"{separator}{self._hash(self.environment)}"
        return f"{head[: limit - len(tail)].rstrip('-')}{tail}"

    @property
    def _letters(self) -> str:
        return f"{self.prefix}{self.environment}".lower().replace("-", "")

    def _msprom(self, limit: int) -> str:
        return f"MSProm-{self.location}-{self.cluster}"[:limit].rstrip("-")
