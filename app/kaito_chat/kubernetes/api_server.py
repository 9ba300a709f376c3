"""Client of the Kubernetes API server that authenticates with the pod's ServiceAccount token.

See: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
"""

import ssl
from pathlib import Path

import httpx

REQUEST_SECONDS = 5


class ApiServer:
    """A Kubernetes API server.

    Args:
        url: The base URL.
        service_account_dir: The mount path of the pod's token, CA certificate and namespace.
    """

    def __init__(self, url: str, service_account_dir: Path) -> None:
        self._url = url
        self._dir = service_account_dir
        self._client: httpx.AsyncClient | None = None

    @property
    def namespace(self) -> str:
        """The pod's own namespace; empty outside a cluster."""
        return self._read("namespace")

    @property
    def has_token(self) -> bool:
        """Whether a token is mounted."""
        return bool(self._read("token"))

    async def request(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> httpx.Response:
        """Send a request and return the response, whatever its status.

        Args:
            method: The HTTP method.
            path: The path.
            body: An object to send as JSON.
            content_type: The type of the body, such as that of a patch.

        Raises:
            httpx.HTTPError: The server is unreachable or does not answer in time.
            OSError: The CA certificate cannot be read.
        """
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False, verify=self._trust())
        headers = {"authorization": f"Bearer {self._read('token')}"}
        if body is not None:
            headers["content-type"] = content_type
        return await self._client.request(method, self._url + path, json=body, headers=headers)

    async def close(self) -> None:
        """Close the connection."""
        if self._client:
            await self._client.aclose()

    def _trust(self) -> ssl.SSLContext | bool:
        certificate = self._dir / "ca.crt"
        return ssl.create_default_context(cafile=certificate) if certificate.exists() else True

    def _read(self, name: str) -> str:
        """Return the content of a mounted file, uncached because tokens are rotated; empty if there is none."""
        try:
            return (self._dir / name).read_text(encoding="utf-8").strip()
        except OSError:
            return ""
