import pytest

from kaito_chat.models.download import remaining_seconds

NAME = "kaito_model_download_remaining_seconds"


@pytest.mark.parametrize(
    ("metrics", "seconds"),
    [
        ("", None),
        (f"# TYPE {NAME} gauge\n{NAME} 95.0\n", 95),
        (f'other{{a="b"}} 1\nnot a metric at all\n{NAME}{{model="phi"}} 1.5e+02 1732700000000\n', 150),
        (f"{NAME} NaN\n", None),
        (f"{NAME} +Inf\n", None),
        (f"{NAME} -1\n", None),
        (f"{NAME}_total 7\n", None),
        (f"{NAME}s 7\n{NAME} 8\n", 8),
    ],
)
def test_the_remaining_time_is_read_from_the_metrics(metrics: str, seconds: float | None) -> None:
    assert remaining_seconds(metrics) == seconds


def test_a_malformed_line_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"."):
        remaining_seconds(f"{NAME} soon\n")
