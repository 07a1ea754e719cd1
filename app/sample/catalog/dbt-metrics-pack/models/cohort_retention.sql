with starts as (
    select customer_id, min(month) as cohort
    from {{ ref('mrr_monthly') }}
    where mrr_cents > 0
    group by customer_id
),

ages as (
    select
        starts.cohort,
        12 * (extract(year from mrr.month) - extract(year from starts.cohort))
        + extract(month from mrr.month) - extract(month from starts.cohort) as age_months,
        case when mrr.mrr_cents > 0 then 1 else 0 end as is_active,
        mrr.mrr_cents
    from starts
    inner join {{ ref('mrr_monthly') }} as mrr
        on mrr.customer_id = starts.customer_id and mrr.month >= starts.cohort
)

select
    cohort,
    age_months,
    sum(is_active) as active_customers,
    sum(mrr_cents) as mrr_cents
from ages
group by cohort, age_months
