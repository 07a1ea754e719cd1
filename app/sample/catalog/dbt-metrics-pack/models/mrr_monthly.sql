with months as (
    {{ month_spine(var('metrics_start')) }}
),

customers as (
    select customer_id, min(starts_on) as first_on
    from {{ var('subscription_periods') }}
    group by customer_id
)

select
    customers.customer_id,
    months.month,
    coalesce(sum(periods.monthly_cents), 0) as mrr_cents
from customers
inner join months on months.month >= date_trunc('month', customers.first_on)
left join {{ var('subscription_periods') }} as periods
    on periods.customer_id = customers.customer_id
    and periods.starts_on < months.month + interval '1 month'
    and (periods.ends_on is null or periods.ends_on >= months.month + interval '1 month')
group by customers.customer_id, months.month
