"""Under which licence each source's data comes, and the words that it requires. Files and answers carry them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """The licence of a source's data."""

    name: str
    url: str | None
    attribution: str


_NESO = Licence(
    "NESO Open Data Licence",
    "https://www.neso.energy/data-portal/neso-open-licence",
    "Supported by National Energy SO Open Data",
)
LICENCES: dict[str, Licence] = {
    "carbon_intensity": Licence(
        "CC BY 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        "Carbon Intensity API: NESO, with the Environmental Defense Fund Europe, the University of Oxford and WWF",
    ),
    "neso": _NESO,
    "elexon": Licence(
        "BMRS Data Licence",
        "https://www.elexon.co.uk/data/balancing-mechanism-reporting-agent/copyright-licence-bmrs-data/",
        "Contains BMRS data © Elexon Limited copyright and database right",
    ),
    "beckn": Licence(
        "none stated",
        None,
        "Beckn compute-energy sandbox (a demonstration; its publisher states no licence)",
    ),
    "regions": _NESO,
}
"""By the slug of a source; `regions` are the licence areas of the distribution network operators, which NESO publishes."""
