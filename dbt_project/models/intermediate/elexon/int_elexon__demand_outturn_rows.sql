{{ believable_demand(ref('stg_elexon__demand_outturn')) }}
