"""The subscription and the sign-in that checks of one environment use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from aks_kaito_cli.azure import access
from aks_kaito_cli.azure.arm import Arm
from aks_kaito_cli.azure.errors import AzureAnswerError, SignInError
from support import ready_subscription as ready
from support.fake_azure import Credential, FakeAzure, running
from support.preflights import DEV, written
from support.project import OWN_ID
from support.stand_ins import prepare

PATH = "/subscriptions"
OTHER = "5d1f4c1e-2a3b-4c5d-8e6f-000000000001"


@pytest.fixture
def azure() -> Iterator[FakeAzure]:
    with running() as fake:
        fake.listed("/subscriptions", ready.SUBSCRIPTION)
        yield fake


class Counting(Credential):
    """A credential that counts its sign-ins."""

    def __init__(self, seconds: float = 3600) -> None:
        super().__init__(seconds=seconds)
        self.times = 0

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.times += 1
        return super().get_token(*scopes, **options)


def test_threads_share_one_sign_in(azure: FakeAzure) -> None:
    credential = Counting()
    arm = Arm(credential, azure.endpoint)
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(lambda _: arm.pages(PATH), range(48)))
    arm.token()
    assert (credential.times, len(azure.requests)) == (1, 48)


def test_a_token_that_ends_soon_is_replaced(azure: FakeAzure) -> None:
    credential = Counting(seconds=60)
    arm = Arm(credential, azure.endpoint)
    arm.token()
    arm.pages(PATH)
    assert credential.times == 2


def asked(azure: FakeAzure, folder: Path, text: str = DEV, fails: str = "", **variables: str) -> str:
    """Return the subscription that is chosen, with a stand-in for az."""
    found = prepare(folder, fails=fails, answers={"account show": OTHER}, variables=variables)
    return access.subscription(Arm(Credential(), azure.endpoint), written(folder, text), found)


def test_the_file_precedes_the_variable_which_precedes_az(
    azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    in_file = f'subscription_id = "{OWN_ID}"\n{DEV}'
    assert asked(azure, tmp_path, in_file, ARM_SUBSCRIPTION_ID=OTHER) == OWN_ID
    assert asked(azure, tmp_path, ARM_SUBSCRIPTION_ID=OWN_ID) == OWN_ID
    assert asked(azure, tmp_path) == OTHER
    assert azure.requests == []


def test_without_az_a_choice_is_needed(azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(SignInError, match="find the subscription"):
        asked(azure, tmp_path, fails="account show")
    words = f"ARM_SUBSCRIPTION_ID. The sign-in reaches {OWN_ID} .Kaito development."
    for variable in ("ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_CLIENT_SECRET"):
        with pytest.raises(AzureAnswerError, match=words):
            asked(azure, tmp_path, **{variable: "true"})
    azure.listed("/subscriptions")
    with pytest.raises(AzureAnswerError, match="reaches none"):
        asked(azure, tmp_path, ARM_USE_MSI="true")


@pytest.mark.parametrize("endpoint", ["", "https://management.azure.com"])
def test_the_public_endpoint_is_the_default(endpoint: str) -> None:
    assert access.arm({"AKS_KAITO_ARM_ENDPOINT": endpoint}).endpoint == "https://management.azure.com"
    assert access.arm({}).endpoint == "https://management.azure.com"
