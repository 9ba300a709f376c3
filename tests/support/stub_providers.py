"""Stub providers that serve several commands of Terraform, which would start each provider several times a command.

See: https://developer.hashicorp.com/terraform/plugin/debugging
"""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from support.needs import needs_program

_RUNNING: list[subprocess.Popen[str]] = []
_DOMAIN, _NAMESPACE = "registry.terraform.io", "hashicorp"


def attached(documents: Iterable[dict[str, Any]], mirror: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Start the providers of all documents; return the variable with which Terraform finds them.

    They run until `stop`, or until this process ends.
    """
    sources = {
        each["source"] for document in documents for each in document["terraform"]["required_providers"].values()
    }
    found = {}
    for source in sorted(sources):
        address = "/".join([*(_DOMAIN, _NAMESPACE)[: 2 - source.count("/")], source]).lower()
        if (mirror / address).is_dir():
            found[address] = _started(next((mirror / address).rglob("terraform-provider-*")), variables)
    return {"TF_REATTACH_PROVIDERS": json.dumps(found)}


def _started(launcher: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Start a provider, and return its address as Terraform expects it."""
    setpriv = needs_program("setpriv", package="util-linux")
    process = subprocess.Popen(
        [setpriv, "--pdeathsig", "KILL", launcher],
        # Ctrl-C in a terminal ends Terraform only.
        process_group=0,
        env={**variables, "TF_PLUGIN_MAGIC_COOKIE": "a test"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    _RUNNING.append(process)
    assert process.stdout is not None
    # Of go-plugin: versions of the core's and the plugin's protocols, network, address, protocol.
    _, version, network, address, protocol = process.stdout.readline().strip().split("|")
    return {
        "Protocol": protocol,
        "ProtocolVersion": int(version),
        "Pid": process.pid,
        "Test": True,
        "Addr": {"Network": network, "String": address},
    }


def stop() -> None:
    """End the providers that run."""
    while _RUNNING:
        with _RUNNING.pop() as process:
            process.kill()
