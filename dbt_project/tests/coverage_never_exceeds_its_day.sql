-- A day has no more half-hours than it has: more would mean that a key let a half-hour in twice.
select *
from {{ ref('data_coverage') }}
where half_hours_present > half_hours_expected or half_hours_real + half_hours_synthetic <> half_hours_present
