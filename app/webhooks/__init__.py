"""Where the payment provider tells what happened: verify, store once, answer fast."""

from app.webhooks.intake import routes
from app.webhooks.storing import Storing

__all__ = ["Storing", "routes"]
