"""Genuine services of this machine, on loopback: PostgreSQL and nginx."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.chat.processes import free_port

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


def _as_nobody_special() -> list[str]:
    """PostgreSQL does not run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextmanager
def common_folder() -> Iterator[Path]:
    """A folder that other users reach too: pytest's own are root's alone, and each of its runs sees to that."""
    with tempfile.TemporaryDirectory(prefix="kaito-chat-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a database of its own, of a server of its own."""
    with common_folder() as folder, _postgresql(folder) as url:
        yield url


@contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        pytest.skip("needs PostgreSQL (package: postgresql)")
    data = folder / "data"
    folder.chmod(0o777)
    run, port = _as_nobody_special(), free_port()
    initdb = [*run, str(programs[-1] / "initdb"), "--auth=scram-sha-256", "--username=chat", "--encoding=UTF8"]
    secret = folder / "password"
    secret.write_text("not-a-secret", encoding="utf-8")
    subprocess.run([*initdb, f"--pwfile={secret}", str(data)], check=True, capture_output=True)
    options = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    server = subprocess.Popen(
        [*run, str(programs[-1] / "postgres"), "-D", str(data), "-c", "fsync=off", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = [str(programs[-1] / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
        deadline = time.monotonic() + 30
        while subprocess.run(ready, check=False).returncode != 0:
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            assert server.poll() is None, "PostgreSQL ended"
            time.sleep(0.1)
        yield f"postgresql://chat:not-a-secret@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """The address of an nginx in front of some ports, which keeps a visitor at one of them by a cookie."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None:
        pytest.skip("needs nginx (package: nginx-light)")
    port = free_port()
    servers = "\n".join(f"    server 127.0.0.1:{each} max_fails=1 fail_timeout=5s;" for each in ports)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, servers=servers, port=port), encoding="utf-8")
    server = subprocess.Popen([program, "-c", str(config), "-e", str(folder / "error.log")])
    try:
        time.sleep(0.5)
        assert server.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
