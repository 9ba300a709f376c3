"""Characters that the history can store."""


def plain(text: str) -> str:
    """A text without the characters that UTF-8 or PostgreSQL cannot hold: no NUL, U+FFFD for lone surrogates."""
    return text.replace("\0", "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
