{{ config(materialized='table', unlogged=true) }}
with pending as materialized ({{ pending_payload_ids('carbon_intensity__national') }})

select unpacked.*
from pending
inner join {{ ref('int_carbon_intensity__national_rows') }} as unpacked on pending.payload_id = unpacked.payload_id
