"""Wait until the cluster's KAITO accepts Workspaces: `python -m kaito_chat.await_kaito --seconds 900`.

The add-on's custom resource definition and its admission webhook appear some minutes after it is enabled; a Helm
release before that fails. This program sends dry-run creations of an invalid Workspace to the API server until KAITO's
webhook rejects one, which proves that both are in place.

See: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
"""

import argparse
import asyncio
import re
import sys
import time
from pathlib import Path

import httpx

from kaito_chat.backends.responses import detail_of, json_of
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.settings.answering import IN_CLUSTER_URL, SERVICE_ACCOUNT_DIR

LOOK_SECONDS = 5.0
# After this long without a webhook, assume that this version of KAITO registers none.
UNCHECKED_SECONDS = 120.0
_KAITOS_WEBHOOK = re.compile(r'admission webhook "[^"]*kaito\.sh"')
UNCHECKED = "no admission webhook validates Workspaces yet"
API = "kaito.sh/v1beta1"
# Neither exists; KAITO accepts sizes that begin with Standard_N or Standard_D without a check.
INSTANCE_TYPE, PRESET = "Standard_Xnowhere", "no-such-model"
WORKSPACE = {
    "apiVersion": API,
    "kind": "Workspace",
    "metadata": {"name": "await-kaito"},
    "resource": {
        "instanceType": INSTANCE_TYPE,
        "labelSelector": {"matchLabels": {"apps": "await-kaito"}},
    },
    "inference": {"preset": {"name": PRESET}},
}


class NotAllowedError(Exception):
    """The pod lacks the permission to create Workspaces; retrying does not help."""


async def missing(server: ApiServer) -> str:
    """Return what KAITO still lacks, or an empty string when it is ready.

    Raises:
        NotAllowedError: The pod's ServiceAccount lacks the permission.
    """
    path = f"/apis/{API}/namespaces/{server.namespace}/workspaces?dryRun=All"
    try:
        response = await server.request("POST", path, WORKSPACE)
    except (httpx.HTTPError, OSError) as error:
        return f"the API server does not answer: {error or type(error).__name__}"
    said = detail_of(json_of(response), response.text)
    if response.status_code == httpx.codes.UNAUTHORIZED or (
        response.status_code == httpx.codes.FORBIDDEN and "admission webhook" not in said
    ):
        raise NotAllowedError(said)
    if response.status_code == httpx.codes.NOT_FOUND:
        return f"the cluster does not serve {API}"
    if response.is_server_error or "failed calling webhook" in said:
        return f"the webhook does not answer: {said}"
    if _KAITOS_WEBHOOK.search(said):
        return ""
    return UNCHECKED if response.is_success else f"the API server refuses: {said}"


async def wait(server: ApiServer, seconds: float) -> int:
    """Poll until KAITO is ready or the time is up, and return the exit code."""
    deadline = time.monotonic() + seconds
    unchecked_until = deadline
    said = ""
    while True:
        try:
            reason = await missing(server)
        except NotAllowedError as error:
            sys.stderr.write(f"not allowed: {error}\n")
            return 1
        if reason == UNCHECKED and said != UNCHECKED:
            unchecked_until = time.monotonic() + min(UNCHECKED_SECONDS, seconds / 2)
        if not reason or (reason == UNCHECKED and time.monotonic() >= unchecked_until):
            sys.stdout.write(f"KAITO accepts Workspaces{' without validating them' if reason else ''}\n")
            return 0
        if reason != said:
            said = reason
            sys.stdout.write(f"waiting: {reason}\n")
            sys.stdout.flush()
        if time.monotonic() + LOOK_SECONDS > deadline:
            sys.stderr.write(f"gave up after {seconds:g} s: {reason}\n")
            return 1
        await asyncio.sleep(LOOK_SECONDS)


async def _run(options: argparse.Namespace) -> int:
    server = ApiServer(options.api_url, options.service_account_dir)
    if not server.has_token:
        sys.stderr.write(f"{options.service_account_dir}/token is missing: this runs in a pod\n")
        return 2
    try:
        return await wait(server, options.seconds)
    finally:
        await server.close()


def main() -> int:
    """Return the exit code: 0 for ready, 1 for a timeout or a missing permission, 2 outside a pod."""
    parser = argparse.ArgumentParser(prog="python -m kaito_chat.await_kaito", description=__doc__)
    parser.add_argument("--seconds", type=float, default=900, help="timeout; default: 900")
    parser.add_argument("--api-url", default=IN_CLUSTER_URL, help="address of the Kubernetes API server")
    parser.add_argument(
        "--service-account-dir", type=Path, default=SERVICE_ACCOUNT_DIR, help="directory of the pod's token"
    )
    return asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
