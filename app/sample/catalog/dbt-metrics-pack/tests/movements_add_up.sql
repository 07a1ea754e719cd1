-- Fails with the customers whose movements do not add up to what they pay now.
with latest as (
    select customer_id, mrr_cents
    from {{ ref('mrr_monthly') }}
    where month = (select max(month) from {{ ref('mrr_monthly') }})
),

moved as (
    select customer_id, sum(change_cents) as total_cents
    from {{ ref('mrr_movements') }}
    group by customer_id
)

select latest.customer_id, latest.mrr_cents, moved.total_cents
from latest
left join moved on moved.customer_id = latest.customer_id
where latest.mrr_cents <> coalesce(moved.total_cents, 0)
