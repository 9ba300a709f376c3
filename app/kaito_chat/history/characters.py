"""Characters that the history can store."""


def plain(text: str) -> str:
    """Return a text that UTF-8 and PostgreSQL can represent: without NUL, with U+FFFD for lone surrogates."""
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
