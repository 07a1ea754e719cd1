"""Which numbers does Prometheus read? Every metric, declared once.

A label's values come from closed sets (routes, root fields, codes, topics), never from what a client sends.
"""

import os
from collections.abc import Iterable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series each, that nobody reads
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

HTTP_REQUESTS = Counter(
    "revgraph_http_requests",
    "Answered HTTP requests, by route (its pattern, never the path) and status.",
    ["route", "status"],
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "revgraph_http_request_duration_seconds",
    "From the first byte of the request to the last of the answer.",
    ["route", "status"],
    buckets=(*_SECONDS, 30, 60, 300),
    registry=REGISTRY,
)
GRAPHQL_OPERATIONS = Counter(
    "revgraph_graphql_operations",
    "Root fields of GraphQL operations, by outcome: ok, error, refused.",
    ["root_field", "outcome"],
    registry=REGISTRY,
)
GRAPHQL_SECONDS = Histogram(
    "revgraph_graphql_operation_duration_seconds",
    "Duration of the operation that the root field stood in.",
    ["root_field"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
GRAPHQL_ERRORS = Counter(
    "revgraph_graphql_errors",
    "Errors in answers, as top-level errors and as data, by code.",
    ["code"],
    registry=REGISTRY,
)
QUOTA_REFUSALS = Counter(
    "revgraph_quota_refusals", "Uses refused by a plan's limit.", ["resource"], registry=REGISTRY
)
CALL_BLOCKS = Counter(
    "revgraph_call_blocks",
    "Blocks of API calls that were held for busy accounts, by step: taken, settled, recovered.",
    ["step"],
    registry=REGISTRY,
)
RATE_LIMITED = Counter(
    "revgraph_rate_limited", "Requests refused by a rate limit.", ["bucket"], registry=REGISTRY
)
RATE_LIMITER_FAILURES = Counter(
    "revgraph_rate_limiter_failures",
    "Decisions made without Redis because it did not answer.",
    registry=REGISTRY,
)
SIGN_INS = Counter(
    "revgraph_sign_ins",
    "Attempts to sign in, by outcome: ok, wrong, locked, limited.",
    ["outcome"],
    registry=REGISTRY,
)
DOWNLOADS = Counter(
    "revgraph_downloads",
    "Ended transfers, by outcome: complete, partial, failed.",
    ["outcome"],
    registry=REGISTRY,
)
SUBSCRIPTIONS_FLAGGED = Counter(
    "revgraph_subscriptions_flagged",
    "Subscriptions at the provider that a person should look at, by reason.",
    ["reason"],
    registry=REGISTRY,
)
INVOICES_FLAGGED = Counter(
    "revgraph_invoices_flagged",
    "Invoices at the provider that a person should look at, by reason.",
    ["reason"],
    registry=REGISTRY,
)
PAYMENTS_FLAGGED = Counter(
    "revgraph_payments_flagged",
    "Payments that a person has to look at, by reason: mismatch, stray, restored_twice.",
    ["reason"],
    registry=REGISTRY,
)
OUTBOX_FACTS = Counter(
    "revgraph_outbox_facts",
    "Attempts to act on a fact, by topic and outcome: done, retried, dead.",
    ["topic", "outcome"],
    registry=REGISTRY,
)
OUTBOX_WAITING = Gauge(
    "revgraph_outbox_waiting",
    "Facts that wait to be acted on, by topic.",
    ["topic"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OUTBOX_OLDEST = Gauge(
    "revgraph_outbox_oldest_seconds",
    "For how long the oldest fact has waited, by topic.",
    ["topic"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OUTBOX_DEAD = Gauge(
    "revgraph_outbox_dead",
    "Facts given up after the last attempt, by topic.",
    ["topic"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
WEBHOOKS_RECEIVED = Counter(
    "revgraph_webhooks_received",
    "Requests to the webhook, by outcome: stored, duplicate, refused, not_stored, not_configured; and beside "
    "these other_mode (kept, not acted on) and other_version (acted on).",
    ["outcome"],
    registry=REGISTRY,
)
WEBHOOK_EVENTS = Counter(
    "revgraph_webhook_events",
    "Attempts to act on an event, by type (one that is not acted on: other) and outcome: processed, ignored, "
    "retried, dead.",
    ["type", "outcome"],
    registry=REGISTRY,
)
WEBHOOK_EVENTS_WAITING = Gauge(
    "revgraph_webhook_events_waiting",
    "Events that wait to be acted on.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
WEBHOOK_EVENTS_OLDEST = Gauge(
    "revgraph_webhook_events_oldest_seconds",
    "For how long the oldest event has waited.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
WEBHOOK_EVENTS_DEAD = Gauge(
    "revgraph_webhook_events_dead",
    "Events given up after the last attempt.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
RECONCILED_AT = Gauge(
    "revgraph_reconciled_timestamp_seconds",
    "When the last reconciliation with the payment provider ended; 0: never.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
RECONCILIATION_MISSED = Gauge(
    "revgraph_reconciliation_missed_events",
    "Events that the last reconciliation found and no webhook had brought.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
RECONCILIATION_DRIFTED = Gauge(
    "revgraph_reconciliation_drifted_objects",
    "Objects that the last reconciliation found otherwise here than at the provider, by kind.",
    ["kind"],
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
RECONCILIATION_FAILED = Gauge(
    "revgraph_reconciliation_failed_objects",
    "Objects that the last reconciliation could not compare.",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
WORKER_FAILURES = Counter(
    "revgraph_worker_failures",
    "Rounds of the worker that failed as a whole, by part: outbox, webhooks, or a chore; and what a chore "
    "could not settle for a reason that nobody has thought of: payment_not_settled, payout_still_open, …",
    ["part"],
    registry=REGISTRY,
)
PAYOUTS = Counter(
    "revgraph_payouts",
    "What became of payouts: paid, failed, canceled, reversed; strange: its transfer is not what was asked.",
    ["outcome"],
    registry=REGISTRY,
)
DATABASE_CONNECTIONS = Gauge(
    "revgraph_database_connections",
    "Connections of the pools, by pool (read, write) and state (in_use, limit).",
    ["pool", "state"],
    registry=REGISTRY,
)


def http_request(route: str, status: int, *, seconds: float) -> None:
    requests, durations = _of_http(route, status)
    requests.inc()
    durations.observe(seconds)


def root_field(name: str, outcome: str, *, seconds: float) -> None:
    operations, durations = _of_root_field(name, outcome)
    operations.inc()
    durations.observe(seconds)


@cache
def _of_http(route: str, status: int) -> tuple[Counter, Histogram]:
    """Kept, as looking labels up costs more than counting; there are as many as Prometheus gets to see."""
    labels = (route, str(status))
    return HTTP_REQUESTS.labels(*labels), HTTP_SECONDS.labels(*labels)


@cache
def _of_root_field(name: str, outcome: str) -> tuple[Counter, Histogram]:
    return GRAPHQL_OPERATIONS.labels(name, outcome), GRAPHQL_SECONDS.labels(name)


def backlog_unknown(topics: Iterable[str]) -> None:
    """What cannot be counted now is not zero."""
    for gauge in (OUTBOX_WAITING, OUTBOX_OLDEST, OUTBOX_DEAD):
        for topic in topics:
            gauge.labels(topic).set(float("nan"))
    for single in (WEBHOOK_EVENTS_WAITING, WEBHOOK_EVENTS_OLDEST, WEBHOOK_EVENTS_DEAD):
        single.set(float("nan"))


def exposition(accept: str) -> tuple[bytes, str]:
    """(body, content type) of ``/metrics``, in the format that the scraper's Accept header prefers.

    With several server processes, which share the folder PROMETHEUS_MULTIPROC_DIR, of them all together.
    """
    encode, content_type = choose_encoder(accept)
    return encode(_of_all_processes() if "PROMETHEUS_MULTIPROC_DIR" in os.environ else REGISTRY), content_type


def _of_all_processes() -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's module is untyped
    return registry
