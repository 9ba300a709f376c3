"""Places of this project, and the date that tests take for today's."""

from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "environments").glob("*.toml"))
TODAY = date(2026, 11, 23)
