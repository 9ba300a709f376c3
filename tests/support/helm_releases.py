"""Releases that helm installs, upgrades and rolls back on an API server in memory."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from support.kubernetes_api import KubernetesApi
from support.rendering import CHART, GO, Object, default, helm_path, merged

_NAMESPACE = "chat"
BROKEN = {"chat": {"image": {"repository": "example.azurecr.io/broken"}}}
"""Values with which the chat never becomes ready."""


class HelmRelease:
    """The release `demo` of the chat's chart."""

    def __init__(self, api: KubernetesApi, home: Path, helm: str = "helm") -> None:
        """Write a kubeconfig for the server."""
        self.api = api
        self._helm = helm
        cluster = {"name": "c", "cluster": {"server": api.address}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u", "namespace": _NAMESPACE}}
        config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context]}
        (home / "kubeconfig").write_text(
            json.dumps(config | {"current-context": "c", "users": [{"name": "u", "user": {}}]}), encoding="utf-8"
        )
        access = {"KUBECONFIG": str(home / "kubeconfig")}
        self._environment = {"HOME": str(home), "PATH": os.environ["PATH"], **access, **GO}

    def upgrade(self, *changes: dict[str, Any], chart: Path = CHART, reuse: str | None = None) -> str:
        """Install or upgrade; return the notes. `reuse` is helm's option to keep the last values.

        Raises:
            ReleaseError: Helm fails, and has rolled back if the pods do not become ready.
        """
        rollback = ["--atomic"] if self._helm == "helm3" else ["--rollback-on-failure", "--wait=legacy"]
        options = ["--install", "--values", "-", "--timeout", "1s", *rollback]
        options += [f"--{reuse}"] if reuse else []
        values = merged({}, *changes) if reuse else default(*changes)
        return self._run("upgrade", "demo", str(chart), *options, values=values)

    def uninstall(self) -> None:
        """Uninstall the release."""
        self._run("uninstall", "demo")

    def status(self) -> str:
        """Return the status of the newest revision."""
        status: str = json.loads(self._run("history", "demo", "--output", "json"))[-1]["status"]
        return status

    def model(self) -> str:
        """Return the name of the model that the chat uses."""
        url: str = self.api.objects["configmaps", "demo"]["data"]["KAITO_CHAT_ENDPOINT_URL"]
        return url.removeprefix("http://")

    def pod(self) -> Object:
        """Return the pod template of the chat."""
        found: Object = self.api.objects["deployments", "demo"]["spec"]["template"]
        return found

    def _run(self, *arguments: str, values: dict[str, Any] | None = None) -> str:
        done = subprocess.run(
            [helm_path(self._helm), *arguments, "--namespace", _NAMESPACE],
            input=None if values is None else json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=self._environment,
        )
        if done.returncode:
            raise ReleaseError(done.stderr)
        return done.stdout


class ReleaseError(Exception):
    """Helm's error message."""
