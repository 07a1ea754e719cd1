with changes as (
    select
        customer_id,
        month,
        mrr_cents,
        coalesce(lag(mrr_cents) over history, 0) as before_cents,
        coalesce(max(mrr_cents) over (history rows between unbounded preceding and 1 preceding), 0) as best_cents
    from {{ ref('mrr_monthly') }}
    window history as (partition by customer_id order by month)
)

select
    customer_id,
    month,
    mrr_cents - before_cents as change_cents,
    case
        when before_cents = 0 and best_cents = 0 then 'new'
        when before_cents = 0 then 'reactivation'
        when mrr_cents = 0 then 'churn'
        when mrr_cents > before_cents then 'expansion'
        else 'contraction'
    end as movement
from changes
where mrr_cents <> before_cents
