"""Arguments of the application's probe, which sends one message through the chat or to its models."""

from aks_kaito_cli.commands import Command

IN_POD = ("python", "-m", "kaito_chat.probe")


def arguments(
    *, chat: str | None = None, models: bool = False, reach_seconds: int | None = None, answer_seconds: int
) -> Command:
    """Ask the chat at an address, the models that the application knows, or both, and wait only so long."""
    return (
        *(("--chat", chat) if chat else ()),
        *(("--models",) if models else ()),
        *(("--reach", str(reach_seconds)) if reach_seconds else ()),
        *("--timeout", str(answer_seconds)),
    )
