"""The genuine programs accept every command line that the product prints or documents."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer

from aks_kaito_cli.app import application
from support.needs import needs, needs_program
from support.printed_commands import Printed, printed
from support.project import ROOT
from support.rendering import helm_path

BIN = ROOT / ".venv" / "bin"
# Commands of extensions, which az would download.
EXTENSIONS = ("grafana", "network bastion", "ssh")


def named(found: Printed) -> str:
    return f"{found.source}: {' '.join(found.words)[:80]}"


def asked(*command: str, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(variables or {})}
    )


def with_help(found: Printed) -> list[str]:
    """Return the words that make a program parse the options and explain itself, without those for a container."""
    words = list(found.words[1:])
    at = words.index("--") if "--" in words else len(words)
    return [*words[:at], "--help"]


@pytest.mark.parametrize("found", printed("aks-kaito"), ids=named)
def test_our_own_command_knows_the_options(found: Printed) -> None:
    group = typer.main.get_group(application())
    name, *arguments = found.words[1:]
    subcommand = group.commands.get(name)
    assert subcommand is not None, f"no subcommand {name}"
    # A sentence may leave arguments out.
    with contextlib.nullcontext() if found.is_whole else contextlib.suppress(typer.BadParameter):
        subcommand.make_context(name, arguments)


@pytest.mark.parametrize("found", printed("kubectl"), ids=named)
def test_kubectl_knows_the_options(found: Printed) -> None:
    kubectl = needs_program("kubectl", "kubectl (make test installs it)", path=f"{BIN}:{os.environ['PATH']}")
    ran = asked(kubectl, *with_help(found))
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^ +kubectl [a-z]", ran.stdout, re.MULTILINE), "no subcommand"


@pytest.mark.parametrize("found", printed("helm"), ids=named)
def test_helm_knows_the_options(found: Printed) -> None:
    ran = asked(helm_path("helm"), *with_help(found))
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^ +helm [a-z]", ran.stdout, re.MULTILINE), "no subcommand"


@pytest.mark.parametrize("found", printed("terraform"), ids=named)
def test_terraform_knows_the_options(found: Printed) -> None:
    terraform = needs_program("terraform", "terraform")
    options = {word.partition("=")[0] for word in found.words if word.startswith("-")} - {"-chdir"}
    subcommand = [word for word in found.words[1:3] if re.fullmatch(r"[a-z]+", word)]
    ran = asked(terraform, *subcommand, "-help")
    assert all(option in ran.stdout for option in options), ran.stdout


@pytest.mark.parametrize("found", printed("az"), ids=named)
def test_az_knows_the_options(found: Printed, tmp_path: Path) -> None:
    az = shutil.which("az")
    if az is None:
        pytest.skip("needs az (azure-cli)")
    if " ".join(found.words[1:]).startswith(EXTENSIONS):
        pytest.skip("needs an extension of az")
    # Without an account, az parses its arguments and then asks for a sign-in; 2 is its status for wrong arguments.
    ran = asked(az, *found.words[1:], variables={"AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_NO_COLOR": "1"})
    accepted = ["No such file"] + ([] if found.is_whole else ["are required", "expected one argument"])
    assert ran.returncode != 2 or any(words in ran.stderr for words in accepted), ran.stderr


RESOURCES = {
    "/api/v1": ("pods", "Pod", ""),
    "/apis/kaito.sh/v1beta1": ("workspaces", "Workspace", "kaito.sh"),
}


class Handler(BaseHTTPRequestHandler):
    """An API server with pods and Workspaces, none of which exists."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body: dict[str, Any] = {"kind": "Status", "code": 404, "reason": "NotFound", "status": "Failure"}
        if path == "/api":
            body = {"kind": "APIVersions", "versions": ["v1"]}
        elif path == "/apis":
            version = {"groupVersion": "kaito.sh/v1beta1", "version": "v1beta1"}
            group = {"name": "kaito.sh", "versions": [version], "preferredVersion": version}
            body = {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}
        elif path in RESOURCES:
            name, kind, group_name = RESOURCES[path]
            verbs = ["get", "list", "watch"]
            resource = {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": verbs}
            group_version = f"{group_name}/v1beta1" if group_name else "v1"
            body = {"kind": "APIResourceList", "groupVersion": group_version, "resources": [resource]}
        elif found := re.fullmatch(r"(.*)/namespaces/[^/]+/(?:pods|workspaces)", path):
            kind = RESOURCES[found[1]][1]
            version_of = found[1].removeprefix("/apis/").removeprefix("/api/")
            body = {"kind": f"{kind}List", "apiVersion": version_of, "metadata": {"resourceVersion": "1"}, "items": []}
            if "watch=" in self.path:
                body = {}
        text = json.dumps(body).encode() if body else b""
        self.send_response(int(body.get("code", 200)))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def api_server() -> Iterator[str]:
    """Run the API server; return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kinds", ["workspaces", "workspaces,pods"])
def test_kubectl_watches_one_kind_only(kinds: str, api_server: str, tmp_path: Path) -> None:
    kubectl = needs_program("kubectl", "kubectl (make test installs it)", path=f"{BIN}:{os.environ['PATH']}")
    command = (kubectl, "--server", api_server, "--cache-dir", str(tmp_path), "--request-timeout", "5s")
    ran = asked(
        *command, "--namespace", "chat", "get", kinds, "--watch", variables={"KUBECONFIG": str(tmp_path / "no")}
    )
    assert ("you may only specify a single resource type" in ran.stderr) == ("," in kinds), ran.stderr


def test_no_command_watches_several_kinds() -> None:
    watching = [each for each in printed("kubectl") if {"--watch", "-w"} & set(each.words)]
    assert needs(watching, "commands that watch")
    for found in watching:
        words = found.words[found.words.index("get") + 1 :]
        kinds = [word for word in words if not word.startswith("-")]
        assert len(kinds) == 1, found
        assert "," not in kinds[0], found
