"""Each way to sign in that Terraform's azurerm has, chosen by the same variables."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import azure.identity
import pytest
from azure.core.exceptions import ClientAuthenticationError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from aks_kaito_cli.azure import sign_in
from aks_kaito_cli.azure.errors import SignInError
from aks_kaito_cli.azure.sign_in import credential, uses_az
from support.fake_azure import PRINCIPAL, TENANT

SERVICE = {"ARM_TENANT_ID": TENANT, "ARM_CLIENT_ID": PRINCIPAL}
PASSWORD = "of-the-archive"  # noqa: S105 - of a certificate that this test makes


@pytest.fixture(scope="module")
def archive() -> bytes:
    """A certificate with its key, as a PKCS #12 archive."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(b"tests", key, certificate, None, encryption)


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({}, azure.identity.AzureCliCredential),
        ({"ARM_TENANT_ID": TENANT}, azure.identity.AzureCliCredential),
        ({"ARM_USE_OIDC": "false", "ARM_USE_MSI": "0"}, azure.identity.AzureCliCredential),
        ({**SERVICE, "ARM_CLIENT_SECRET": "secret"}, azure.identity.ClientSecretCredential),
        ({**SERVICE, "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t"}, azure.identity.ClientAssertionCredential),
        ({"ARM_USE_MSI": "true"}, azure.identity.ManagedIdentityCredential),
        ({"ARM_USE_MSI": "1", "ARM_CLIENT_ID": PRINCIPAL}, azure.identity.ManagedIdentityCredential),
        # azurerm's order, where several are possible.
        (
            {**SERVICE, "ARM_CLIENT_SECRET": "s", "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t", "ARM_USE_MSI": "true"},
            azure.identity.ClientSecretCredential,
        ),
        (
            {**SERVICE, "ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t", "ARM_USE_MSI": "true"},
            azure.identity.ClientAssertionCredential,
        ),
    ],
)
def test_the_variables_choose_the_way(variables: dict[str, str], kind: type) -> None:
    assert type(credential(variables)) is kind
    assert uses_az(variables) is (kind is azure.identity.AzureCliCredential)


def test_a_certificate_is_a_path_or_base64(archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "archive.pfx").write_bytes(archive)
    places = {
        "ARM_CLIENT_CERTIFICATE_PATH": str(tmp_path / "archive.pfx"),
        "ARM_CLIENT_CERTIFICATE": base64.b64encode(archive).decode(),
    }
    for name, value in places.items():
        variables = {**SERVICE, name: value, "ARM_CLIENT_CERTIFICATE_PASSWORD": PASSWORD, "ARM_CLIENT_SECRET": "later"}
        assert type(credential(variables)) is azure.identity.CertificateCredential
        assert not uses_az(variables)
        for broken in ({**variables, "ARM_CLIENT_CERTIFICATE_PASSWORD": "wrong"}, {**variables, name: "nothing"}):
            with pytest.raises(SignInError, match=f"{name} has no certificate"):
                credential(broken)


def test_a_pods_token_needs_the_variable_of_aks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    variables = {**SERVICE, "ARM_USE_AKS_WORKLOAD_IDENTITY": "true"}
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
    with pytest.raises(SignInError, match="ARM_USE_AKS_WORKLOAD_IDENTITY is set"):
        credential(variables)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    assert type(credential(variables)) is azure.identity.WorkloadIdentityCredential
    assert not uses_az(variables)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ARM_CLIENT_SECRET": "s"}, "ARM_CLIENT_SECRET is set, and ARM_TENANT_ID and ARM_CLIENT_ID is not"),
        ({"ARM_CLIENT_SECRET": "s", "ARM_TENANT_ID": TENANT}, "ARM_CLIENT_SECRET is set, and ARM_CLIENT_ID is not"),
        ({"ARM_USE_OIDC": "true", "ARM_OIDC_TOKEN": "t"}, "ARM_USE_OIDC is set, and ARM_TENANT_ID"),
        ({**SERVICE, "ARM_USE_OIDC": "true"}, "neither ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH nor a request URL"),
        ({**SERVICE, "ARM_USE_OIDC": "true", "ARM_OIDC_REQUEST_URL": "http://127.0.0.1"}, "nor a request URL"),
    ],
)
def test_an_incomplete_choice_says_what_is_missing(variables: dict[str, str], words: str) -> None:
    with pytest.raises(SignInError, match=words):
        credential(variables)


@pytest.fixture
def assertion(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], str]:
    """Return the function that makes a credential and returns its federated token."""
    given: list[Callable[[], str]] = []

    def remember(_tenant: str, _client: str, function: Callable[[], str]) -> object:
        given.append(function)
        return object()

    monkeypatch.setattr(sign_in, "ClientAssertionCredential", remember)

    def token(variables: dict[str, str]) -> str:
        credential({**SERVICE, "ARM_USE_OIDC": "true", **variables})
        return given[-1]()

    return token


def test_a_federated_token_is_a_value_or_a_file_that_is_read_each_time(
    assertion: Callable[[dict[str, str]], str], tmp_path: Path
) -> None:
    assert assertion({"ARM_OIDC_TOKEN": "value"}) == "value"
    for content in ("first\n", "second\n"):
        (tmp_path / "token").write_text(content, encoding="utf-8")
        assert assertion({"ARM_OIDC_TOKEN_FILE_PATH": str(tmp_path / "token")}) == content.strip()


class TokenService:
    """A pipeline's token service: its answer, and the requests that it got."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps({"count": 1, "value": "of the pipeline"})
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@pytest.fixture
def pipeline() -> Iterator[TokenService]:
    service = TokenService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, self.headers["Authorization"]))
            self.send_response(service.status)
            self.end_headers()
            self.wfile.write(service.body.encode())

        def log_message(self, *_args: Any) -> None:
            """Write nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_address[1]}/token?id=7"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.mark.parametrize("prefix", ["ARM_OIDC", "ACTIONS_ID_TOKEN"])
def test_the_pipelines_token_service_is_asked(
    prefix: str, pipeline: TokenService, assertion: Callable[[dict[str, str]], str]
) -> None:
    variables = {f"{prefix}_REQUEST_URL": pipeline.url, f"{prefix}_REQUEST_TOKEN": "of-the-job"}
    assert assertion(variables) == "of the pipeline"
    assert pipeline.asked == [("/token?id=7&audience=api%3A%2F%2FAzureADTokenExchange", "Bearer of-the-job")]


@pytest.mark.parametrize(("status", "body"), [(403, "{}"), (200, "<html>"), (200, "{}"), (200, "[]")])
def test_a_token_service_without_a_token_is_a_missing_sign_in(
    status: int, body: str, pipeline: TokenService, assertion: Callable[[dict[str, str]], str]
) -> None:
    pipeline.status, pipeline.body = status, body
    with pytest.raises(ClientAuthenticationError, match="the pipeline's token service gives no token"):
        assertion({"ARM_OIDC_REQUEST_URL": pipeline.url, "ARM_OIDC_REQUEST_TOKEN": "of-the-job"})
