"""A stateful stand-in for Stripe's API: a program of its own, for development, demonstrations and tests."""
