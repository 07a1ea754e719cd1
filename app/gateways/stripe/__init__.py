"""The payment provider is Stripe: its SDK is wrapped here, and nowhere else is it imported."""

from app.gateways.stripe.gateway import StripeGateway

__all__ = ["StripeGateway"]
