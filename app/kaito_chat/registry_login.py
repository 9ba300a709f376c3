"""Write a registry's token into a Secret: `python -m kaito_chat.registry_login --registry HOST --secret NAME`.

Jobs of the chart run it with a workload identity. Azure's container registry exchanges the identity's token for one of
its own, which lasts three hours, as `az acr login --expose-token` does. The Secret exists; its key `.dockerconfigjson`
is what KAITO's containers read.

See: https://learn.microsoft.com/azure/container-registry/container-registry-authentication-managed-identity
"""

import argparse
import asyncio
import base64
import json
import os
import re
import sys
import time
from pathlib import Path

import httpx
from azure.core.exceptions import AzureError
from azure.identity.aio import WorkloadIdentityCredential

from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.settings.answering import IN_CLUSTER_URL, SERVICE_ACCOUNT_DIR
from kaito_chat.telemetry.logs import configure

AUDIENCE = "https://containerregistry.azure.net/.default"
# The user name of a registry that gets a token as its password.
USER = "00000000-0000-0000-0000-000000000000"
KEY = ".dockerconfigjson"
REQUEST_SECONDS = 30.0
PAUSE_SECONDS = 10.0


class LoginError(Exception):
    """The registry or the API server refused, with its answer."""


async def registry_token(registry: str, tenant: str, entra_token: str, transport: httpx.AsyncBaseTransport) -> str:
    """Exchange a token of Entra ID for one of the registry.

    Raises:
        LoginError: The registry refused: the identity has no role on it yet, or its firewall does not admit the pod.
        httpx.HTTPError: The registry is unreachable.
    """
    form = {"grant_type": "access_token", "service": registry, "tenant": tenant, "access_token": entra_token}
    async with httpx.AsyncClient(transport=transport, timeout=REQUEST_SECONDS, trust_env=False) as client:
        response = await client.post(f"https://{registry}/oauth2/exchange", data=form)
    if response.status_code != httpx.codes.OK:
        raise LoginError(f"{registry} answered {response.status_code}")
    try:
        token = response.json()["refresh_token"]
    except (ValueError, KeyError, TypeError) as error:
        raise LoginError(f"{registry} answered without a token") from error
    if not isinstance(token, str) or not token:
        raise LoginError(f"{registry} answered without a token")
    return token


def docker_config(registry: str, token: str) -> str:
    """Return the configuration of container tools that signs in to the registry."""
    auth = base64.b64encode(f"{USER}:{token}".encode()).decode()
    return json.dumps({"auths": {registry: {"auth": auth}}})


async def store(server: ApiServer, secret: str, config: str) -> None:
    """Write the configuration into an existing Secret of the pod's namespace.

    Raises:
        LoginError: The API server refused.
        httpx.HTTPError: The API server is unreachable.
    """
    path = f"/api/v1/namespaces/{server.namespace}/secrets/{secret}"
    body = {"data": {KEY: base64.b64encode(config.encode()).decode()}}
    response = await server.request("PATCH", path, body, "application/merge-patch+json")
    if response.is_error:
        raise LoginError(f"the API server answered {response.status_code} to the change of the Secret {secret}")


async def _once(registry: str, secret: str) -> None:
    async with WorkloadIdentityCredential() as credential:
        token = await credential.get_token(AUDIENCE)
    transport = httpx.AsyncHTTPTransport()
    exchanged = await registry_token(registry, os.environ.get("AZURE_TENANT_ID", ""), token.token, transport)
    server = ApiServer(IN_CLUSTER_URL, Path(SERVICE_ACCOUNT_DIR))
    try:
        await store(server, secret, docker_config(registry, exchanged))
    finally:
        await server.close()


async def login(registry: str, secret: str, seconds: float) -> str:
    """Try until the time is over, because rights are new after a deployment; return the last failure, or nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await _once(registry, secret)
        except (AzureError, httpx.HTTPError, LoginError, OSError, ValueError) as error:
            failure = str(error) or type(error).__name__
            if time.monotonic() + PAUSE_SECONDS > deadline:
                return failure
            sys.stderr.write(f"waiting for the registry: {failure}\n")
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return ""


def main() -> int:
    """Return the exit code: 0 when the Secret has a new token, 1 when it has not, 2 for invalid options."""
    parser = argparse.ArgumentParser(prog="python -m kaito_chat.registry_login", description=__doc__)
    parser.add_argument("--registry", required=True, help="host name, such as contoso.azurecr.io")
    parser.add_argument("--secret", required=True, help="name of the Secret")
    parser.add_argument("--seconds", type=float, default=300, help="how long to try; default: 300")
    options = parser.parse_args()
    if not re.fullmatch(r"[a-z0-9]+(\.[-a-z0-9]+)+", options.registry):
        parser.error(f"--registry {options.registry!r}: must be a host name")
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", options.secret):
        parser.error(f"--secret {options.secret!r}: must be the name of a Secret")
    configure("INFO", "text")
    if failure := asyncio.run(login(options.registry, options.secret, options.seconds)):
        sys.stderr.write(f"the Secret {options.secret} has no new token: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
