"""Dates and sizes that end an environment in its second year: secrets, versions, images, the database."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from aks_kaito.catalog import CATALOG
from aks_kaito.charts.names import SIGN_IN_SECRETS
from aks_kaito.settings import Environment
from aks_kaito_cli.answers import Check, Finding, State
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, NotFoundError
from aks_kaito_cli.status.azure_cluster import AzureCluster
from aks_kaito_cli.status.objects import at, listed, text

_GROUP = "Day two"
_SECRET_DAYS, _VERSION_DAYS, _IMAGE_DAYS = 30, 60, 60
# Azure makes the server read-only at 95 percent.
# See: https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-limits
_FULL, _FILLING = 95, 80
_IMAGE_DATE = re.compile(r"-(20\d{2})(\d{2})\.(\d{1,2})\.")


@dataclass(frozen=True)
class DayTwo:
    """Checks of one environment.

    Attributes:
        group: The id of its resource group.
    """

    environment: Environment
    arm: Arm
    group: str
    azure: AzureCluster
    now: datetime

    def checks(self) -> list[Check]:
        """Return the checks that apply."""
        settings = self.environment.settings
        found = [Check(_GROUP, "Kubernetes version", self.version), Check(_GROUP, "node images", self.images)]
        if settings.chat.sign_in == "entra":
            found.append(Check(_GROUP, "secrets", self.secrets))
        if settings.postgresql.enabled:
            found += [Check(_GROUP, "database", self.database), Check(_GROUP, "history", self.history)]
        return found

    def version(self) -> Iterator[Finding]:
        """Yield the end of support of the control plane's version: AKS's dates, if the region still offers it."""
        running = ".".join(self.azure.version.split(".")[:2])
        if not running:
            yield Finding(_GROUP, "Kubernetes version", "unknown", self.azure.error or "Azure shows no version")
            return
        known = CATALOG.kubernetes_versions.get(running)
        long_term = self.azure.support_plan == "AKSLongTermSupport"
        end = None if known is None else (known.lts_end if long_term else known.end_of_support)
        offered = self._offered(running)
        remedy = "raise cluster.kubernetes_version (docs/how-to/upgrade-kubernetes.md)"
        if end is None:
            detail = f"{self.azure.version}: the catalog has no end of its support{offered}"
            yield Finding(_GROUP, "Kubernetes version", "unknown", detail, remedy)
            return
        days = (end - self.now.date()).days
        plan = " with long-term support" if long_term else ""
        state: State = "ok" if days > _VERSION_DAYS and not offered else "warning"
        ended = f"ended on {end}" if days < 0 else f"ends on {end}, in {days} days"
        yield Finding(
            _GROUP,
            "Kubernetes version",
            state,
            f"{self.azure.version}: support{plan} {ended}{offered}",
            remedy if state == "warning" else "",
        )

    def _offered(self, running: str) -> str:
        subscription = self.group.partition("/resourceGroups/")[0]
        location = self.environment.settings.location
        path = f"{subscription}/providers/Microsoft.ContainerService/locations/{location}/kubernetesVersions"
        try:
            versions = [text(each, "version") for each in listed(self.arm.get(path), "values")]
        except AzureAnswerError:
            return ""
        return "" if running in versions or not versions else f"; {location} does not offer it any more"

    def images(self) -> Iterator[Finding]:
        """Yield the age of each pool's node image."""
        if self.azure.error_of_pools:
            yield Finding(_GROUP, "node images", "unknown", self.azure.error_of_pools)
        for pool in self.azure.pools:
            subject = f"node image of {pool.name}"
            match = _IMAGE_DATE.search(pool.image)
            if match is None:
                yield Finding(_GROUP, subject, "unknown", f"the version {pool.image or '(none)'} has no date")
                continue
            days = (self.now.date() - date(int(match[1]), int(match[2]), int(match[3]))).days
            names = self.environment.names
            remedy = (
                f"az aks nodepool upgrade --resource-group {names.resource_group} --cluster-name {names.cluster}"
                f" --name {pool.name} --node-image-only"
            )
            is_old = days > _IMAGE_DAYS
            detail = f"{days} days old ({pool.image})"
            yield Finding(_GROUP, subject, "warning" if is_old else "ok", detail, remedy if is_old else "")

    def secrets(self) -> Iterator[Finding]:
        """Yield the end of each secret for sign-in, which Azure's management API shows without the value."""
        vault = f"{self.group}/providers/Microsoft.KeyVault/vaults/{self.environment.names.key_vault}"
        for secret in SIGN_IN_SECRETS.values():
            try:
                found = self.arm.get(f"{vault}/secrets/{secret}")
            except NotFoundError:
                yield Finding(_GROUP, f"secret {secret}", "blocker", "is not in the vault", "docs/how-to/sign-in.md")
                continue
            except AzureAnswerError as error:
                yield Finding(_GROUP, f"secret {secret}", "unknown", str(error))
                continue
            yield self._end(secret, at(found, "properties", "attributes", "exp"))

    def _end(self, secret: str, seconds: object) -> Finding:
        subject, remedy = f"secret {secret}", "docs/how-to/rotate-secrets.md"
        if not isinstance(seconds, int):
            return Finding(_GROUP, subject, "info", "has no end in the vault; Entra ID ends a client secret by itself")
        end = datetime.fromtimestamp(seconds, UTC)
        left = end - self.now
        if left < timedelta(0):
            return Finding(_GROUP, subject, "blocker", f"ended on {end:%Y-%m-%d}", remedy)
        state: State = "ok" if left > timedelta(days=_SECRET_DAYS) else "warning"
        detail = f"ends on {end:%Y-%m-%d}, in {left.days} days"
        return Finding(_GROUP, subject, state, detail, remedy if state == "warning" else "")

    def database(self) -> Iterator[Finding]:
        """Yield the use of the database server's storage."""
        answer = self.arm.get(
            f"{self._server}/providers/Microsoft.Insights/metrics",
            metricnames="storage_percent",
            aggregation="Maximum",
            interval="PT1H",
            timespan=f"{self.now - timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}/{self.now:%Y-%m-%dT%H:%M:%SZ}",
        )
        data = listed(at(answer, "value", 0), "timeseries", 0, "data")
        values = [each["maximum"] for each in data if isinstance(each.get("maximum"), int | float)]
        if not values:
            yield Finding(_GROUP, "database", "unknown", "Azure Monitor has no value of storage_percent for this day")
            return
        size = self.environment.settings.postgresql.storage_gib
        states: tuple[tuple[float, State, str], ...] = (
            (_FULL, "blocker", "; Azure has made the server read-only, or is about to"),
            (_FILLING, "warning", ""),
            (0, "ok", ""),
        )
        state, said = next((state, said) for least, state, said in states if values[-1] >= least)
        remedy = f"raise postgresql.storage_gib, then: make deploy ENV={self.environment.name} TAG=..."
        detail = f"uses {values[-1]:.0f} % of {size} GiB{said}"
        yield Finding(_GROUP, "database", state, detail, "" if state == "ok" else remedy)

    def history(self) -> Iterator[Finding]:
        """Yield how long conversations and their backups are kept."""
        server = self.arm.get(self._server)
        kept = at(server, "properties", "backup", "backupRetentionDays")
        expected = self.environment.settings.postgresql.backup_retention_days
        if text(server, "properties", "state") == "Stopped":
            yield Finding(
                _GROUP,
                "database server",
                "blocker",
                "is stopped",
                f"az postgres flexible-server start --ids {self._server}",
            )
        detail = f"conversations stay until their users delete them, and {kept} days longer in backups"
        if kept == expected:
            yield Finding(_GROUP, "history", "info", detail)
        else:
            remedy = f"make deploy ENV={self.environment.name} TAG=..."
            yield Finding(_GROUP, "history", "warning", f"{detail}; the environment's file says {expected}", remedy)

    @property
    def _server(self) -> str:
        return f"{self.group}/providers/Microsoft.DBforPostgreSQL/flexibleServers/{self.environment.names.postgresql}"
