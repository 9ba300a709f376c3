"""This machine: versions of the programs that a deployment runs, and the time that the sign-in lasts."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from aks_kaito_cli.answers import Check, Finding
from aks_kaito_cli.azure.sign_in import has_one_token, uses_az
from aks_kaito_cli.doctor import checks as doctor
from aks_kaito_cli.doctor.needs import AZ, HELM, KUBELOGIN, TERRAFORM, Program
from aks_kaito_cli.preflight import claims
from aks_kaito_cli.preflight.context import Context

GROUP = "Machine"
# The longest deployments that were seen took almost an hour, most of it for the cluster and the GPU nodes.
_DEPLOYMENT_SECONDS = 3600
# A token's claim for clients that signed in with a certificate or another token, instead of a secret.
# See: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
_ASSERTED = "2"


def checks(context: Context, now: float | None = None) -> list[Check]:
    """Return a check of each program, and one of the sign-in; `now` is a time as of `time.time`."""
    programs = [
        Check(GROUP, program.name, partial(_program, context, program)) for program in (AZ, TERRAFORM, KUBELOGIN, HELM)
    ]
    return [*programs, Check(GROUP, "sign-in", partial(_sign_in, context, now))]


def _program(context: Context, program: Program) -> Iterator[Finding]:
    # make installs helm beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{context.variables.get('PATH', '')}"
    variables = {**context.variables, **({"PATH": path} if program is HELM else {})}
    found = doctor.checked(program, ("deploy",), variables)
    is_private = context.settings.cluster.private_cluster_enabled
    finding = partial(Finding, GROUP, program.name)
    if found.state == "ok" and found.detail != doctor.UNKNOWN_VERSION:
        least = f", at least {'.'.join(map(str, program.minimum))} needed" if program.minimum else ""
        yield finding("ok", f"{found.detail}{least}")
    elif found.state == "ok":
        yield finding("unknown", f"{found.need} does not tell its version", f"{found.path} {' '.join(program.version)}")
    elif is_private and program.in_public_clusters:
        yield finding("info", f"{found.detail}; needed inside the private network only", found.remedy)
    else:
        yield finding("blocker", found.detail, found.remedy)


def _sign_in(context: Context, now: float | None) -> Iterator[Finding]:
    """Yield whether the sign-in outlasts a deployment: its token does, or is renewed."""
    token = context.arm.token()
    seconds = token.expires_on - (time.time() if now is None else now)
    end = datetime.fromtimestamp(token.expires_on, UTC).strftime("%H:%M UTC")
    text = f"the token ends at {end}, in {max(int(seconds) // 60, 0)} minutes"
    finding = partial(Finding, GROUP, "sign-in")
    fixed = _fixed(context.variables, claims.of(token.token))
    if not fixed:
        yield finding("ok", f"{text}, and is renewed")
    elif seconds >= _DEPLOYMENT_SECONDS:
        yield finding("ok", f"{text}, later than a deployment of an hour")
    else:
        remedy = "Sign in right before the deployment, or with ARM_USE_OIDC and a request URL, which renews the token"
        yield finding("warning", f"{text}: a deployment takes up to an hour, and {fixed}", remedy)


def _fixed(variables: Mapping[str, str], claimed: dict[str, Any]) -> str:
    """Return the reason why the token cannot be renewed; empty if it can.

    az keeps the federated token with which it signed in, and cannot use it again once that has ended. The token of a
    managed identity has the same claim and its identity's id, and az gets another.
    """
    if has_one_token(variables):
        return "nobody renews ARM_OIDC_TOKEN"
    if uses_az(variables) and claimed.get("appidacr") == _ASSERTED and "xms_mirid" not in claimed:
        return "az cannot renew a sign-in with a federated token"
    return ""
