"""Is this the same request again? By the key that the client gave it, and a fingerprint of its input."""

import hashlib
import json
from collections.abc import Mapping

from app.domain.errors import InvalidInput

KEY_LIMIT = 255


def check_key(text: str, *, field: str = "idempotencyKey") -> str:
    """1 to 255 printable characters; InvalidInput for others."""
    if not 1 <= len(text) <= KEY_LIMIT or not text.isprintable():
        raise InvalidInput(field, f"Send 1 to {KEY_LIMIT} printable characters, such as a UUID.")
    return text


def fingerprint(values: Mapping[str, str | int | None]) -> str:
    """64 hex digits, the same for the same input, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
