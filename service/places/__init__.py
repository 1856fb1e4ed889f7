"""Which region of the grid a place lies in. Pure lookups in tables that are shipped: no HTTP, no SQL, no clock.

- `place`          a `Place`: the region, why, and how certain that is; `UnknownPlace`, `BadPlace`
- `areas`          latitude and longitude, by the outlines of the licence areas (`licence_areas.geojson`)
- `postcodes`      a postcode or its outward code (`outward_codes.csv`)
- `cloud`          a region of a cloud provider: `aws:eu-west-2` (`cloud_regions.csv`)
- `names`          a city or region by its name (`names.csv`)
- `search`         any of these from one text

`service/where.py` makes parameters of routes of them. Where the tables come from and how good they are:
`docs/decisions/places.md`.
"""
