import pytest

from aks_kaito.naming import Names

NAMES = Names("Anubi", "sample", "westeurope")


def test_names_are_a_function_of_the_settings() -> None:
    assert NAMES.cluster == "aks-anubi-sample-westeurope"
    assert NAMES.of("snet", "system") == "snet-system-anubi-sample-westeurope"
    assert Names("anubi", "sample", "westeurope").key_vault == NAMES.key_vault


def test_unique_names_end_in_a_hash_of_the_subscription() -> None:
    other = Names("Anubi", "sample", "westeurope", "11111111-2222-3333-4444-555555555555")
    for unique in ("registry", "key_vault", "storage_account", "openai", "postgresql", "grafana"):
        assert getattr(NAMES, unique) != getattr(other, unique)
    assert NAMES.cluster == other.cluster
    assert NAMES.registry.endswith(NAMES.suffix)


def test_longest_names_fit_azure() -> None:
    longest = Names("abcdefgh", "prods", "southeastasia")
    assert list(longest.broken()) == []
    assert len(longest.key_vault) == 24
    assert len(longest.grafana) <= 23


@pytest.mark.parametrize("environment", ["production", "development", "abcdefghijklmnop"])
def test_names_of_long_environments_are_cut(environment: str) -> None:
    names = Names("abcdefghij", environment, "southafricanorth")
    assert list(names.broken()) == []
    assert len(names.key_vault) <= 24
    assert len(names.storage_account) <= 24
    assert len(names.grafana) <= 23


def test_cut_names_of_two_environments_differ() -> None:
    first = Names("kaito", "production-a", "westeurope")
    second = Names("kaito", "production-b", "westeurope")
    assert first.key_vault == "kv-kaito-producti-" + first.key_vault[-6:]
    for unique in ("key_vault", "grafana"):
        assert getattr(first, unique) != getattr(second, unique)
    long = [Names("abcdefghij", f"production-{letter}", "westeurope") for letter in "ab"]
    assert long[0].storage_account != long[1].storage_account


def test_names_that_fit_are_not_cut() -> None:
    names = Names("kaito", "prod", "westeurope")
    assert names.key_vault == f"kv-kaito-prod-{names.suffix}"
    assert names.storage_account == f"stkaitoprod{names.suffix}"
    assert names.grafana == f"amg-kaito-prod-{names.suffix[:4]}"


def test_prometheus_names_are_truncated_as_in_azure() -> None:
    names = Names("abcdefghij", "prod", "southafricanorth")
    assert len(names.prometheus_endpoint) <= 44
    assert len(names.prometheus_rule) <= 64
