"""With which settings do the measured servers run? Those of production, with limits that are far away."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PLANS = ROOT / "bench" / "plans.toml"


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """The secrets are those that the database's keys were made with."""
    return {
        **_without_settings(),
        "ENVIRONMENT": "production",
        "JWT_SECRET": "made for measuring, on this machine only",
        "API_KEY_PEPPER": "made for measuring, on this machine only",
        "LICENCE_SIGNING_KEY": "made for measuring, on this machine only",
        "DATABASE_URL": database_url,
        "VAR_DIR": str(folder / "var"),
        "PLANS_FILE": str(PLANS),
        "RATE_LIMIT_REQUESTS": "100000000/minute",
        "PYTHONPATH": str(ROOT),
    }


def _without_settings() -> dict[str, str]:
    """What somebody has set for a server of theirs is none of this one's."""
    from app.config import Settings

    known = {name.upper() for name in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in known}
