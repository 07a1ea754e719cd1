"""Who sells here, as it stands on invoices, receipts and mails."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seller:
    """``address``: its lines, without the name. ``note`` ends each document, such as a register's number."""

    name: str = "revgraph"
    address: tuple[str, ...] = ()
    tax_id: str | None = None
    email: str | None = None
    note: str | None = None
