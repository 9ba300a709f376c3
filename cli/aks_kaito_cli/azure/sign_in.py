"""The credential that Terraform's azurerm provider would use, chosen by the same environment variables."""

import base64
from collections.abc import Callable, Mapping
from pathlib import Path

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzureCliCredential,
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from aks_kaito_cli.azure.errors import SignInError

# Entra ID's name of the application for which a federated token is made.
_AUDIENCE = "api://AzureADTokenExchange"
_CLI_SECONDS = 30
_HTTP_SECONDS = 15
# Variables of a service principal's own secret, which come before every other way.
_SECRETS = ("ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_CLIENT_SECRET")


def credential(variables: Mapping[str, str]) -> TokenCredential:
    """Return the credential of a service principal, a federated token or a managed identity; otherwise that of az.

    Where the variables allow several, azurerm takes the first one in this order.
    See: https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs#authenticating-to-azure

    Raises:
        SignInError: The variables choose a way to sign in, and one that it needs is missing.
    """
    tenant, client = variables.get("ARM_TENANT_ID"), variables.get("ARM_CLIENT_ID")
    for name in ("ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH"):
        if value := variables.get(name):
            return _certificate(variables, name, value)
    if secret := variables.get("ARM_CLIENT_SECRET"):
        return ClientSecretCredential(*_needed(variables, "ARM_CLIENT_SECRET"), secret)
    if _on(variables, "ARM_USE_OIDC"):
        return ClientAssertionCredential(*_needed(variables, "ARM_USE_OIDC"), _assertion(variables))
    if _on(variables, "ARM_USE_AKS_WORKLOAD_IDENTITY"):
        return _workload_identity(tenant, client)
    if _on(variables, "ARM_USE_MSI"):
        return ManagedIdentityCredential(client_id=client)
    return AzureCliCredential(tenant_id=tenant or "", process_timeout=_CLI_SECONDS)


def uses_az(variables: Mapping[str, str]) -> bool:
    """Return whether az signs in, so that its selected subscription applies."""
    switches = ("ARM_USE_OIDC", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_USE_MSI")
    return not any(variables.get(name) for name in _SECRETS) and not any(_on(variables, name) for name in switches)


def _certificate(variables: Mapping[str, str], name: str, value: str) -> TokenCredential:
    """Return the credential of a certificate: base64 of a PKCS #12 archive, or the path of one."""
    password = variables.get("ARM_CLIENT_CERTIFICATE_PASSWORD")
    try:
        data = Path(value).read_bytes() if name.endswith("_PATH") else base64.b64decode(value, validate=True)
        return CertificateCredential(*_needed(variables, name), certificate_data=data, password=password)
    except (OSError, ValueError) as error:
        raise SignInError(f"{name} has no certificate that can be read: {error}") from None


def _workload_identity(tenant: str | None, client: str | None) -> TokenCredential:
    """Return the credential of a pod's federated token, whose path AKS sets in a variable of its own."""
    try:
        return WorkloadIdentityCredential(tenant_id=tenant, client_id=client)
    except ValueError as error:
        raise SignInError(f"ARM_USE_AKS_WORKLOAD_IDENTITY is set: {error}") from None


def _on(variables: Mapping[str, str], name: str) -> bool:
    return variables.get(name, "").lower() in {"1", "true"}


def _needed(variables: Mapping[str, str], chosen: str) -> tuple[str, str]:
    """Return tenant and client of a service principal."""
    names = ("ARM_TENANT_ID", "ARM_CLIENT_ID")
    if missing := [name for name in names if not variables.get(name)]:
        raise SignInError(f"{chosen} is set, and {' and '.join(missing)} is not")
    return variables[names[0]], variables[names[1]]


def _assertion(variables: Mapping[str, str]) -> Callable[[], str]:
    """Return the function that gets a federated token: from a variable, a file, or the pipeline's own service."""
    if token := variables.get("ARM_OIDC_TOKEN"):
        return lambda: token
    if path := variables.get("ARM_OIDC_TOKEN_FILE_PATH"):
        return lambda: Path(path).read_text(encoding="utf-8").strip()
    url = variables.get("ARM_OIDC_REQUEST_URL") or variables.get("ACTIONS_ID_TOKEN_REQUEST_URL")
    bearer = variables.get("ARM_OIDC_REQUEST_TOKEN") or variables.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not (url and bearer):
        raise SignInError("ARM_USE_OIDC is set, and neither ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH nor a request URL")
    return lambda: _requested(url, bearer)


def _requested(url: str, bearer: str) -> str:
    """Ask the pipeline's token service for a token, as GitHub documents it."""
    headers = {"Authorization": f"Bearer {bearer}"}
    try:
        answer = requests.get(url, params={"audience": _AUDIENCE}, headers=headers, timeout=_HTTP_SECONDS)
        answer.raise_for_status()
        return str(answer.json()["value"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise ClientAuthenticationError(
            f"the pipeline's token service gives no token: {type(error).__name__}"
        ) from None


def has_one_token(variables: Mapping[str, str]) -> bool:
    """Return whether the sign-in has a federated token that nobody renews, so that it ends with its access token."""
    has_secret = any(variables.get(name) for name in _SECRETS)
    return _on(variables, "ARM_USE_OIDC") and bool(variables.get("ARM_OIDC_TOKEN")) and not has_secret
