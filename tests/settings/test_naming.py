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


def test_a_name_too_long_is_reported_with_its_limit() -> None:
    broken = {kind: name for kind, name, _ in Names("abcdefghij", "production", "westeurope").broken()}
    assert {"key_vault", "grafana", "storage_account"} <= set(broken)


def test_prometheus_names_are_truncated_as_in_azure() -> None:
    names = Names("abcdefghij", "prod", "southafricanorth")
    assert len(names.prometheus_endpoint) <= 44
    assert len(names.prometheus_rule) <= 64
