"""Forms of the output."""

from enum import StrEnum


class Form(StrEnum):
    """Forms in which a cost is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"
