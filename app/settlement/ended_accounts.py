"""What an account that has ended pays for at the provider ends too; the customer stays, for the books."""

from app.domain.settlement import Kind, Target
from app.domain.subscriptions import OVER, SubscriptionStatus
from app.settlement.subscription_start import withdraw
from app.settlement.syncing import sync
from app.settlement.tools import Tools


async def end_all(tools: Tools, customer_id: str) -> None:
    """Every subscription at once, and every way to pay. Raises ProviderError, leases.Busy."""
    for told in await tools.provider.subscriptions.of_customer(customer_id):
        if told["status"] == SubscriptionStatus.INCOMPLETE:
            await withdraw(tools, told["id"], key=f"ended-{told['id']}")
        elif told["status"] not in OVER:
            await tools.provider.subscriptions.cancel(told["id"], key=f"ended-{told['id']}")
            await sync(tools, Target(Kind.SUBSCRIPTION, told["id"]))
    for method in await tools.provider.payment_methods.of_customer(customer_id):
        await tools.provider.payment_methods.detach(method["id"], key=f"detach-{method['id']}")
    await sync(tools, Target(Kind.CUSTOMER, customer_id))
