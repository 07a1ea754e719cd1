"""Usage and its meters."""

from datetime import datetime
from enum import Enum

import strawberry

from app.domain.quota import Meter as DomainMeter
from app.schema.enums import Resource
from app.schema.scalars import BigInt


@strawberry.enum(description="A month of metering, from the account's anchor day.")
class UsagePeriod(Enum):
    CURRENT = "current"
    PREVIOUS = "previous"


@strawberry.type(description="How the account stands with one resource.")
class Meter:
    resource: Resource = strawberry.field(description="What is metered.")
    used: BigInt = strawberry.field(
        description="What is used, in the resource's unit (calls, templates, bytes)."
    )
    reserved: BigInt = strawberry.field(description="What is promised to work under way.")
    limit: BigInt | None = strawberry.field(description="The plan's limit; null is unlimited.")
    remaining: BigInt | None = strawberry.field(description="What may still be used; null is unlimited.")
    resets_at: datetime | None = strawberry.field(
        description="When the count starts anew; null where it never does."
    )

    @classmethod
    def of(cls, meter: DomainMeter) -> "Meter":
        return cls(
            resource=meter.resource,
            used=BigInt(meter.used),
            reserved=BigInt(meter.reserved),
            limit=None if meter.limit is None else BigInt(meter.limit),
            remaining=None if meter.remaining is None else BigInt(meter.remaining),
            resets_at=meter.period.end if meter.period else None,
        )


@strawberry.type(description="What the account used in one period.")
class Usage:
    period_start: datetime = strawberry.field(description="The period's first instant.")
    period_end: datetime = strawberry.field(description="The first instant after the period.")
    meters: list[Meter] = strawberry.field(description="One meter for every resource.")
