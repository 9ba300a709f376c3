"""Units of measure of the price list, such as `1 Hour`, `100 Hours`, `1/Day` and `1 GB/Month`."""

import re
from dataclasses import dataclass
from decimal import Decimal

# Azure's pricing calculator takes this number, too.
HOURS_PER_MONTH = 730
_FORM = re.compile(
    r"(?P<number>[\d,]+(?:\.\d+)?)\s*(?P<thing>[A-Za-z]+?)?\s*(?:/\s*)?(?P<period>Hour|Day|Month)s?", re.IGNORECASE
)
_PERIODS_PER_MONTH = {"hour": Decimal(HOURS_PER_MONTH), "day": Decimal(HOURS_PER_MONTH) / 24, "month": Decimal(1)}
# DNS zones are counted by the month, without saying so.
_COUNTED = {"1": Decimal(1)}


class UnknownUnitError(Exception):
    """The price list counts a meter in a way that is not known here."""


@dataclass(frozen=True)
class Unit:
    """A unit.

    Attributes:
        per_month: Number of units in a month.
        thing: The thing that is counted beside time, such as GB; empty if there is none.
    """

    per_month: Decimal
    thing: str


def parse(text: str) -> Unit:
    """Return the unit that a text names.

    Raises:
        UnknownUnitError: It is no time, and no thing per time.
    """
    if text in _COUNTED:
        return Unit(_COUNTED[text], "")
    found = _FORM.fullmatch(text.strip())
    number = Decimal(found["number"].replace(",", "")) if found else Decimal(0)
    if found is None or not number:
        raise UnknownUnitError(f"the unit {text!r} is not known")
    thing = (found["thing"] or "").upper().replace("GIB", "GB")
    return Unit(_PERIODS_PER_MONTH[found["period"].lower()] / number, thing)
