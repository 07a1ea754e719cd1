"""When does something happen to a subscription by itself?"""

from sandbox.objects.subscription_items import period
from sandbox.periods import days
from sandbox.world import Obj, World

TIMED = ("renew", "cancel", "trial_will_end", "upcoming", "expire", "resume_collection", "pending_update")
NOTICE = 3
"""Days before the end of a trial."""
LIVE = ("trialing", "active", "past_due", "unpaid")


def set_timers(world: World, subscription: Obj) -> None:
    """Set every timer anew from the subscription's fields: to be called after each change of it."""
    key, status, now = subscription["id"], subscription["status"], world.now()
    _, end = period(subscription)
    at: dict[str, int | None] = dict.fromkeys(TIMED)
    if status in LIVE:
        at["renew"] = end
        at["cancel"] = subscription["cancel_at"]
        at["upcoming"] = later(end - days(world.settings.upcoming_days), now)
        at["resume_collection"] = (subscription.get("pause_collection") or {}).get("resumes_at")
        at["pending_update"] = (subscription.get("pending_update") or {}).get("expires_at")
    if status == "trialing":
        at["trial_will_end"] = later(subscription["trial_end"] - days(NOTICE), now)
    if status == "incomplete":
        at["expire"] = subscription["created"] + world.settings.incomplete_hours * 3600
    for what, moment in at.items():
        world.set_timer(what, key, moment)


def tell_of_trial(world: World, subscription: Obj, *, before: int | None) -> None:
    """At once when a trial is given that is shorter than the notice, or ended now."""
    trial_end = subscription["trial_end"]
    if trial_end not in (None, before) and trial_end - days(NOTICE) <= world.now():
        world.emit("customer.subscription.trial_will_end", subscription)


def later(moment: int, now: int) -> int | None:
    return moment if moment > now else None
