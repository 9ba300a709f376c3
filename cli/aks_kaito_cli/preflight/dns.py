"""DNS of the host names: the zone, its delegation, records in the way, and leave for Let's Encrypt."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import dns.exception

from aks_kaito.charts.ours import published
from aks_kaito_cli.answers import Check, Finding, State
from aks_kaito_cli.azure.arm import Answer
from aks_kaito_cli.azure.errors import NotFoundError
from aks_kaito_cli.preflight import caa, resources
from aks_kaito_cli.preflight.context import Context
from aks_kaito_cli.preflight.resolver import VARIABLE, Resolver

GROUP = "DNS"


def checks(context: Context) -> list[Check]:
    """Return the checks of the zone, which the platform looks up, and of each published host name."""
    settings = context.settings
    hosts = {"chat": settings.ingress.hostname, "model": settings.ingress.model_hostname}
    found = []
    if settings.ingress.dns_zone_name:
        found += [
            Check(GROUP, "zone", partial(_zone, context)),
            _asking("delegation", partial(_delegation, context)),
        ]
    for name, host in hosts.items() if published(settings.ingress) else ():
        if host is not None:
            found.append(_asking(f"{name} record", partial(_record, context, f"{name} record", host)))
        if host is not None and settings.workloads.cert_manager_enabled:
            found.append(_asking(f"{name} CAA", partial(_caa, context, f"{name} CAA", host)))
    return found


def _asking(subject: str, ask: Callable[[], Iterable[Finding]]) -> Check:
    """Return a check of which the answer is unknown if the DNS does not answer."""

    def run() -> Iterator[Finding]:
        try:
            yield from ask()
        except dns.exception.DNSException as error:
            text = f"the DNS does not answer: {' '.join(str(error).split()) or type(error).__name__}"
            yield Finding(GROUP, subject, "unknown", text, f"Ask another resolver: {VARIABLE}=ADDRESS")

    return Check(GROUP, subject, run)


def _path(context: Context) -> str:
    """Return the resource id of the zone."""
    ingress = context.settings.ingress
    group = f"{context.scope}/resourceGroups/{ingress.dns_zone_resource_group_name}"
    return f"{group}/providers/Microsoft.Network/dnsZones/{ingress.dns_zone_name}"


def _zone(context: Context) -> Iterator[Finding]:
    ingress = context.settings.ingress
    name, group = ingress.dns_zone_name, ingress.dns_zone_resource_group_name
    zone = resources.existing(context, _path(context))
    if zone is None:
        text = f"the subscription has no DNS zone {name} in resource group {group}"
        create = f"az network dns zone create --name {name} --resource-group {group}"
        yield Finding(GROUP, "zone", "blocker", text, f"Correct ingress.dns_zone_resource_group_name, or: {create}")
    elif zone["properties"].get("zoneType", "Public") != "Public":
        text = f"{name} in {group} is a private zone, which Let's Encrypt cannot read"
        yield Finding(GROUP, "zone", "blocker", text, "Name a public zone in ingress.dns_zone_name")
    else:
        yield Finding(GROUP, "zone", "ok", f"{name} is in resource group {group}")


def _delegation(context: Context) -> Iterator[Finding]:
    zone = resources.existing(context, _path(context))
    name = str(context.settings.ingress.dns_zone_name)
    if zone is None:
        return
    own = {server.rstrip(".").lower() for server in zone["properties"]["nameServers"]}
    delegated = Resolver(context.variables).name_servers(name)
    finding = partial(Finding, GROUP, "delegation")
    remedy = f"At the registrar or in the zone above {name}, set exactly these NS records: {', '.join(sorted(own))}"
    if not delegated:
        yield finding(_unreachable(context), f"no NS records delegate {name}: nobody finds its records", remedy)
    elif foreign := delegated - own:
        text = f"{name} is delegated to {', '.join(sorted(foreign))}, which do not serve this zone"
        yield finding(_unreachable(context), text, remedy)
    elif missing := own - delegated:
        yield finding("warning", f"{name} is not delegated to {', '.join(sorted(missing))}", remedy)
    else:
        yield finding("ok", f"{name} is delegated to this zone")


def _record(context: Context, subject: str, host: str) -> Iterator[Finding]:
    address = _ingress_address(context)
    if context.settings.ingress.dns_zone_name:
        yield from _in_zone(context, subject, host, address)
    else:
        yield _elsewhere(context, subject, host, address)


def _ingress_address(context: Context) -> str:
    """Return the ingress controller's static address; empty before the first deployment, and with app routing."""
    if not context.settings.ingress.has_static_address:
        return ""
    kind, name = "Microsoft.Network/publicIPAddresses", context.names.of("pip", "ingress")
    found = resources.existing(context, resources.own(context, kind, name))
    return str(found["properties"].get("ipAddress") or "") if found else ""


def _in_zone(context: Context, subject: str, host: str, address: str) -> Iterator[Finding]:
    """Yield a finding for each record beside which the deployment's own cannot be created, or is not found."""
    zone = str(context.settings.ingress.dns_zone_name)
    relative = host.removesuffix(zone).rstrip(".")
    records: dict[tuple[str, str], Answer] = {}
    try:
        sets = context.arm.pages(f"{_path(context)}/all")
    except NotFoundError:
        return  # the finding on the zone says so
    for each in sets:
        records[each["type"].rpartition("/")[2].upper(), each["name"].lower()] = each["properties"]
    finding = partial(Finding, GROUP, subject)
    obstacles = list(_obstacles(context, relative or "@", records, address))
    for kind, name, text in obstacles:
        ingress = context.settings.ingress
        command = f"az network dns record-set {kind.lower()} delete --name {name} --zone-name {zone}"
        remedy = f"If nothing needs it: {command} --resource-group {ingress.dns_zone_resource_group_name}"
        # The deployment makes no AAAA record; only visitors with IPv6 go astray.
        yield finding("warning" if kind == "AAAA" else "blocker", text, remedy)
    if not obstacles:
        state = "this environment's record" if ("A", relative or "@") in records else "no record yet"
        yield finding("ok", f"{host} has {state}")


def _obstacles(
    context: Context, relative: str, records: dict[tuple[str, str], Answer], address: str
) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and description of each record in the way."""
    labels = relative.split(".") if relative != "@" else []
    for place in range(len(labels)):
        name = ".".join(labels[place:])
        if found := records.get(("NS", name)):
            servers = ", ".join(each["nsdname"] for each in found["NSRecords"])
            yield "NS", name, f"{name} is delegated to {servers}, so that this zone's records below it are not found"
    if found := records.get(("CNAME", relative)):
        target = (found.get("CNAMERecord") or found.get("targetResource") or {}).get("cname", "another resource")
        yield "CNAME", relative, f"a CNAME record of {relative} leads to {target}, and allows no record beside it"
    if found := records.get(("A", relative)):
        addresses = {each["ipv4Address"] for each in found.get("ARecords") or []}
        if not (_is_app_routings(context, relative, records) or (address and addresses == {address})):
            where = ", ".join(sorted(addresses)) or "another resource"
            yield "A", relative, f"an A record of {relative} points to {where}, which is not this environment's address"
    if found := records.get(("AAAA", relative)):
        where = ", ".join(sorted(each["ipv6Address"] for each in found.get("AAAARecords") or []))
        yield (
            "AAAA",
            relative,
            f"an AAAA record of {relative} leads visitors with IPv6 to {where or 'another resource'}",
        )


def _is_app_routings(context: Context, relative: str, records: dict[tuple[str, str], Answer]) -> bool:
    """Return whether app routing made the A record: it notes that in a TXT record.

    See: https://kubernetes-sigs.github.io/external-dns/latest/docs/registry/txt/
    """
    if context.settings.ingress.mode != "webapprouting":
        return False
    noted = [records.get(("TXT", name)) for name in (relative, f"a-{relative}")]
    values = ["".join(each["value"]) for found in noted if found for each in found["TXTRecords"]]
    return any("heritage=external-dns" in value for value in values)


def _elsewhere(context: Context, subject: str, host: str, address: str) -> Finding:
    """Return the finding on a record that the user creates."""
    found = Resolver(context.variables).addresses(host)
    finding = partial(Finding, GROUP, subject)
    points = f"{host} points to {', '.join(sorted(found))}"
    if found and not address:
        text = f"{points}: point it to the ingress controller's address, which the deployment shows"
        return finding("info" if context.settings.ingress.mode == "webapprouting" else "warning", text)
    if found == {address}:
        return finding("ok", f"{points}, this environment's address")
    if found:
        return finding("warning", f"{points}, not to this environment's address", f"Create an A record to {address}")
    if address:
        return finding("warning", f"{host} has no record", f"Create an A record to {address}")
    return finding("info", f"{host} has no record yet: create one to the address that the deployment shows")


def _caa(context: Context, subject: str, host: str) -> Iterator[Finding]:
    """Yield whether Let's Encrypt may issue: by DNS-01 with a zone, by HTTP-01 without one."""
    challenge = "dns-01" if context.settings.ingress.dns_zone_name else "http-01"
    found = Resolver(context.variables).caa(host)
    state, text, remedy = caa.judged(found, challenge)
    yield Finding(GROUP, subject, _unreachable(context) if state == "blocker" else state, text, remedy)


def _unreachable(context: Context) -> State:
    """Return the state of what leaves the chat without an address or a certificate.

    The first deployment would end at a chat that nobody reaches. A later one changes nothing about it, and may be the
    urgent one.
    """
    cluster = resources.own(context, resources.CLUSTERS, context.names.cluster)
    return "warning" if resources.existing(context, cluster) else "blocker"
