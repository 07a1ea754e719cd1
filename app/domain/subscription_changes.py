"""When is a change of plan looked at again that nobody has settled?"""

from datetime import timedelta

CHECKED_AFTER = timedelta(minutes=2)
"""Longer than whoever asked for it takes, through every repetition of its calls."""
CHECKED_AGAIN_AFTER = timedelta(minutes=5)
KEYS_ARE_KEPT_FOR = timedelta(hours=12)
"""By the provider, on the safe side: after that a repetition would be a second request."""
