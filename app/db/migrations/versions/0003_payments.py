"""Payments: what the provider holds for us, the ledger, quotes and changes of plans."""

import sqlalchemy as sa
from alembic import op

from app.db.models.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Written out: Alembic would copy the whole table on SQLite to add a column with a check.
CLOSED_SETS = [
    ("billing_interval", "VARCHAR(8) DEFAULT 'month' NOT NULL", "'month', 'year'"),
    ("scheduled_tier", "VARCHAR(16)", "'free', 'pro', 'enterprise'"),
    ("scheduled_interval", "VARCHAR(8)", "'month', 'year'"),
]
OLD_TOTAL = "total_cents = subtotal_cents - discount_cents + tax_cents"
TOTAL = f"{OLD_TOTAL} - tax_included_cents + adjustment_cents"

# The books: what is written stays, on both databases; and on PostgreSQL, which can look when a transaction ends,
# no entry is committed whose lines do not sum to zero. On SQLite the repository, its only writer, sees to that.
BALANCED = [
    """
    CREATE FUNCTION ledger_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT sum(amount_cents) FROM ledger_lines WHERE entry_id = NEW.entry_id) <> 0
            OR NEW.currency <> (SELECT currency FROM ledger_entries WHERE id = NEW.entry_id)
        THEN
            RAISE EXCEPTION 'ledger entry % does not balance', NEW.entry_id USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_lines_balance AFTER INSERT ON ledger_lines
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances()
    """,
    """
    CREATE FUNCTION ledger_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what is in the ledger stays: write another entry' USING ERRCODE = 'check_violation';
    END $$
    """,
    *(
        f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION ledger_is_kept()"
        for table in ("ledger_entries", "ledger_lines")
    ),
]
KEPT_ON_SQLITE = [
    f"CREATE TRIGGER {table}_kept_{verb.lower()} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'what is in the ledger stays: write another entry'); END"
    for table in ("ledger_entries", "ledger_lines")
    for verb in ("UPDATE", "DELETE")
]


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


LIVE_BEFORE = "status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')"
LIVE = "status IN ('trialing', 'active', 'past_due') AND superseded_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('sale', 'refund', 'refund_failed', 'dispute_opened', 'dispute_won', 'dispute_lost', 'dispute_reversed', 'payout', 'payout_failed')",
            name=op.f("ck_ledger_entries_kind_known"),
        ),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)",
            name=op.f("ck_ledger_entries_currency_iso_4217"),
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_ledger_entries_purchase_id_purchases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("kind", "source", name=op.f("uq_ledger_entries_kind_source")),
    )
    op.create_index(op.f("ix_ledger_entries_purchase_id"), "ledger_entries", ["purchase_id"], unique=False)
    op.create_table(
        "object_leases",
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("object_id", name=op.f("pk_object_leases")),
    )
    op.create_index(op.f("ix_object_leases_expires_at"), "object_leases", ["expires_at"], unique=False)

    op.create_table(
        "plan_prices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("billing_interval", sa.String(length=8), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("stripe_price_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "billing_interval IN ('month', 'year')", name=op.f("ck_plan_prices_billing_interval_known")
        ),
        sa.CheckConstraint("tier IN ('free', 'pro', 'enterprise')", name=op.f("ck_plan_prices_tier_known")),
        sa.CheckConstraint("amount_cents >= 1", name=op.f("ck_plan_prices_amount_cents_at_least_1")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)",
            name=op.f("ck_plan_prices_currency_iso_4217"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_prices")),
        sa.UniqueConstraint("stripe_price_id", name=op.f("uq_plan_prices_stripe_price_id")),
        sa.UniqueConstraint(
            "tier",
            "billing_interval",
            "amount_cents",
            "currency",
            name=op.f("uq_plan_prices_tier_billing_interval_amount_cents_currency"),
        ),
    )
    op.create_table(
        "tier_quotes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("billing_interval", sa.String(length=8), nullable=False),
        sa.Column("due_now_cents", sa.BigInteger(), nullable=False),
        sa.Column("due_next_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("proration_at", UtcDateTime(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "billing_interval IN ('month', 'year')", name=op.f("ck_tier_quotes_billing_interval_known")
        ),
        sa.CheckConstraint("tier IN ('free', 'pro', 'enterprise')", name=op.f("ck_tier_quotes_tier_known")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)",
            name=op.f("ck_tier_quotes_currency_iso_4217"),
        ),
        sa.CheckConstraint("length(fingerprint) = 64", name=op.f("ck_tier_quotes_fingerprint_is_sha256")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tier_quotes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_quotes")),
    )
    op.create_index(op.f("ix_tier_quotes_expires_at"), "tier_quotes", ["expires_at"], unique=False)
    op.create_index(op.f("ix_tier_quotes_user_id_id"), "tier_quotes", ["user_id", "id"], unique=False)

    op.create_table(
        "ledger_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(account = 'author_payable') = (author_id IS NOT NULL)",
            name=op.f("ck_ledger_lines_author_is_named"),
        ),
        sa.CheckConstraint(
            "account IN ('cash', 'author_payable', 'commission', 'disputed')",
            name=op.f("ck_ledger_lines_account_known"),
        ),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_ledger_lines_amount_moves")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["authors.id"], name=op.f("fk_ledger_lines_author_id_authors")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entries.id"], name=op.f("fk_ledger_lines_entry_id_ledger_entries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_lines")),
    )
    op.create_index(
        "ix_ledger_lines_author",
        "ledger_lines",
        ["author_id", "currency", "available_at", "amount_cents", "entry_id"],
        unique=False,
    )
    op.create_index(op.f("ix_ledger_lines_entry_id"), "ledger_lines", ["entry_id"], unique=False)
    for statement in BALANCED if _is_postgresql() else KEPT_ON_SQLITE:
        op.execute(statement)

    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("returned_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("destination", sa.String(length=255), nullable=True),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.Column("stripe_transfer_id", sa.String(length=255), nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("paid_at", UtcDateTime(), nullable=True),
        sa.Column("check_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("method IN ('transfer', 'manual')", name=op.f("ck_payouts_method_known")),
        sa.CheckConstraint(
            "status <> 'paid' OR paid_at IS NOT NULL", name=op.f("ck_payouts_paid_has_a_date")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'paid', 'failed', 'canceled', 'reversed')",
            name=op.f("ck_payouts_status_known"),
        ),
        sa.CheckConstraint("amount_cents >= 1", name=op.f("ck_payouts_amount_cents_at_least_1")),
        sa.CheckConstraint("returned_cents >= 0", name=op.f("ck_payouts_returned_cents_at_least_0")),
        sa.CheckConstraint("returned_cents <= amount_cents", name=op.f("ck_payouts_returned_within_amount")),
        sa.CheckConstraint(
            "(method = 'transfer') = (destination IS NOT NULL)",
            name=op.f("ck_payouts_transfer_goes_somewhere"),
        ),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_payouts_currency_iso_4217")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], name=op.f("fk_payouts_author_id_authors")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_payouts_requested_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("stripe_transfer_id", name=op.f("uq_payouts_stripe_transfer_id")),
    )
    op.create_index(op.f("ix_payouts_author_id_id"), "payouts", ["author_id", "id"], unique=False)
    op.create_index(op.f("ix_payouts_status_id"), "payouts", ["status", "id"], unique=False)
    op.create_index(
        "ix_payouts_check_at",
        "payouts",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )

    op.create_table(
        "tier_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("billing_interval", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("check_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "billing_interval IN ('month', 'year')", name=op.f("ck_tier_changes_billing_interval_known")
        ),
        sa.CheckConstraint(
            "kind IN ('start', 'upgrade', 'downgrade', 'cancel', 'resume')",
            name=op.f("ck_tier_changes_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'waiting', 'applied', 'failed')",
            name=op.f("ck_tier_changes_status_known"),
        ),
        sa.CheckConstraint("tier IN ('free', 'pro', 'enterprise')", name=op.f("ck_tier_changes_tier_known")),
        sa.ForeignKeyConstraint(
            ["quote_id"],
            ["tier_quotes.id"],
            name=op.f("fk_tier_changes_quote_id_tier_quotes"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tier_changes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_changes")),
    )
    op.create_index(
        "ix_tier_changes_check_at",
        "tier_changes",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_tier_changes_user_id_id"), "tier_changes", ["user_id", "id"], unique=False)
    op.create_index("uq_tier_changes_quote_id", "tier_changes", ["quote_id"], unique=True)

    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_dispute_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('warning_needs_response', 'warning_under_review', 'warning_closed', 'needs_response', 'under_review', 'prevented', 'won', 'lost')",
            name=op.f("ck_disputes_status_known"),
        ),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_disputes_amount_cents_at_least_0")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_disputes_currency_iso_4217")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_disputes_payment_id_payments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("stripe_dispute_id", name=op.f("uq_disputes_stripe_dispute_id")),
    )
    op.create_index(op.f("ix_disputes_payment_id_id"), "disputes", ["payment_id", "id"], unique=False)

    op.add_column("authors", sa.Column("stripe_account_id", sa.String(length=255), nullable=True))
    op.create_index("uq_authors_stripe_account_id", "authors", ["stripe_account_id"], unique=True)
    op.add_column(
        "authors", sa.Column("transfers_enabled", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("authors", sa.Column("paid_sales", sa.BigInteger(), server_default="0", nullable=False))

    op.add_column(
        "invoice_lines", sa.Column("discount_cents", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "invoice_lines", sa.Column("tax_cents", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "invoice_lines", sa.Column("is_proration", sa.Boolean(), server_default=sa.false(), nullable=False)
    )

    op.add_column("invoices", sa.Column("receipt_number", sa.String(length=32), nullable=True))
    op.add_column("invoices", sa.Column("description", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("attempt_count", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("invoices", sa.Column("next_attempt_at", UtcDateTime(), nullable=True))
    op.add_column("invoices", sa.Column("hosted_url", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("created_by", sa.Uuid(), nullable=True))
    op.create_index("uq_invoices_receipt_number", "invoices", ["receipt_number"], unique=True)
    for name in ("tax_included_cents", "adjustment_cents", "amount_due_cents", "told_attempts"):
        op.add_column("invoices", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("invoices", sa.Column("stripe_subscription_id", sa.String(length=255), nullable=True))
    op.add_column("invoices", sa.Column("wanted_status", sa.String(length=16), nullable=True))
    op.add_column("invoices", sa.Column("failure", sa.Text(), nullable=True))
    op.add_column("invoices", sa.Column("days_until_due", sa.BigInteger(), nullable=True))
    op.add_column("invoices", sa.Column("check_at", UtcDateTime(), nullable=True))
    op.add_column("invoice_lines", sa.Column("unit_amount_cents", sa.BigInteger(), nullable=True))
    op.add_column("invoice_lines", sa.Column("stripe_price_id", sa.String(length=255), nullable=True))
    op.execute("UPDATE invoices SET amount_due_cents = total_cents")
    _change_invoices(total=TOTAL, quantity=0, description=sa.Text(), signed_tax=True)
    op.create_index(
        op.f("ix_invoices_stripe_subscription_id"), "invoices", ["stripe_subscription_id"], unique=False
    )
    op.create_index(
        "ix_invoices_check_at",
        "invoices",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )

    op.add_column("outbox", sa.Column("unique_key", sa.String(length=255), nullable=True))
    op.create_index("uq_outbox_unique_key", "outbox", ["unique_key"], unique=True)
    op.drop_index("ix_outbox_state_topic", table_name="outbox")
    op.create_index("ix_outbox_state_id", "outbox", ["state", "id"])

    op.add_column("payments", sa.Column("client_secret", sa.String(length=255), nullable=True))
    op.add_column("payments", sa.Column("check_at", UtcDateTime(), nullable=True))
    op.add_column(
        "payments", sa.Column("failed_charges", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_index(
        "ix_payments_check_at",
        "payments",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )

    op.add_column("purchases", sa.Column("commission_cents", sa.BigInteger(), nullable=True))
    op.add_column("purchases", sa.Column("author_share_cents", sa.BigInteger(), nullable=True))
    op.add_column("purchases", sa.Column("reservation_id", sa.Uuid(), nullable=True))

    op.add_column("refunds", sa.Column("failure_code", sa.String(length=64), nullable=True))
    op.add_column("refunds", sa.Column("check_at", UtcDateTime(), nullable=True))
    op.create_index(
        "ix_refunds_check_at",
        "refunds",
        ["check_at"],
        unique=False,
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )

    for column, kind, values in CLOSED_SETS:
        op.execute(
            f"ALTER TABLE subscriptions ADD COLUMN {column} {kind} "
            f"CONSTRAINT ck_subscriptions_{column}_known CHECK ({column} IN ({values}))"
        )
    op.add_column("subscriptions", sa.Column("price_cents", sa.BigInteger(), nullable=True))
    op.add_column("subscriptions", sa.Column("currency", sa.String(length=3), nullable=True))
    op.add_column("subscriptions", sa.Column("trial_end", UtcDateTime(), nullable=True))
    op.add_column("subscriptions", sa.Column("past_due_since", UtcDateTime(), nullable=True))
    op.add_column("subscriptions", sa.Column("stripe_schedule_id", sa.String(length=255), nullable=True))
    op.add_column(
        "subscriptions", sa.Column("stripe_default_method_id", sa.String(length=255), nullable=True)
    )
    op.add_column("subscriptions", sa.Column("superseded_at", UtcDateTime(), nullable=True))
    _one_live(LIVE_BEFORE, LIVE)

    op.add_column("users", sa.Column("stripe_customer_id", sa.String(length=255), nullable=True))
    op.create_index("uq_users_stripe_customer_id", "users", ["stripe_customer_id"], unique=True)

    op.add_column("webhook_events", sa.Column("object_type", sa.String(length=64), nullable=True))
    op.add_column("webhook_events", sa.Column("livemode", sa.Boolean(), nullable=True))
    op.add_column("webhook_events", sa.Column("api_version", sa.String(length=64), nullable=True))
    op.add_column("webhook_events", sa.Column("happened_at", UtcDateTime(), nullable=True))
    op.create_index("ix_webhook_events_status_id", "webhook_events", ["status", "id"])


def _change_invoices(
    *, total: str, quantity: int, description: sa.String | sa.Text, signed_tax: bool
) -> None:
    """SQLite makes the tables anew, and drops none to whose rows others refer: the lines step aside."""
    op.execute("CREATE TEMPORARY TABLE kept_lines AS SELECT * FROM invoice_lines")
    op.execute("DELETE FROM invoice_lines")
    with op.batch_alter_table("invoices") as invoices:
        invoices.drop_constraint(op.f("ck_invoices_total_adds_up"), type_="check")
        invoices.create_check_constraint(op.f("ck_invoices_total_adds_up"), sa.text(total))
        tax = op.f("ck_invoices_tax_cents_at_least_0")
        wanted = op.f("ck_invoices_wanted_status_known")
        if signed_tax:
            invoices.drop_constraint(tax, type_="check")
            invoices.create_check_constraint(
                wanted, sa.text("wanted_status IS NULL OR wanted_status IN ('open', 'void')")
            )
        else:
            invoices.drop_constraint(wanted, type_="check")
            invoices.create_check_constraint(tax, sa.text("tax_cents >= 0"))
    with op.batch_alter_table("invoice_lines") as lines:
        lines.drop_constraint(op.f(f"ck_invoice_lines_quantity_at_least_{1 - quantity}"), type_="check")
        lines.create_check_constraint(
            op.f(f"ck_invoice_lines_quantity_at_least_{quantity}"), sa.text(f"quantity >= {quantity}")
        )
        lines.alter_column("description", type_=description, existing_nullable=False)
    op.execute("INSERT INTO invoice_lines SELECT * FROM kept_lines")
    op.execute("DROP TABLE kept_lines")


def downgrade() -> None:
    op.drop_index("ix_webhook_events_status_id", table_name="webhook_events")
    op.drop_column("webhook_events", "happened_at")
    op.drop_column("webhook_events", "api_version")
    op.drop_column("webhook_events", "livemode")
    op.drop_column("webhook_events", "object_type")

    op.drop_index("uq_users_stripe_customer_id", table_name="users")
    op.drop_column("users", "stripe_customer_id")

    _one_live(LIVE, LIVE_BEFORE)
    op.drop_column("subscriptions", "superseded_at")
    op.drop_column("subscriptions", "stripe_default_method_id")
    op.drop_column("subscriptions", "stripe_schedule_id")
    op.drop_column("subscriptions", "scheduled_interval")
    op.drop_column("subscriptions", "scheduled_tier")
    op.drop_column("subscriptions", "past_due_since")
    op.drop_column("subscriptions", "trial_end")
    op.drop_column("subscriptions", "currency")
    op.drop_column("subscriptions", "price_cents")
    op.drop_column("subscriptions", "billing_interval")

    op.drop_index(
        "ix_refunds_check_at",
        table_name="refunds",
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_column("refunds", "check_at")
    op.drop_column("refunds", "failure_code")

    op.drop_column("purchases", "reservation_id")
    op.drop_column("purchases", "author_share_cents")
    op.drop_column("purchases", "commission_cents")

    op.drop_index(
        "ix_payments_check_at",
        table_name="payments",
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_column("payments", "failed_charges")
    op.drop_column("payments", "check_at")
    op.drop_column("payments", "client_secret")

    op.drop_index("ix_outbox_state_id", table_name="outbox")
    op.create_index("ix_outbox_state_topic", "outbox", ["state", "topic"])
    op.drop_index("uq_outbox_unique_key", table_name="outbox")
    op.drop_column("outbox", "unique_key")

    op.drop_index(
        "ix_invoices_check_at",
        table_name="invoices",
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_invoices_stripe_subscription_id"), table_name="invoices")
    _change_invoices(total=OLD_TOTAL, quantity=1, description=sa.String(length=500), signed_tax=False)
    op.drop_column("invoice_lines", "stripe_price_id")
    op.drop_column("invoice_lines", "unit_amount_cents")
    op.drop_column("invoices", "check_at")
    op.drop_column("invoices", "failure")
    op.drop_column("invoices", "wanted_status")
    op.drop_column("invoices", "days_until_due")
    op.drop_column("invoices", "stripe_subscription_id")
    for name in ("told_attempts", "amount_due_cents", "adjustment_cents", "tax_included_cents"):
        op.drop_column("invoices", name)
    op.drop_index("uq_invoices_receipt_number", table_name="invoices")
    op.drop_column("invoices", "created_by")
    op.drop_column("invoices", "hosted_url")
    op.drop_column("invoices", "next_attempt_at")
    op.drop_column("invoices", "attempt_count")
    op.drop_column("invoices", "description")
    op.drop_column("invoices", "receipt_number")

    op.drop_column("invoice_lines", "is_proration")
    op.drop_column("invoice_lines", "tax_cents")
    op.drop_column("invoice_lines", "discount_cents")

    op.drop_column("authors", "paid_sales")
    op.drop_column("authors", "transfers_enabled")
    op.drop_index("uq_authors_stripe_account_id", table_name="authors")
    op.drop_column("authors", "stripe_account_id")

    op.drop_index(op.f("ix_disputes_payment_id_id"), table_name="disputes")

    op.drop_table("disputes")
    op.drop_index("uq_tier_changes_quote_id", table_name="tier_changes")
    op.drop_index(op.f("ix_tier_changes_user_id_id"), table_name="tier_changes")
    op.drop_index(
        "ix_tier_changes_check_at",
        table_name="tier_changes",
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )

    op.drop_table("tier_changes")
    op.drop_index(
        "ix_payouts_check_at",
        table_name="payouts",
        postgresql_where=sa.text("check_at IS NOT NULL"),
        sqlite_where=sa.text("check_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_payouts_status_id"), table_name="payouts")
    op.drop_index(op.f("ix_payouts_author_id_id"), table_name="payouts")

    op.drop_table("payouts")
    op.drop_index(op.f("ix_ledger_lines_entry_id"), table_name="ledger_lines")
    op.drop_index("ix_ledger_lines_author", table_name="ledger_lines")

    op.drop_table("ledger_lines")
    op.drop_index(op.f("ix_tier_quotes_user_id_id"), table_name="tier_quotes")
    op.drop_index(op.f("ix_tier_quotes_expires_at"), table_name="tier_quotes")

    op.drop_table("tier_quotes")
    op.drop_table("plan_prices")
    op.drop_index(op.f("ix_object_leases_expires_at"), table_name="object_leases")

    op.drop_table("object_leases")
    op.drop_index(op.f("ix_ledger_entries_purchase_id"), table_name="ledger_entries")
    op.drop_table("ledger_entries")
    if _is_postgresql():
        op.execute("DROP FUNCTION ledger_entry_balances")
        op.execute("DROP FUNCTION ledger_is_kept")


def _one_live(before: str, after: str) -> None:
    name, where = "uq_subscriptions_live_user", sa.text(before)
    op.drop_index(name, table_name="subscriptions", postgresql_where=where, sqlite_where=where)
    where = sa.text(after)
    op.create_index(
        name, "subscriptions", ["user_id"], unique=True, postgresql_where=where, sqlite_where=where
    )
