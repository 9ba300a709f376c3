"""Judgement of CAA records: whether Let's Encrypt may issue a certificate.

See: https://www.rfc-editor.org/rfc/rfc8659 and https://www.rfc-editor.org/rfc/rfc8657
"""

from aks_kaito_cli.answers import State
from aks_kaito_cli.preflight.resolver import Caa

_Issuer = tuple[str, dict[str, str]]
ISSUER = "letsencrypt.org"
_CRITICAL = 128
# A certification authority must refuse a critical property that it does not know; Let's Encrypt knows these.
_KNOWN = {"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"}


def judged(caa: Caa, challenge: str) -> tuple[State, str, str]:
    """Return state, observation and remedy for a name with these records and this ACME challenge."""
    unknown = [tag for flags, tag, _ in caa.records if flags & _CRITICAL and tag not in _KNOWN]
    if unknown:
        text = f"{caa.domain} has the critical CAA property {unknown[0]}, for which every issuance is refused"
        return "blocker", text, f"Remove the property {unknown[0]} from {caa.domain}"
    issuers = [_parsed(value) for _, tag, value in caa.records if tag == "issue"]
    if issuers:
        return _by_issuers(caa.domain, issuers, challenge)
    where = f"CAA records of {caa.domain} name no issuer" if caa.records else "no CAA record"
    return "ok", f"{where}: every certification authority may issue", ""


def _by_issuers(domain: str, issuers: list[_Issuer], challenge: str) -> tuple[State, str, str]:
    """Return the judgement on the `issue` properties of a domain."""
    remedy = f'Add to {domain} a CAA record: 0 issue "{ISSUER}"'
    ours = [parameters for issuer, parameters in issuers if issuer == ISSUER]
    if not ours:
        allowed = ", ".join(sorted({issuer for issuer, _ in issuers if issuer})) or "nobody"
        return "blocker", f"CAA records of {domain} let {allowed} issue, not {ISSUER}", remedy
    usable = [each for each in ours if challenge in each.get("validationmethods", challenge).split(",")]
    if not usable:
        methods = ", ".join(each["validationmethods"] for each in ours)
        text = f"CAA records of {domain} let {ISSUER} validate by {methods}, and cert-manager uses {challenge}"
        return "blocker", text, remedy
    if all("accounturi" in each for each in usable):
        text = f"CAA records of {domain} name an account, and cert-manager creates its own in the cluster"
        return "warning", text, "Add the account's URI once the ClusterIssuer has it (status.acme.uri)"
    return "ok", f"CAA records of {domain} let {ISSUER} issue", ""


def _parsed(value: str) -> _Issuer:
    """Return issuer and parameters of `issuer; name=value; ...`; the issuer may be empty."""
    domain, *parameters = (part.strip() for part in value.split(";"))
    pairs = (each.partition("=") for each in parameters if each)
    return domain.lower().rstrip("."), {name.strip().lower(): found.strip() for name, _, found in pairs}
