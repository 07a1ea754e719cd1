"""Are plans read strictly, and changed value by value?"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.domain.plans
from app.domain.errors import InvalidInput
from app.domain.money import Money
from app.domain.plans import Interval, Kind, Plan, Resource, Tier, load_plans, merge_plans

DEFAULTS = Path(app.domain.plans.__file__).with_name("plans.toml").read_text(encoding="utf-8")


def limits(plan: Plan) -> list[int | None]:
    return [plan.limits[resource] for resource in Resource]


def test_the_defaults() -> None:
    plans = load_plans(DEFAULTS)
    assert list(plans) == [Tier.FREE, Tier.PRO, Tier.ENTERPRISE]
    assert limits(plans[Tier.FREE]) == [1_000, 5, 2, 1_000_000_000]
    assert limits(plans[Tier.PRO]) == [100_000, 50, 20, 50_000_000_000]
    assert limits(plans[Tier.ENTERPRISE]) == [None, None, None, None]
    assert [plan.monthly_price for plan in plans.values()] == [Money(0, "USD"), Money(2900, "USD"), None]
    assert [plan.yearly_price for plan in plans.values()] == [None, Money(29000, "USD"), None]
    assert [plan.trial_days for plan in plans.values()] == [0, 14, 0]
    assert [plan.name for plan in plans.values()] == ["Free", "Pro", "Enterprise"]


def test_what_can_be_subscribed_to() -> None:
    plans = load_plans(DEFAULTS)
    prices = {tier: [plan.price(interval) for interval in Interval] for tier, plan in plans.items()}
    assert prices == {
        Tier.FREE: [None, None],
        Tier.PRO: [Money(2900, "USD"), Money(29000, "USD")],
        Tier.ENTERPRISE: [None, None],
    }


def test_what_resets_and_what_does_not() -> None:
    assert [resource.kind for resource in Resource] == [Kind.COUNTER, Kind.COUNTER, Kind.GAUGE, Kind.GAUGE]


def test_limits_cannot_be_changed_in_place() -> None:
    plan = load_plans(DEFAULTS)[Tier.FREE]
    with pytest.raises(TypeError):
        plan.limits[Resource.API_CALL] = 5  # type: ignore[index]  # the refusal is what is tested


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[free]\n", "[gold]\n", "gold"),
        ("[free.limits]\napi_call", "[free.limits]\napi_calls", "free.limits.api_calls"),
        ("template_install = 5\n", "", "free.limits.template_install"),
        ("= 1_000\n", "= -1\n", "free.limits.api_call"),
        ("= 1_000\n", "= true\n", "free.limits.api_call"),
        ("= 1_000\n", "= 1000.0\n", "free.limits.api_call"),
        ("= 1_000\n", '= "lots"\n', "free.limits.api_call"),
        ("= 1_000\n", "= 9223372036854775808\n", "free.limits.api_call"),
        ('name = "Pro"', "name = 5", "pro.name"),
        ('name = "Pro"', 'name = " "', "pro.name"),
        ('name = "Pro"\n', "", "pro.name"),
        ('name = "Pro"', 'title = "Pro"\nname = "Pro"', "pro.title"),
        ('monthly_price = "contact"\n', "", "enterprise.monthly_price"),
        ('monthly_price = "contact"', "monthly_price = 29", "enterprise.monthly_price"),
        ("amount_cents = 2900, ", "", "pro.monthly_price.amount_cents"),
        ("amount_cents = 2900", "amount_cents = 29.00", "pro.monthly_price.amount_cents"),
        ('2900, currency = "USD"', '2900, currency = "DOGE"', "pro.monthly_price.currency"),
        ('2900, currency = "USD"', '2900, currency = "ISK"', "pro.monthly_price.currency"),
        ('2900, currency = "USD"', '2900, currency = "USD", vat = 1', "pro.monthly_price.vat"),
        ("amount_cents = 29000", "amount_cents = -1", "pro.yearly_price.amount_cents"),
        ('29000, currency = "USD"', '29000, currency = "EUR"', "pro.yearly_price"),
        ("trial_days = 14", "trial_days = 731", "pro.trial_days"),
        ("trial_days = 14", "trial_days = 1.5", "pro.trial_days"),
        ('monthly_price = "contact"', 'monthly_price = "contact"\ntrial_days = 1', "enterprise.trial_days"),
    ],
)
def test_errors_name_the_key(old: str, new: str, key: str) -> None:
    assert old in DEFAULTS
    with pytest.raises(InvalidInput) as refused:
        load_plans(DEFAULTS.replace(old, new, 1))
    assert refused.value.field == key


def test_a_tier_must_be_a_table_and_there() -> None:
    with pytest.raises(InvalidInput, match="free is missing"):
        load_plans("")
    with pytest.raises(InvalidInput, match="free must be a table"):
        load_plans("free = 1\n")


def test_text_that_is_not_toml() -> None:
    with pytest.raises(InvalidInput, match="not valid TOML"):
        load_plans("[free")
    with pytest.raises(InvalidInput, match="not valid TOML"):
        merge_plans(load_plans(DEFAULTS), "= 1")


def test_an_override_changes_single_values() -> None:
    before = load_plans(DEFAULTS)
    after = merge_plans(
        before,
        '[pro]\nname = "Plus"\nmonthly_price.amount_cents = 3100\n[pro.limits]\napi_call = "unlimited"\n'
        "[enterprise.limits]\ntemplate_install = 0\n",
    )
    assert after[Tier.FREE] == before[Tier.FREE]
    assert after[Tier.PRO].name == "Plus"
    assert after[Tier.PRO].description == before[Tier.PRO].description
    assert after[Tier.PRO].monthly_price == Money(3100, "USD")
    assert limits(after[Tier.PRO]) == [None, 50, 20, 50_000_000_000]
    assert limits(after[Tier.ENTERPRISE]) == [None, 0, None, None]
    assert limits(before[Tier.PRO]) == [100_000, 50, 20, 50_000_000_000]


def test_an_override_may_give_enterprise_a_price_and_take_one_away() -> None:
    text = 'pro.monthly_price = "contact"\npro.yearly_price = "contact"\npro.trial_days = 0\nenterprise.monthly_price = {amount_cents = 1, currency = "eur"}\n'
    after = merge_plans(load_plans(DEFAULTS), text)
    assert (after[Tier.PRO].monthly_price, after[Tier.PRO].yearly_price) == (None, None)
    assert after[Tier.ENTERPRISE].monthly_price == Money(1, "EUR")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("gold.name = 'Gold'", "gold"),
        ("free = 1", "free"),
        ('pro.monthly_price = "contact"', "pro.yearly_price"),
        ('pro.monthly_price.currency = "EUR"', "pro.yearly_price"),
        ("free.limits = 1", "free.limits"),
        ("free.limits.api_call = false", "free.limits.api_call"),
        ("enterprise.monthly_price.amount_cents = 5", "enterprise.monthly_price.currency"),
    ],
)
def test_an_override_is_checked_as_strictly(text: str, key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        merge_plans(load_plans(DEFAULTS), text)
    assert refused.value.field == key


def test_an_empty_override_changes_nothing() -> None:
    assert merge_plans(load_plans(DEFAULTS), "") == load_plans(DEFAULTS)


@given(tier=st.sampled_from(Tier), resource=st.sampled_from(Resource), limit=st.integers(0, 2**63 - 1))
def test_any_one_limit_can_be_overridden(tier: Tier, resource: Resource, limit: int) -> None:
    before = load_plans(DEFAULTS)
    after = merge_plans(before, f"{tier}.limits.{resource} = {limit}")
    expected = {**before[tier].limits, resource: limit}
    assert dict(after[tier].limits) == expected
    assert {other: after[other] for other in Tier if other != tier} == {
        other: before[other] for other in Tier if other != tier
    }
