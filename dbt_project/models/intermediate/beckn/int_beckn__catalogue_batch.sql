{{ config(materialized='table', unlogged=true, pre_hook=suit_json_unpacking(), post_hook='analyze {{ this }}') }}
-- `= any (array(...))` and not a join: so it is the payloads that are filtered, before any of them is unpacked.
select *
from {{ ref('int_beckn__catalogue_rows') }}
where payload_id = any(array({{ pending_payload_ids('beckn__catalogue') }}))
