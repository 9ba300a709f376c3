"""The Job that creates the chat's role in PostgreSQL before each release."""

import re
from typing import Any

import pytest

from support.rendering import RenderError, at, case, default, merged, names, one, render

NAME = "everything-database-role"


def everything(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the values of everything with changes."""
    return merged(case("everything"), *changes)


def test_the_job_runs_before_each_release_with_the_administrators_identity() -> None:
    objects = render(everything())
    job, account = one(objects, "Job", NAME), one(objects, "ServiceAccount", NAME)
    for each in (job, account):
        assert each["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    # The ServiceAccount exists before the Job, and neither outlives it.
    weights = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (account, job)]
    assert weights == sorted(set(weights))
    for each in (job, account):
        assert "hook-succeeded" in each["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
    pod = job["spec"]["template"]
    assert pod["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert pod["spec"]["serviceAccountName"] == NAME
    administrator = "00000000-0000-0000-0000-000000000004"
    assert account["metadata"]["annotations"]["azure.workload.identity/client-id"] == administrator
    chat = one(objects, "ServiceAccount", "kaito-chat")["metadata"]["annotations"]
    assert chat["azure.workload.identity/client-id"] == "00000000-0000-0000-0000-000000000001"
    (container,) = pod["spec"]["containers"]
    assert container["command"] == ["python", "-m", "kaito_chat.database_role"]
    assert container["args"] == [
        "--object-id",
        "00000000-0000-0000-0000-000000000005",
        "--administrator",
        "id-database",
    ]
    environment = {each["name"]: each["value"] for each in container["env"]}
    assert (
        environment["KAITO_CHAT_DATABASE_URL"]
        == one(objects, "ConfigMap", "everything")["data"]["KAITO_CHAT_DATABASE_URL"]
    )
    assert environment["KAITO_CHAT_CA_FILE"] == "/etc/kaito-chat/ca/ca.pem"


def test_the_job_is_not_behind_the_service_or_the_policies_of_the_chat() -> None:
    objects = render(everything())
    labels = one(objects, "Job", NAME)["spec"]["template"]["metadata"]["labels"]
    selector = one(objects, "Service", "everything")["spec"]["selector"]
    assert not selector.items() <= labels.items()


def test_without_it_the_chat_has_no_job() -> None:
    assert not [name for kind, name in names(render()) if kind == "Job"]


@pytest.mark.parametrize("key", ["administrator", "clientId", "objectId"])
def test_the_identities_are_required(key: str) -> None:
    with pytest.raises(RenderError, match=rf"chat/databaseRole/{key}"):
        render(everything(at(f"chat.databaseRole.{key}", "")))


def test_the_url_names_the_role() -> None:
    words = re.escape("chat.databaseRole.enabled needs chat.settings.KAITO_CHAT_DATABASE_URL")
    with pytest.raises(RenderError, match=words):
        render(default(at("chat.databaseRole", case("everything")["chat"]["databaseRole"])))
