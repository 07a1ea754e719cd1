"""What follows from what the payment provider says: its objects applied to our rows, once, in any order.

A service that asks the provider for something, the webhook worker, the sweepers and the reconciliation all
end here: take the object's lease, fetch the object as it is *now*, apply it in one transaction. An event is
only the hint to look; nothing is ever taken from its payload. So events that are late, doubled, out of order
or lost make no difference.
"""
