"""The database of the history: connections by size, and storage by the questions of a year."""

import math
import re
from typing import get_args

from aks_kaito.settings.services import PostgreSql

_GIB = 2**30
# Connections for users; Azure keeps 15 more for itself.
# See: https://learn.microsoft.com/azure/postgresql/configure-maintain/concepts-limits
_BURSTABLE = {"B1ms": 35, "B2s": 414, "B2ms": 844, "B4ms": 1703, "B8ms": 3422}
_MOST_CONNECTIONS = 4985
_BY_GIB = ((8, 844), (16, 1703), (32, 3422))
_GIB_PER_CORE = {"D": 4, "E": 8}
# In the order of preference: a small burstable server suffices for tests.
_CHOICES = (
    "B_Standard_B1ms",
    "B_Standard_B2s",
    "GP_Standard_D2ds_v5",
    "GP_Standard_D4ds_v5",
    "GP_Standard_D8ds_v5",
    "GP_Standard_D16ds_v5",
)
# A token of English has about four characters, each a byte.
# See: https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them
_BYTES_PER_TOKEN = 4
# Assumed for the rows of a question and its answer beside the text: ids, times, JSON and indexes.
BYTES_PER_QUESTION = 3000
# Room for the write-ahead log, temporary files and dead rows.
_ROOM = 2
SIZES_GIB: tuple[int, ...] = get_args(PostgreSql.model_fields["storage_gib"].annotation)


def connections_of(sku_name: str) -> int:
    """Return the connections for users of a server's size."""
    _, _, size = sku_name.split("_", 2)
    if size in _BURSTABLE:
        return _BURSTABLE[size]
    found = re.match(r"(D|E)C?(\d+)", size)
    if found is None:
        return _MOST_CONNECTIONS
    gib = _GIB_PER_CORE[found[1]] * int(found[2])
    return next((connections for most, connections in _BY_GIB if gib <= most), _MOST_CONNECTIONS)


def sku_for(connections: int, present: str) -> str | None:
    """Return the present size if it has the connections, otherwise the smallest of a list; None if none has them."""
    if connections_of(present) >= connections:
        return present
    return next((each for each in _CHOICES if connections_of(each) >= connections), None)


def gib_per_year(questions: float, question_tokens: float, answer_tokens: float) -> float:
    """Return the storage of a year's questions and answers, in GiB."""
    each = BYTES_PER_QUESTION + (question_tokens + answer_tokens) * _BYTES_PER_TOKEN
    return questions * each / _GIB


def storage_for(gib: float, present: int) -> int | None:
    """Return the smallest size with twice the room, not below the present one; None if Azure has none."""
    return next((each for each in SIZES_GIB if each >= max(present, math.ceil(gib * _ROOM))), None)
