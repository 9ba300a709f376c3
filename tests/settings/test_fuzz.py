"""Mutated environment files: the reader accepts or refuses them, without a traceback."""

import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aks_kaito.catalog import CATALOG
from aks_kaito.settings import SettingsError, load
from support.project import ENVIRONMENTS, TODAY

# Time limits would fail on a busy machine.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXTS = [path.read_text(encoding="utf-8") for path in ENVIRONMENTS]
VALUES = st.one_of(
    st.just("true"),
    st.integers().map(str),
    st.sampled_from(["nan", "-inf", "1e400", "2026-11-23", "07:32:00", "[]", "{}", "[[]]", '""', '[""]', "{a = 1}"]),
    st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs", "Cc"])).map(lambda text: f'"{text}"'),
    st.sampled_from(['"10.0.0.0/8"', '"0.0.0.0/0"', '"::/0"', '"1.35"', '"Standard_NC6"', '"${x}"', '"\\u0000"']),
    st.sampled_from(sorted(CATALOG.regions)).map(lambda name: f'"{name}"'),
    st.sampled_from(sorted(CATALOG.vm_families)).map(lambda name: f'"{name.replace("*", "4").swapcase()}"'),
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda pair: f'"{pair[0]}/{pair[1]}"'),
    st.ip_addresses(v=4).map(lambda address: f'["{address}", "{address}/32"]'),
)


def outcome(data: bytes) -> None:
    """Load a file; if it is refused, there are problems, each on one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dev.toml"
        path.write_bytes(data)
        refused: SettingsError | None = None
        try:
            load(path, TODAY)
        except SettingsError as error:
            refused = error
    if refused is not None:
        assert refused.problems
        assert all(problem.key and problem.allowed for problem in refused.problems)
        assert all("\n" not in str(problem) for problem in refused.problems)


@settings(UNTIMED, max_examples=150)
@given(st.sampled_from(TEXTS), st.data())
def test_a_changed_value_never_breaks_the_reader(text: str, data: st.DataObject) -> None:
    lines = text.splitlines()
    places = [place for place, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    for place in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        lines[place] = f"{lines[place].split(' = ')[0]} = {data.draw(VALUES)}"
    outcome("\n".join(lines).encode())


@settings(UNTIMED, max_examples=100)
@given(st.sampled_from(TEXTS), st.data())
def test_lost_and_swapped_bytes_never_break_the_reader(text: str, data: st.DataObject) -> None:
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=3))
    outcome(bytes(raw))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
TABLES = sorted(tomllib.loads("\n".join(TEXTS[:1])))


@settings(UNTIMED, max_examples=150)
@given(st.dictionaries(st.sampled_from([*TABLES, "openai", "tags", "prefix", "flux"]), JUNK))
def test_any_shape_of_data_is_refused_or_accepted(data: dict[str, Any]) -> None:
    from aks_kaito.settings.reader import _unsafe_strings, _validated  # noqa: PLC0415  (the steps of load after parsing)

    list(_unsafe_strings(data))
    _validated(data)
