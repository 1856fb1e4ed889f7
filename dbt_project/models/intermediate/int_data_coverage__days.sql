{%- set tables = covered_tables() -%}
{%- for table in tables %}{% do ref(table) %}{% endfor -%}
{{ config(
    materialized='keyed_table',
    unique_key=['dataset', 'settlement_date'],
    meta={'replaces': true, 'follows': tables},
) }}
-- Only the days that a new payload covers are counted again, so the cost does not grow with history.
{%- for part in coverage_parts(tables) %}
{%- if part.value %}
select
    '{{ part.dataset }}'::text as dataset,
    day.settlement_date,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ part.values_per_half_hour }}
    )::smallint as half_hours_present,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ part.values_per_half_hour }} and half_hour.values_synthetic = 0
    )::smallint as half_hours_real,
    count(half_hour.period_start) filter (
        where half_hour.values_present = {{ part.values_per_half_hour }} and half_hour.values_synthetic > 0
    )::smallint as half_hours_synthetic,
    coalesce(sum(half_hour.rows), 0)::integer as row_count,
    coalesce(sum(half_hour.rows_synthetic), 0)::integer as row_count_synthetic,
    now() as updated_at
from ({{ days_spoken_of(part.datasets) }}) as day
left join lateral (
    select
        period_start,
        count(*) as rows,
        count(*) filter (where is_synthetic) as rows_synthetic,
        count({{ part.value }}) as values_present,
        count({{ part.value }}) filter (where is_synthetic) as values_synthetic
    from {{ ref(part.table) }}
    where period_start >= {{ settlement_day_start('day.settlement_date') }}
        and period_start < {{ settlement_day_start('day.settlement_date + 1') }}
        and {{ part.rows }}
    group by period_start
) as half_hour on true
group by day.settlement_date
{%- else %}
-- events, not half-hours: their rows are counted, and none is ever missing
select
    '{{ part.dataset }}'::text as dataset, day.settlement_date, 0::smallint as half_hours_present, 0::smallint as half_hours_real,
    0::smallint as half_hours_synthetic, coalesce(event.rows, 0)::integer as row_count,
    coalesce(event.rows_synthetic, 0)::integer as row_count_synthetic, now() as updated_at
from ({{ days_spoken_of(part.datasets) }}) as day
left join lateral (
    select count(*) as rows, count(*) filter (where is_synthetic) as rows_synthetic
    from {{ ref(part.table) }}
    where {{ part.starts }} >= {{ settlement_day_start('day.settlement_date') }}
        and {{ part.starts }} < {{ settlement_day_start('day.settlement_date + 1') }}
) as event on true
{%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
