"""Purchases: a free package is bought at once; for a paid one the provider is asked for a payment."""

from app.services.purchases.buying import purchase
from app.services.purchases.wishes import Bought, Shop, Wish

__all__ = ["Bought", "Shop", "Wish", "purchase"]
