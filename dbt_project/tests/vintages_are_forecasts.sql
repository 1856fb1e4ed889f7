-- A vintage is of a half-hour that had not ended when it was known.
select region_id, period_start, known_at
from {{ ref('carbon_intensity_vintages') }}
where known_at > now() - interval '2 days' and period_start + interval '30 minutes' <= known_at
