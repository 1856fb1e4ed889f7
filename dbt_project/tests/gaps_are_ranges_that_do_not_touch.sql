-- A range is listed once, and two ranges of a dataset have a day without a gap between them.
select earlier.dataset, earlier.first_day
from {{ ref('data_gaps') }} as earlier
inner join {{ ref('data_gaps') }} as later
    on earlier.dataset = later.dataset
where later.first_day between earlier.first_day and earlier.last_day + 1
    and (earlier.first_day, earlier.last_day) is distinct from (later.first_day, later.last_day)
union all
select dataset, first_day from {{ ref('data_gaps') }} group by dataset, first_day having count(*) > 1
