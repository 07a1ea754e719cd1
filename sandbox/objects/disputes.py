"""Disputes: opened by a cardholder (here: by a test card or a control), answered, won or lost."""

import stripe
from stripe import params as sdk

from sandbox.errors import refused
from sandbox.hooks import after
from sandbox.objects.balance import book
from sandbox.objects.fields import base, metadata
from sandbox.objects.payment_methods import behaviour
from sandbox.paging import matching, page
from sandbox.periods import days
from sandbox.rendering import render
from sandbox.routes import listing, one, post
from sandbox.world import Obj, World

FEE = 1500
OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
REASONS = ("fraudulent", "product_not_received", "duplicate", "subscription_canceled", "general", "inquiry")


@after("charge.captured")
def by_card(world: World, charge: Obj) -> None:
    reason = behaviour(world.get("payment_method", charge["payment_method"])).dispute
    if reason:
        open_dispute(world, charge, reason=reason)


def open_dispute(world: World, charge: Obj, *, reason: str = "fraudulent", amount: int | None = None) -> Obj:
    """The charge's money is withdrawn at once, with a fee; an inquiry only asks."""
    if charge["disputed"] or not charge["captured"]:
        raise refused(f"Charge {charge['id']} is already disputed, or was never captured.")
    if reason not in REASONS:
        raise refused(f"Reasons are {', '.join(REASONS)}", param="reason")
    amount = amount if amount is not None else charge["amount_captured"]
    if not 0 < amount <= charge["amount_captured"]:
        raise refused("A dispute is about at most what was captured.", param="amount")
    inquiry = reason == "inquiry"
    dispute = new_dispute(world, charge, "fraudulent" if inquiry else reason, amount, inquiry=inquiry)
    world.change(charge, disputed=True, _charged_back=not inquiry)
    world.emit("charge.dispute.created", dispute)
    if not inquiry:
        move(world, dispute, -amount, fee=FEE)
        world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def new_dispute(world: World, charge: Obj, reason: str, amount: int, *, inquiry: bool) -> Obj:
    dispute = base(world, "dispute", "du_", {})
    dispute |= {
        "amount": amount, "balance_transactions": [], "charge": charge["id"], "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(stripe.Dispute.Evidence.__annotations__), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": world.now() + days(9), "enhanced_eligibility": {}, "has_evidence": False,
            "past_due": False,
            "submission_count": 0, "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry, "payment_intent": charge["payment_intent"], "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }  # fmt: skip
    return world.insert(dispute)


def move(world: World, dispute: Obj, amount: int, *, fee: int = 0) -> None:
    booking = book(world, "adjustment", amount, dispute, fee=fee)
    world.change(dispute, balance_transactions=[*dispute["balance_transactions"], render(booking)])


def conclude(world: World, dispute: Obj, *, won: bool) -> Obj:
    """What was lost may be won after all, when the bank thinks again."""
    if dispute["status"] not in OPEN and not (won and dispute["status"] == "lost"):
        raise refused("This dispute is already closed.", code="dispute_already_closed")
    charge = world.get("charge", dispute["charge"])
    if dispute["status"].startswith("warning"):
        world.change(dispute, status="warning_closed")
        world.change(charge, disputed=False)
    elif won:
        world.change(dispute, status="won")
        world.change(charge, _charged_back=False)
        move(world, dispute, dispute["amount"])
        world.emit("charge.dispute.funds_reinstated", dispute)
    else:
        world.change(dispute, status="lost")
    world.emit("charge.dispute.closed", dispute)
    return dispute


def change(world: World, params: Obj, key: str) -> Obj:
    """Evidence. As on Stripe, the words winning_evidence and losing_evidence decide a test dispute."""
    dispute = world.get("dispute", key)
    if dispute["status"] not in OPEN:
        raise refused("This dispute is already closed.", code="dispute_already_closed")
    given = params.get("evidence") or {}
    submitted = bool(given) and params.get("submit", True)
    status = dispute["status"].replace("needs_response", "under_review") if submitted else dispute["status"]
    details = dispute["evidence_details"]
    world.change(
        dispute, evidence={**dispute["evidence"], **given}, status=status,
        metadata=metadata(dispute["metadata"], params),
        evidence_details={
            **details, "has_evidence": bool(given) or details["has_evidence"],
            "submission_count": details["submission_count"] + submitted,
            "submission_method": "manual" if submitted else details["submission_method"],
        },
    )  # fmt: skip
    world.emit("charge.dispute.updated", dispute)
    verdict = {"winning_evidence": True, "losing_evidence": False}.get(given.get("uncategorized_text", ""))
    if submitted and verdict is not None:
        conclude(world, dispute, won=verdict)
    return dispute


def close(world: World, params: Obj, key: str) -> Obj:
    return conclude(world, world.get("dispute", key), won=False)


def listed(world: World, params: Obj) -> Obj:
    return page(matching(world.all("dispute"), params, "charge", "payment_intent"), params, "/v1/disputes")


ROUTES = (
    one("/v1/disputes/{id}", "dispute", sdk.DisputeRetrieveParams),
    post("/v1/disputes/{id}", change, sdk.DisputeUpdateParams, "evidence metadata submit"),
    post("/v1/disputes/{id}/close", close, sdk.DisputeCloseParams),
    listing("/v1/disputes", listed, sdk.DisputeListParams, "charge payment_intent"),
)
