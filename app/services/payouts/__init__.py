"""Payouts: authors ask for what is available; staff pays by transfer or by hand. Never more than there is."""

from app.services.payouts.by_hand import cancel, mark_paid
from app.services.payouts.connecting import connect
from app.services.payouts.opening import create, request

__all__ = ["cancel", "connect", "create", "mark_paid", "request"]
