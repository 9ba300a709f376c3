"""PostgreSQL and nginx on loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from support.chat.processes import free_port
from support.needs import needs, needs_program

POSTGRESQL_SECONDS = 1800
NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}
  upstream chat {{
    hash $cookie_affinity consistent;
{servers}
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      add_header x-server $upstream_addr;
      proxy_pass http://chat;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_next_upstream error timeout http_503;
      proxy_read_timeout 300s;
    }}
  }}
}}
"""


@contextmanager
def common_folder() -> Iterator[Path]:
    """Yield a folder that other users can read: pytest's own folders are readable by root only."""
    with tempfile.TemporaryDirectory(prefix="kaito-chat-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server of PostgreSQL until the end of the block; its address."""
    with common_folder() as folder:
        try:
            yield _start_postgresql(folder)
        finally:
            _postgresql_control(folder, "stop", "--mode=immediate")


@contextmanager
def shared_postgresql(common: Path) -> Iterator[str]:
    """Use the one server of PostgreSQL of all processes that name the same folder.

    The first of them starts it, the last stops it.
    """
    users, place = common / "postgresql-users", common / "postgresql"
    lock = FileLock(common / "postgresql.lock", timeout=60)
    with lock:
        count = int(users.read_text()) if users.exists() else 0
        if not count:
            folder = Path(tempfile.mkdtemp(prefix="kaito-chat-"))
            place.write_text(f"{folder}\n{_start_postgresql(folder)}")
        users.write_text(str(count + 1))
        data, url = place.read_text().split("\n")
    try:
        yield url
    finally:
        with lock:
            users.write_text(str(int(users.read_text()) - 1))
            if users.read_text() == "0":
                _postgresql_control(Path(data), "stop", "--mode=immediate")
                shutil.rmtree(data)


def _start_postgresql(folder: Path) -> str:
    folder.chmod(0o777)
    secret, port = folder / "password", free_port()
    secret.write_text("not-a-secret", encoding="utf-8")
    initdb = f"--auth=scram-sha-256 --username=chat --encoding=UTF8 --no-sync --pwfile={secret}"
    _postgresql_control(folder, "initdb", "--options", initdb)
    address = ["-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    # `timeout` ends it after a test run that was killed; `setsid` lets it outlive the process that starts it.
    detached = [*_user(), "setsid", "--fork", "timeout", str(POSTGRESQL_SECONDS)]
    server = [postgresql_program("postgres"), "-D", str(folder / "data"), "-c", "fsync=off", *address]
    with (folder / "log").open("wb") as log:
        subprocess.run([*detached, *server], check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60)
    deadline = time.monotonic() + 30
    ready = [postgresql_program("pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
    while subprocess.run(ready, check=False).returncode != 0:
        assert time.monotonic() < deadline, (folder / "log").read_text(encoding="utf-8")
        time.sleep(0.05)
    return f"postgresql://chat:not-a-secret@127.0.0.1:{port}/postgres"


def _postgresql_control(folder: Path, *arguments: str) -> None:
    command = [*_user(), postgresql_program("pg_ctl"), "--pgdata", str(folder / "data"), "--silent", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)


def postgresql_program(name: str) -> str:
    """Return the path of a program of the newest PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return str(needs(found, "PostgreSQL (package: postgresql)")[-1] / name)


def _user() -> list[str]:
    """Return the command that drops root: PostgreSQL does not run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """Start an nginx in front of some ports, with cookie affinity, and yield its URL."""
    program = needs_program("nginx", package="nginx-light", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    port = free_port()
    servers = "\n".join(f"    server 127.0.0.1:{each} max_fails=1 fail_timeout=5s;" for each in ports)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, servers=servers, port=port), encoding="utf-8")
    server = subprocess.Popen([program, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        deadline = time.monotonic() + 30
        while not _accepts(port):
            assert server.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
