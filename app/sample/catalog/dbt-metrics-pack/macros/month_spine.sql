{# All first days of a month from the start to today, without any extension. #}
{% macro month_spine(start) %}
    with recursive months as (
        select cast('{{ start }}' as date) as month
        union all
        select cast(month + interval '1 month' as date)
        from months
        where month + interval '1 month' <= current_date
    )
    select month from months
{% endmacro %}
