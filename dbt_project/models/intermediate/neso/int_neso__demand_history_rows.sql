{{ believable_demand(ref('stg_neso__demand_history')) }}
