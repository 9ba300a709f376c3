"""Names of states: those of two environments never coincide."""

import tomllib

from aks_kaito import state
from aks_kaito.settings import Environment, Settings
from support.stand_ins import DEV

ONE, TWO = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"


def environment(name: str, **keys: object) -> Environment:
    shared = {"backend": "azurerm", "resource_group_name": "rg-states", "storage_account_name": "ststates"}
    return Environment(name, Settings.model_validate({**tomllib.loads(DEV), "state": shared, **keys}))


def test_a_blob_is_named_after_prefix_environment_and_subscription() -> None:
    assert state.key(environment("dev"), "platform") == "kaito/dev/e3b0c44298fc/platform.tfstate"
    assert state.key(environment("dev", subscription_id=ONE), "workloads") == "kaito/dev/666ff6ccaa5b/workloads.tfstate"


def test_teams_with_a_file_of_one_name_and_one_container_have_states_of_their_own() -> None:
    teams = [
        environment("dev"),
        environment("de-v"),
        environment("prod"),
        environment("dev", prefix="other"),
        environment("dev", subscription_id=ONE),
        environment("dev", subscription_id=TWO),
        environment("dev", prefix="other", subscription_id=ONE),
    ]
    keys = [state.key(team, part) for team in teams for part in state.PARTS]
    assert len(set(keys)) == len(keys) == 14
    # The names of the versions before are none of these.
    assert not {f"{state.stack(team, part)}.tfstate" for team in teams for part in state.PARTS} & set(keys)


def test_the_case_of_prefix_and_subscription_and_the_region_do_not_matter() -> None:
    upper = environment("dev", prefix="KAITO", subscription_id=ONE.upper(), location="northeurope")
    assert state.key(upper, "platform") == state.key(environment("dev", subscription_id=ONE), "platform")


def test_the_backend_has_every_argument() -> None:
    assert state.blob(environment("dev", subscription_id=ONE), "platform") == {
        "resource_group_name": "rg-states",
        "storage_account_name": "ststates",
        "container_name": "tfstate",
        "key": "kaito/dev/666ff6ccaa5b/platform.tfstate",
        "use_azuread_auth": True,
        "subscription_id": ONE,
    }
    assert "subscription_id" not in state.blob(environment("dev"), "platform")
