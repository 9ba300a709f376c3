"""Findings on this machine: each need of a command, whether it is met, and the remedy if it is not."""

import os
import platform
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from aks_kaito_cli.doctor.needs import COMMANDS, Needs, Program, Version

State = Literal["ok", "missing", "optional"]
UNKNOWN_VERSION = "unknown version"
_ROOT = Path(__file__).parents[3]
_SECONDS = 15
_PYTHONS = ((3, 11), (3, 14))
_GIB = 2**30
# Folders that make fills once; with all of them, no more space is needed.
_INSTALLED = (".venv/.infra-installed", ".venv/.clis-installed", ".venv-app/.app-installed")
_CERTIFICATES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
)
_LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Finding:
    """A need on this machine.

    Attributes:
        need: The program, port, disk, proxy or certificates.
        commands: The commands that need it.
        state: `optional` is missing too, but only makes tests skip.
        detail: A version or a value.
        remedy: Empty if nothing is to be done.
        path: The path of a program that was found.
        in_public_clusters: Whether only environments with a public API server have the need.
    """

    need: str
    commands: tuple[str, ...]
    state: State
    detail: str
    remedy: str = ""
    path: str = ""
    in_public_clusters: bool = False


def findings(
    commands: tuple[str, ...] = tuple(COMMANDS), variables: Mapping[str, str] = os.environ, root: Path = _ROOT
) -> list[Finding]:
    """Return the findings for some commands, by default for all of them."""
    chosen = {name: COMMANDS[name] for name in commands}
    return [
        _python(commands),
        *_programs(chosen, variables, root),
        *_ports(chosen),
        _disk(chosen, root),
        *_proxy(commands, variables),
        *_certificates(commands, variables),
    ]


def missing(found: list[Finding]) -> list[Finding]:
    """Return the findings that stop a command."""
    return [finding for finding in found if finding.state == "missing"]


def _python(commands: tuple[str, ...]) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    first, after = _PYTHONS
    # Debian has them in a package of their own; make fails without them.
    if first <= sys.version_info[:2] < after and not (find_spec("venv") and find_spec("ensurepip")):
        package = f"python{'.'.join(map(str, sys.version_info[:2]))}-venv"
        remedy = f"Install the modules of virtual environments (package: {package})"
        return Finding("Python", commands, "missing", f"{version}, without venv or ensurepip", remedy)
    if first <= sys.version_info[:2] < after:
        return Finding("Python", commands, "ok", version, path=sys.executable)
    return Finding("Python", commands, "missing", version, "Install Python >=3.11,<3.14 (package: python3.13)")


def _programs(chosen: Mapping[str, Needs], variables: Mapping[str, str], root: Path) -> Iterator[Finding]:
    used: dict[Program, list[str]] = {}
    optional: dict[Program, list[str]] = {}
    for name, needs in chosen.items():
        for program in needs.programs:
            used.setdefault(program, []).append(name)
        for program in needs.optional:
            optional.setdefault(program, []).append(name)
    for program, names in used.items():
        yield checked(program, tuple(names), variables, root=root)
    for program, names in optional.items():
        if program not in used:
            yield checked(program, tuple(names), variables, absent="optional", root=root)


def checked(
    program: Program,
    commands: tuple[str, ...],
    variables: Mapping[str, str],
    absent: State = "missing",
    root: Path | None = None,
) -> Finding:
    """Return the finding on one program; its state is `absent` if it is missing, broken or too old.

    With the checkout's `root`, a program that make installs there is that one, or not missing.
    """
    name = variables.get(program.variable) or program.name
    path = _path(program, name, variables, root)
    remedy = f"Install {name}: {program.install}" if name == program.name else f"Correct {program.variable}={name}"
    found = partial(Finding, name, commands, in_public_clusters=program.in_public_clusters)
    if path is None and root and name == program.name and _made(program):
        return found("ok", "make installs it")
    if path is None:
        return found(absent, "not on the PATH", remedy)
    if not program.version:
        return found("ok", "installed", path=path)
    version, problem = _version(path, program)
    if problem:
        return found(absent, problem, remedy, path)
    shown = ".".join(map(str, version)) or UNKNOWN_VERSION
    if version and version < program.minimum:
        least = ".".join(map(str, program.minimum))
        return found(absent, shown, f"Upgrade {name} to {least} or newer: {program.install}", path)
    return found("ok", shown, path=path)


def _path(program: Program, name: str, variables: Mapping[str, str], root: Path | None) -> str | None:
    """Return the path of a program; the one in .venv/bin comes first, as in the commands, where make installs it."""
    if root and program.installed_on and name == program.name:
        installed = root / ".venv" / "bin" / name
        if installed.exists():
            return str(installed)
        if _made(program):
            return None
    return shutil.which(name, path=variables.get("PATH"))


def _made(program: Program) -> bool:
    """Return whether make installs a program on this machine."""
    here = (platform.system(), platform.machine())
    return program.installed_on is not None and all(
        wanted in ("*", found) for wanted, found in zip(program.installed_on, here, strict=True)
    )


def _version(path: str, program: Program) -> tuple[Version, str]:
    """Return the first version number in a program's output, none without one, or the reason why it does not run."""
    try:
        ran = subprocess.run([path, *program.version], capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return (), f"does not run: {error}"
    text = f"{ran.stdout}\n{ran.stderr}"
    if ran.returncode:
        return (), f"exits with {ran.returncode}: {' '.join(text.split())[:200]}"
    found = re.search(r"\bv?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part) if found else (), ""


def _ports(chosen: Mapping[str, Needs]) -> Iterator[Finding]:
    for name, needs in chosen.items():
        if needs.port is not None:
            with socket.socket() as listener:
                # As servers do: a connection that has just ended does not count.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(("127.0.0.1", needs.port))
                except OSError as error:
                    remedy = f"End the program on this port, or choose another: make {name} PORT={needs.port + 1}"
                    yield Finding(f"port {needs.port}", (name,), "missing", error.strerror or str(error), remedy)
                else:
                    yield Finding(f"port {needs.port}", (name,), "ok", "free")


def _disk(chosen: Mapping[str, Needs], root: Path) -> Finding:
    free = shutil.disk_usage(root).free / _GIB
    needed = (
        0.0 if all((root / each).exists() for each in _INSTALLED) else max(each.disk_gib for each in chosen.values())
    )
    commands = tuple(name for name, each in chosen.items() if each.disk_gib > free) or tuple(chosen)
    detail = f"{free:.1f} GiB free in {root}"
    if free >= needed:
        return Finding("disk", tuple(chosen), "ok", detail)
    return Finding("disk", commands, "missing", detail, f"Free {needed:g} GiB for what make installs")


def _proxy(commands: tuple[str, ...], variables: Mapping[str, str]) -> Iterator[Finding]:
    """Check that a proxy does not get the requests to this machine, such as those of the chat's probe."""
    values = {name.lower(): value for name, value in variables.items()}
    proxies = [name for name in ("http_proxy", "https_proxy", "all_proxy") if values.get(name)]
    if not proxies:
        return
    excluded = {part.strip() for part in values.get("no_proxy", "").split(",")}
    detail = f"{', '.join(name.upper() for name in proxies)} set"
    if excluded >= _LOOPBACK or "*" in excluded:
        yield Finding("proxy", commands, "ok", detail)
    else:
        lacking = ",".join(sorted(_LOOPBACK - excluded))
        yield Finding("proxy", commands, "missing", f"{detail}, NO_PROXY lacks {lacking}", f"Add {lacking} to NO_PROXY")


def _certificates(commands: tuple[str, ...], variables: Mapping[str, str]) -> Iterator[Finding]:
    """Check that variables name existing certificates, and that the system has some."""
    broken = [name for name in _CERTIFICATES if variables.get(name) and not Path(variables[name]).exists()]
    for name in broken:
        remedy = f"Unset {name}, or name a file of PEM certificates"
        yield Finding("certificates", commands, "missing", f"{name}={variables[name]} does not exist", remedy)
    if not broken:
        count = ssl.create_default_context().cert_store_stats()["x509_ca"]
        paths = ssl.get_default_verify_paths()
        if count or (paths.capath and any(Path(paths.capath).iterdir())):
            yield Finding("certificates", commands, "ok", f"{count} certification authorities")
        else:
            remedy = "Install certificates (package: ca-certificates)"
            yield Finding("certificates", commands, "missing", "no certification authority", remedy)
