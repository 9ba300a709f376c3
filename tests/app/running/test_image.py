"""The image without a container engine: the Dockerfile's instructions, run below another root."""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, free_port, program
from support.chat.services import common_folder
from support.needs import needs
from support.project import ROOT

DOCKERFILE = (ROOT / "app" / "Dockerfile").read_text(encoding="utf-8")
# Debian's interpreter: one below root's home would be unreadable for the image's user.
PYTHON = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(path).exists()), "")
KEPT = Path(tempfile.gettempdir()) / "kaito-chat-image"
USER = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    found = re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)
    return [each for each in found if not each.startswith("apt-get ")]  # this machine has its own binutils


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The root of the image's file system; only root may write there."""
    needs(os.geteuid() == 0, "root, to become the image's user")
    packages = "a Python for all users (packages: python3 python3-venv)"
    found = [needs(PYTHON, packages), "-c", "import venv, ensurepip"]
    needs(subprocess.run(found, check=False, capture_output=True).returncode == 0, packages)
    needs(Path("/usr/bin/strip").exists(), "strip (package: binutils)")
    if not _is_ours(KEPT):
        shutil.rmtree(KEPT, ignore_errors=True)
        KEPT.mkdir()
    with FileLock(KEPT / "lock", timeout=600):
        root = _installed()
        _add_application(root)
        yield root


def _is_ours(folder: Path) -> bool:
    """Return whether only root can write to a folder: its programs run as root."""
    status = folder.lstat() if folder.exists() else None
    return status is not None and status.st_uid == 0 and stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022


def _installed() -> Path:
    """Return a root with the image's environment, which is kept until the Dockerfile or a requirement changes."""
    sources = [ROOT / "app" / "Dockerfile", *sorted((ROOT / "app").glob("requirements*.txt")), Path(PYTHON).resolve()]
    root = KEPT / hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    if not (root / "complete").exists():
        for other in KEPT.glob("*/"):
            shutil.rmtree(other)
        _install(root)
        (root / "complete").touch()
    return root


def _install(root: Path) -> None:
    """Run the Dockerfile's first instructions below another root."""
    build = root / "build"
    build.mkdir(parents=True)
    for source in (ROOT / "app").glob("requirements*.txt"):
        shutil.copy(source, build)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(build)}
    for pair in " ".join(instructions("ENV")[:1]).split():
        key, value = pair.split("=", 1)
        environment[key] = value
    command = instructions("RUN")[0].replace("/opt/", f"{root}/opt/").replace("python -m venv", f"{PYTHON} -m venv")
    subprocess.run(["/bin/bash", "-euc", command], cwd=build, env=environment, check=True)


def _add_application(root: Path) -> None:
    """Copy and compile the application, as the Dockerfile does, below a root with its environment."""
    shutil.rmtree(root / "opt" / "app", ignore_errors=True)
    shutil.copytree(
        ROOT / "app" / "kaito_chat", root / "opt/app/kaito_chat", ignore=shutil.ignore_patterns("__pycache__")
    )
    compiled = (
        instructions("RUN")[1].replace("/opt/", f"{root}/opt/").replace("python ", f"{root}/opt/venv/bin/python ")
    )
    subprocess.run(["/bin/bash", "-euc", compiled], check=True)
    subprocess.run(["/bin/chmod", "-R", "a-w,a+rX", str(root / "opt")], check=True)


@pytest.fixture(scope="module")
def writable() -> Iterator[Path]:
    """The only directory that the image's user can write to."""
    with common_folder() as folder:
        folder.chmod(0o777)
        yield folder


@pytest.fixture(scope="module")
def contained(image: Path, scripted: Running, writable: Path) -> Iterator[Running]:
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(writable),
        "PYTHONPATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "KAITO_CHAT_LISTEN_PORT": str(port),
        "KAITO_CHAT_MANAGEMENT_PORT": str(management := free_port()),
        "KAITO_CHAT_DATA_DIR": str(writable / "kaito-chat"),
        "KAITO_CHAT_ENDPOINT_URL": scripted.url,
    }
    uid, gid = USER[0]
    drop = f"setpriv --reuid={uid} --regid={gid} --clear-groups --no-new-privs --bounding-set=-all"
    run = ["-c", f"cd {image}/opt/app && exec {drop} {image}/opt/venv/bin/python -m kaito_chat"]
    with program(run, port, writable / "log", environment, python="/bin/bash", management=management) as running:
        yield running


async def test_the_image_answers_as_its_user_on_a_read_only_tree(contained: Running) -> None:
    page = Page(contained.url)
    await page.open()
    assert (await page.ask("count to 10")).answer == "1 2 3 4 5 6 7 8 9 10"
    await page.close()
    user = contained.measure().uids()
    assert str(user.real) == str(user.effective) == USER[0][0]


def test_nothing_in_the_image_belongs_to_its_user(contained: Running, image: Path) -> None:
    assert contained.process.poll() is None  # it has run
    assert [path for path in image.rglob("*") if path.lstat().st_uid != 0] == []


def test_the_image_writes_below_its_data_directory_only(contained: Running) -> None:
    folder = contained.log.parent
    assert {path.name for path in folder.iterdir()} == {"kaito-chat", "log"}


def test_the_image_has_no_build_tools(image: Path) -> None:
    assert not list((image / "opt/venv/bin").glob("pip*"))
    assert not list((image / "opt").rglob("setuptools"))
    assert not [path for path in (image / "opt").rglob("*") if path.name in ("gcc", "pytest", "playwright")]


def test_the_image_has_only_what_the_chat_uses(image: Path) -> None:
    """A sixth of its former size were source maps, a tenth gRPC; the sum is twice what it should not exceed."""
    files = [path for path in (image / "opt").rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if path.suffix == ".map" or "copilot" in path.parts] == []
    assert not {"grpc", "literalai", "mcp", "traceloop", "tests"} & {part for path in files for part in path.parts}
    assert sum(path.stat().st_size for path in files) < 130e6


def test_every_compiled_module_still_loads(image: Path) -> None:
    code = """
import importlib, pathlib, sysconfig
root, suffix = pathlib.Path(sysconfig.get_paths()["purelib"]), sysconfig.get_config_var("EXT_SUFFIX")
for path in sorted(root.rglob("*.so")):
    name = ".".join(path.relative_to(root).parts).removesuffix(suffix).removesuffix(".abi3.so")
    importlib.import_module(name)
    print(name)
"""
    ran = subprocess.run(
        [str(image / "opt/venv/bin/python"), "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert {"uvloop.loop", "asyncpg.protocol.protocol"} <= set(ran.stdout.split())


def test_the_health_check_tells_alive_from_dead(contained: Running, image: Path) -> None:
    words = re.search(r'CMD \["python", "-c", "(.+)"\]$', DOCKERFILE, re.MULTILINE)
    assert words
    code = words[1].replace('\\"', '"')
    for port, expected in ((contained.management.rsplit(":", 1)[1], 0), (str(free_port()), 1)):
        command = [str(image / "opt/venv/bin/python"), "-c", code]
        environment = {"KAITO_CHAT_MANAGEMENT_PORT": port}
        assert subprocess.run(command, env=environment, check=False, capture_output=True).returncode == expected


def test_the_dockerfile_passes_its_linter() -> None:
    linter = ROOT / ".venv-app" / "bin" / "hadolint"
    ran = subprocess.run([linter, ROOT / "app" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_image_shuts_down_gracefully(contained: Running) -> None:
    assert httpx.get(contained.management + "/livez").is_success
    assert contained.stop() == 0
