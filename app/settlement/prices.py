"""Prices: each amount that a plan ever costs is one price at the provider, made when it is first needed."""

from app.db.repositories import plan_prices
from app.domain.errors import NotForSale
from app.domain.money import Money
from app.domain.subscriptions import Offer
from app.ports.provider import Object, ProviderRefused
from app.settlement.tools import Tools


async def ensure_price(tools: Tools, offer: Offer) -> str:
    """The provider's id of what the plan costs now. Raises NotForSale, ProviderError.

    What a crash left unrecorded is found again by its key, so that no amount has two prices.
    """
    price = price_of(tools, offer)
    async with tools.database.read() as connection:
        known = await plan_prices.id_of(connection, offer, price)
    if known is not None:
        return known
    made = await _find_or_make(tools, offer, price)
    async with tools.database.transaction() as connection:
        await plan_prices.record(connection, offer, price, price_id=made["id"], now=tools.clock())
    return str(made["id"])


def price_of(tools: Tools, offer: Offer) -> Money:
    price = tools.plans[offer.tier].price(offer.interval)
    if price is None:
        raise NotForSale(offer.tier, offer.interval)
    return price


async def _find_or_make(tools: Tools, offer: Offer, price: Money) -> Object:
    name = f"revgraph-{offer.tier}-{offer.interval}-{price.amount_cents}-{price.currency}".lower()
    found = await tools.provider.prices.by_lookup_key(name)
    if found is not None:
        return found
    try:
        return await tools.provider.prices.create(_params(tools, offer, price, name), key=f"price-{name}")
    except ProviderRefused:
        found = await tools.provider.prices.by_lookup_key(name)  # made meanwhile by another one
        if found is None:
            raise
        return found


def _params(tools: Tools, offer: Offer, price: Money, name: str) -> dict[str, object]:
    facts = {"tier": offer.tier.value}
    return {
        "currency": price.currency.lower(),
        "unit_amount": price.amount_cents,
        "recurring": {"interval": offer.interval.value},
        "lookup_key": name,
        "product_data": {"name": tools.plans[offer.tier].name, "metadata": facts},
        "metadata": facts,
    }
