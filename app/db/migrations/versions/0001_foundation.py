"""The tables of the foundation."""

import sqlalchemy as sa
from alembic import op

from app.db.models.base import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "categories",
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_categories")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'done', 'dead')", name=op.f("ck_outbox_state_known")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_outbox_attempts_at_least_0")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_state_topic"), ["state", "topic"], unique=False)
        batch_op.create_index(
            "ix_outbox_waiting",
            ["available_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "receipt_counters",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last_number >= 1", name=op.f("ck_receipt_counters_last_number_at_least_1")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_receipt_counters")),
    )
    op.create_table(
        "sign_in_guards",
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("failures", sa.JSON(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_guards")),
    )
    with op.batch_alter_table("sign_in_guards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_guards_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=100), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("email_verified_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(deleted_at IS NULL) OR (password_hash = '')", name=op.f("ck_users_deleted_has_no_password")
        ),
        sa.CheckConstraint(
            "role IN ('customer', 'author', 'support', 'admin')", name=op.f("ck_users_role_known")
        ),
        sa.CheckConstraint("tier IN ('free', 'pro', 'enterprise')", name=op.f("ck_users_tier_known")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
    )
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stripe_event_id", sa.String(length=255), nullable=False),
        sa.Column("event_type", sa.String(length=100), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=1000), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=False),
        sa.Column("processed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('received', 'processed', 'ignored', 'failed', 'dead')",
            name=op.f("ck_webhook_events_status_known"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_webhook_events_attempts_at_least_0")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("stripe_event_id", name=op.f("uq_webhook_events_stripe_event_id")),
    )
    with op.batch_alter_table("webhook_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_events_object_id"), ["object_id"], unique=False)
        batch_op.create_index(
            "ix_webhook_events_waiting",
            ["available_at"],
            unique=False,
            postgresql_where=sa.text("status IN ('received', 'failed')"),
            sqlite_where=sa.text("status IN ('received', 'failed')"),
        )

    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=24), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("length(key_hash) = 64", name=op.f("ck_api_keys_key_hash_is_sha256")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_api_keys_name_given")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["api_keys.id"], name=op.f("fk_api_keys_replaces_id_api_keys")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_replaces_id"), ["replaces_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_audit_log_actor_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_log_actor_id_id"), ["actor_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_log_subject_id_id"), ["subject_id", "id"], unique=False)

    op.create_table(
        "authors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_authors_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authors")),
        sa.UniqueConstraint("user_id", name=op.f("uq_authors_user_id")),
        sa.UniqueConstraint("username_key", name=op.f("uq_authors_username_key")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("result_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "length(request_hash) = 64", name=op.f("ck_idempotency_keys_request_hash_is_sha256")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency_keys")),
        sa.UniqueConstraint(
            "user_id", "operation", "key", name=op.f("uq_idempotency_keys_user_id_operation_key")
        ),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_keys_created_at"), ["created_at"], unique=False)

    op.create_table(
        "mailed_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password')", name=op.f("ck_mailed_links_purpose_known")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mailed_links_user_id_users")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_mailed_links")),
    )
    with op.batch_alter_table("mailed_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailed_links_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_mailed_links_user_id_purpose"), ["user_id", "purpose"], unique=False
        )

    op.create_table(
        "payment_methods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_payment_method_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("brand", sa.String(length=32), nullable=True),
        sa.Column("last4", sa.String(length=4), nullable=True),
        sa.Column("exp_month", sa.BigInteger(), nullable=True),
        sa.Column("exp_year", sa.BigInteger(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "exp_month IS NULL OR exp_month BETWEEN 1 AND 12",
            name=op.f("ck_payment_methods_exp_month_in_range"),
        ),
        sa.CheckConstraint(
            "last4 IS NULL OR length(last4) = 4", name=op.f("ck_payment_methods_last4_is_four")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payment_methods_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_methods")),
        sa.UniqueConstraint(
            "stripe_payment_method_id", name=op.f("uq_payment_methods_stripe_payment_method_id")
        ),
    )
    with op.batch_alter_table("payment_methods", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_methods_user_id_id"), ["user_id", "id"], unique=False)
        batch_op.create_index(
            "uq_payment_methods_default",
            ["user_id"],
            unique=True,
            postgresql_where=sa.text("is_default AND removed_at IS NULL"),
            sqlite_where=sa.text("is_default AND removed_at IS NULL"),
        )

    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoke_reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sessions_user_id_created_at"), ["user_id", "created_at"], unique=False
        )

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("anchor_at", UtcDateTime(), nullable=False),
        sa.Column("current_period_start", UtcDateTime(), nullable=False),
        sa.Column("current_period_end", UtcDateTime(), nullable=False),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("stripe_subscription_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled', 'incomplete_expired')",
            name=op.f("ck_subscriptions_status_known"),
        ),
        sa.CheckConstraint("tier IN ('free', 'pro', 'enterprise')", name=op.f("ck_subscriptions_tier_known")),
        sa.CheckConstraint(
            "current_period_end > current_period_start", name=op.f("ck_subscriptions_period_runs_forward")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("stripe_subscription_id", name=op.f("uq_subscriptions_stripe_subscription_id")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_subscriptions_user_id_created_at"), ["user_id", "created_at"], unique=False
        )
        batch_op.create_index(
            "uq_subscriptions_live_user",
            ["user_id"],
            unique=True,
            postgresql_where=sa.text("status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')"),
            sqlite_where=sa.text("status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')"),
        )

    op.create_table(
        "usage_counters",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.String(length=32), nullable=False),
        sa.Column("period_start", UtcDateTime(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "resource IN ('api_call', 'template_install', 'concurrent_installation', 'storage_bytes')",
            name=op.f("ck_usage_counters_resource_known"),
        ),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_usage_counters_reserved_at_least_0")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_usage_counters_used_at_least_0")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_usage_counters_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "resource", "period_start", name=op.f("pk_usage_counters")),
    )
    op.create_table(
        "usage_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("period_start", UtcDateTime(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("reporter_id", sa.Uuid(), nullable=True),
        sa.Column("event_key", sa.String(length=255), nullable=True),
        sa.CheckConstraint(
            "resource IN ('api_call', 'template_install', 'concurrent_installation', 'storage_bytes', 'registration')",
            name=op.f("ck_usage_events_resource_known"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_usage_events_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["users.id"], name=op.f("fk_usage_events_reporter_id_users")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_usage_events_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_events")),
    )
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_usage_events_user_id_resource_period_start"),
            ["user_id", "resource", "period_start"],
            unique=False,
        )
        batch_op.create_index("uq_usage_events_reporter_event_key", ["reporter_id", "event_key"], unique=True)

    op.create_table(
        "usage_reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.String(length=32), nullable=False),
        sa.Column("period_start", UtcDateTime(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "resource IN ('api_call', 'template_install', 'concurrent_installation', 'storage_bytes')",
            name=op.f("ck_usage_reservations_resource_known"),
        ),
        sa.CheckConstraint(
            "state IN ('held', 'committed', 'released', 'expired')",
            name=op.f("ck_usage_reservations_state_known"),
        ),
        sa.CheckConstraint("amount >= 1", name=op.f("ck_usage_reservations_amount_at_least_1")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_usage_reservations_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_reservations")),
    )
    with op.batch_alter_table("usage_reservations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_usage_reservations_expiring",
            ["expires_at"],
            unique=False,
            postgresql_where=sa.text("state = 'held'"),
            sqlite_where=sa.text("state = 'held'"),
        )
        batch_op.create_index(
            "ix_usage_reservations_held",
            ["user_id", "resource"],
            unique=False,
            postgresql_where=sa.text("state = 'held'"),
            sqlite_where=sa.text("state = 'held'"),
        )

    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("discount_cents", sa.BigInteger(), nullable=False),
        sa.Column("tax_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_paid_cents", sa.BigInteger(), nullable=False),
        sa.Column("stripe_invoice_id", sa.String(length=255), nullable=True),
        sa.Column("period_start", UtcDateTime(), nullable=True),
        sa.Column("period_end", UtcDateTime(), nullable=True),
        sa.Column("issued_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("paid_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'open', 'paid', 'uncollectible', 'void')",
            name=op.f("ck_invoices_status_known"),
        ),
        sa.CheckConstraint("amount_paid_cents >= 0", name=op.f("ck_invoices_amount_paid_cents_at_least_0")),
        sa.CheckConstraint("discount_cents >= 0", name=op.f("ck_invoices_discount_cents_at_least_0")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_invoices_currency_iso_4217")
        ),
        sa.CheckConstraint("tax_cents >= 0", name=op.f("ck_invoices_tax_cents_at_least_0")),
        sa.CheckConstraint(
            "total_cents = subtotal_cents - discount_cents + tax_cents",
            name=op.f("ck_invoices_total_adds_up"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fk_invoices_subscription_id_subscriptions")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invoices_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
        sa.UniqueConstraint("stripe_invoice_id", name=op.f("uq_invoices_stripe_invoice_id")),
    )
    with op.batch_alter_table("invoices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoices_subscription_id"), ["subscription_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoices_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "packages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "name_key",
            sa.String(length=512).with_variant(sa.String(length=512, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("license", sa.String(length=100), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("rating_sum", sa.BigInteger(), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_score", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("readme", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status = 'draft' OR published_at IS NOT NULL", name=op.f("ck_packages_published_has_a_date")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'deprecated', 'yanked')", name=op.f("ck_packages_status_known")
        ),
        sa.CheckConstraint("downloads >= 0", name=op.f("ck_packages_downloads_at_least_0")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_packages_currency_iso_4217")
        ),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_packages_price_cents_at_least_0")),
        sa.CheckConstraint("rating_count >= 0", name=op.f("ck_packages_rating_count_at_least_0")),
        sa.CheckConstraint("rating_sum >= 0", name=op.f("ck_packages_rating_sum_at_least_0")),
        sa.CheckConstraint(
            "rating_sum BETWEEN rating_count AND 5 * rating_count", name=op.f("ck_packages_rating_adds_up")
        ),
        sa.CheckConstraint("sales >= 0", name=op.f("ck_packages_sales_at_least_0")),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], name=op.f("fk_packages_author_id_authors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packages")),
        sa.UniqueConstraint("slug", name=op.f("uq_packages_slug")),
    )
    with op.batch_alter_table("packages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_packages_author_id_id"), ["author_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_packages_id_status_license"), ["id", "status", "license"], unique=False
        )
        batch_op.create_index(
            "ix_packages_by_downloads",
            ["downloads", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.create_index(
            "ix_packages_by_name",
            ["name_key", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.create_index(
            "ix_packages_by_newest",
            ["published_at", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.create_index(
            "ix_packages_by_price",
            ["price_cents", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.create_index(
            "ix_packages_by_rating",
            ["rating_score", "id"],
            unique=False,
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )

    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id_sessions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_tokens")),
    )
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refresh_tokens_session_id"), ["session_id"], unique=False)

    op.create_table(
        "uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expected_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("storage_key", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(state = 'announced') = (sha256 IS NULL)", name=op.f("ck_uploads_received_is_hashed")
        ),
        sa.CheckConstraint(
            "state IN ('announced', 'received', 'taken')", name=op.f("ck_uploads_state_known")
        ),
        sa.CheckConstraint(
            "expected_sha256 IS NULL OR sha256 IS NULL OR sha256 = expected_sha256",
            name=op.f("ck_uploads_received_is_expected"),
        ),
        sa.CheckConstraint("size_bytes >= 1", name=op.f("ck_uploads_size_bytes_at_least_1")),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["usage_reservations.id"],
            name=op.f("fk_uploads_reservation_id_usage_reservations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_uploads_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_uploads_token_hash")),
    )
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_uploads_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_uploads_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "invoice_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("period_start", UtcDateTime(), nullable=True),
        sa.Column("period_end", UtcDateTime(), nullable=True),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_invoice_lines_quantity_at_least_1")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_invoice_lines_invoice_id_invoices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_lines")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_lines_invoice_id_position")),
    )
    op.create_table(
        "package_categories",
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(
            ["category"], ["categories.slug"], name=op.f("fk_package_categories_category_categories")
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_package_categories_package_id_packages")
        ),
        sa.PrimaryKeyConstraint("package_id", "category", name=op.f("pk_package_categories")),
    )
    with op.batch_alter_table("package_categories", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_package_categories_category_package_id"), ["category", "package_id"], unique=False
        )

    op.create_table(
        "package_tags",
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=50), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_package_tags_package_id_packages")
        ),
        sa.PrimaryKeyConstraint("package_id", "tag", name=op.f("pk_package_tags")),
    )
    with op.batch_alter_table("package_tags", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_package_tags_tag_package_id"), ["tag", "package_id"], unique=False
        )

    op.create_table(
        "package_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column(
            "sort_key",
            sa.String(length=512).with_variant(sa.String(length=512, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("yank_reason", sa.String(length=500), nullable=True),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("yanked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(status = 'yanked') = (yanked_at IS NOT NULL)",
            name=op.f("ck_package_versions_yanked_has_a_date"),
        ),
        sa.CheckConstraint(
            "status IN ('published', 'yanked')", name=op.f("ck_package_versions_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_package_versions_package_id_packages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_versions")),
        sa.UniqueConstraint("package_id", "version", name=op.f("uq_package_versions_package_id_version")),
    )
    with op.batch_alter_table("package_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_package_versions_package_id_sort_key"), ["package_id", "sort_key"], unique=False
        )

    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("rating", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating_in_range")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_reviews_package_id_packages")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reviews_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("package_id", "user_id", name=op.f("uq_reviews_package_id_user_id")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_package_id_id"), ["package_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reviews_user_id"), ["user_id"], unique=False)

    op.create_table(
        "package_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=255), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_package_files_sha256_is_hex")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_package_files_position_at_least_0")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_package_files_size_bytes_at_least_0")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["package_versions.id"], name=op.f("fk_package_files_version_id_package_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_files")),
        sa.UniqueConstraint("version_id", "path", name=op.f("uq_package_files_version_id_path")),
        sa.UniqueConstraint("version_id", "position", name=op.f("uq_package_files_version_id_position")),
    )
    op.create_table(
        "purchases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("receipt_number", sa.String(length=32), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status <> 'completed' OR completed_at IS NOT NULL",
            name=op.f("ck_purchases_completed_has_a_date"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'completed', 'canceled', 'refunded')",
            name=op.f("ck_purchases_status_known"),
        ),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_purchases_amount_cents_at_least_0")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_purchases_currency_iso_4217")
        ),
        sa.ForeignKeyConstraint(
            ["package_id"], ["packages.id"], name=op.f("fk_purchases_package_id_packages")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_purchases_user_id_users")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["package_versions.id"], name=op.f("fk_purchases_version_id_package_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchases")),
        sa.UniqueConstraint("receipt_number", name=op.f("uq_purchases_receipt_number")),
    )
    with op.batch_alter_table("purchases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_purchases_package_id_id"), ["package_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_purchases_user_id_id"), ["user_id", "id"], unique=False)
        batch_op.create_index(
            "uq_purchases_open",
            ["user_id", "package_id"],
            unique=True,
            postgresql_where=sa.text("status IN ('pending', 'completed')"),
            sqlite_where=sa.text("status IN ('pending', 'completed')"),
        )

    op.create_table(
        "downloads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("covered", sa.JSON(), nullable=False),
        sa.Column("delivered_bytes", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("running_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("delivered_bytes >= 0", name=op.f("ck_downloads_delivered_bytes_at_least_0")),
        sa.CheckConstraint(
            "(reservation_id IS NULL) = (running_until IS NULL)",
            name=op.f("ck_downloads_running_holds_a_slot"),
        ),
        sa.CheckConstraint(
            "completed_at IS NULL OR reservation_id IS NULL", name=op.f("ck_downloads_completed_has_ended")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["package_files.id"], name=op.f("fk_downloads_file_id_package_files")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_downloads_purchase_id_purchases")
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"],
            ["usage_reservations.id"],
            name=op.f("fk_downloads_reservation_id_usage_reservations"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_downloads_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_downloads_token_hash")),
    )
    with op.batch_alter_table("downloads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_downloads_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_downloads_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "licences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "status IN ('active', 'suspended', 'revoked')", name=op.f("ck_licences_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_licences_purchase_id_purchases")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_licences_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licences")),
        sa.UniqueConstraint("purchase_id", name=op.f("uq_licences_purchase_id")),
    )
    with op.batch_alter_table("licences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_licences_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("refunded_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("stripe_payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('requires_payment_method', 'requires_confirmation', 'requires_action', 'processing', 'succeeded', 'canceled')",
            name=op.f("ck_payments_status_known"),
        ),
        sa.CheckConstraint(
            "(purchase_id IS NULL) <> (invoice_id IS NULL)", name=op.f("ck_payments_of_one_thing")
        ),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_payments_amount_cents_at_least_0")),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_payments_attempt_at_least_1")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_payments_currency_iso_4217")
        ),
        sa.CheckConstraint("refunded_cents <= amount_cents", name=op.f("ck_payments_refund_within_amount")),
        sa.CheckConstraint("refunded_cents >= 0", name=op.f("ck_payments_refunded_cents_at_least_0")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("fk_payments_invoice_id_invoices")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchases.id"], name=op.f("fk_payments_purchase_id_purchases")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payments_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("stripe_payment_intent_id", name=op.f("uq_payments_stripe_payment_intent_id")),
    )
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payments_invoice_id"), ["invoice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_purchase_id"), ["purchase_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payments_user_id_id"), ["user_id", "id"], unique=False)

    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("stripe_refund_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')",
            name=op.f("ck_refunds_status_known"),
        ),
        sa.CheckConstraint("amount_cents >= 1", name=op.f("ck_refunds_amount_cents_at_least_1")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = upper(currency)", name=op.f("ck_refunds_currency_iso_4217")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"], name=op.f("fk_refunds_requested_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("stripe_refund_id", name=op.f("uq_refunds_stripe_refund_id")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_payment_id_id"), ["payment_id", "id"], unique=False)


def downgrade() -> None:

    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refunds_payment_id_id"))

    op.drop_table("refunds")
    with op.batch_alter_table("payments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payments_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_payments_purchase_id"))
        batch_op.drop_index(batch_op.f("ix_payments_invoice_id"))

    op.drop_table("payments")
    with op.batch_alter_table("licences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_licences_user_id_id"))

    op.drop_table("licences")
    with op.batch_alter_table("downloads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_downloads_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_downloads_expires_at"))

    op.drop_table("downloads")
    with op.batch_alter_table("purchases", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_purchases_open",
            postgresql_where=sa.text("status IN ('pending', 'completed')"),
            sqlite_where=sa.text("status IN ('pending', 'completed')"),
        )
        batch_op.drop_index(batch_op.f("ix_purchases_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_purchases_package_id_id"))

    op.drop_table("purchases")
    op.drop_table("package_files")
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviews_user_id"))
        batch_op.drop_index(batch_op.f("ix_reviews_package_id_id"))

    op.drop_table("reviews")
    with op.batch_alter_table("package_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_package_versions_package_id_sort_key"))

    op.drop_table("package_versions")
    with op.batch_alter_table("package_tags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_package_tags_tag_package_id"))

    op.drop_table("package_tags")
    with op.batch_alter_table("package_categories", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_package_categories_category_package_id"))

    op.drop_table("package_categories")
    op.drop_table("invoice_lines")
    with op.batch_alter_table("uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_uploads_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_uploads_expires_at"))

    op.drop_table("uploads")
    with op.batch_alter_table("refresh_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refresh_tokens_session_id"))

    op.drop_table("refresh_tokens")
    with op.batch_alter_table("packages", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_packages_by_rating",
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.drop_index(
            "ix_packages_by_price",
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.drop_index(
            "ix_packages_by_newest",
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.drop_index(
            "ix_packages_by_name",
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.drop_index(
            "ix_packages_by_downloads",
            postgresql_where=sa.text("status IN ('published', 'deprecated')"),
            sqlite_where=sa.text("status IN ('published', 'deprecated')"),
        )
        batch_op.drop_index(batch_op.f("ix_packages_author_id_id"))

    op.drop_table("packages")
    with op.batch_alter_table("invoices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoices_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_invoices_subscription_id"))

    op.drop_table("invoices")
    with op.batch_alter_table("usage_reservations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_usage_reservations_held",
            postgresql_where=sa.text("state = 'held'"),
            sqlite_where=sa.text("state = 'held'"),
        )
        batch_op.drop_index(
            "ix_usage_reservations_expiring",
            postgresql_where=sa.text("state = 'held'"),
            sqlite_where=sa.text("state = 'held'"),
        )

    op.drop_table("usage_reservations")
    with op.batch_alter_table("usage_events", schema=None) as batch_op:
        batch_op.drop_index("uq_usage_events_reporter_event_key")
        batch_op.drop_index(batch_op.f("ix_usage_events_user_id_resource_period_start"))

    op.drop_table("usage_events")
    op.drop_table("usage_counters")
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_subscriptions_live_user",
            postgresql_where=sa.text("status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')"),
            sqlite_where=sa.text("status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused')"),
        )
        batch_op.drop_index(batch_op.f("ix_subscriptions_user_id_created_at"))

    op.drop_table("subscriptions")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id_created_at"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires_at"))

    op.drop_table("sessions")
    with op.batch_alter_table("payment_methods", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payment_methods_default",
            postgresql_where=sa.text("is_default AND removed_at IS NULL"),
            sqlite_where=sa.text("is_default AND removed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_payment_methods_user_id_id"))

    op.drop_table("payment_methods")
    with op.batch_alter_table("mailed_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mailed_links_user_id_purpose"))
        batch_op.drop_index(batch_op.f("ix_mailed_links_expires_at"))

    op.drop_table("mailed_links")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_keys_created_at"))

    op.drop_table("idempotency_keys")
    op.drop_table("authors")
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_log_subject_id_id"))
        batch_op.drop_index(batch_op.f("ix_audit_log_actor_id_id"))

    op.drop_table("audit_log")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_user_id_id"))
        batch_op.drop_index(batch_op.f("ix_api_keys_replaces_id"))

    op.drop_table("api_keys")
    with op.batch_alter_table("webhook_events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_webhook_events_waiting",
            postgresql_where=sa.text("status IN ('received', 'failed')"),
            sqlite_where=sa.text("status IN ('received', 'failed')"),
        )
        batch_op.drop_index(batch_op.f("ix_webhook_events_object_id"))

    op.drop_table("webhook_events")
    op.drop_table("users")
    with op.batch_alter_table("sign_in_guards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_guards_updated_at"))

    op.drop_table("sign_in_guards")
    op.drop_table("receipt_counters")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_waiting",
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(batch_op.f("ix_outbox_state_topic"))

    op.drop_table("outbox")
    op.drop_table("categories")
