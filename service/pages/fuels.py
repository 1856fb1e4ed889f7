"""The nine fuels of the mix, in the order in which they are stacked: what emits least first."""

FUELS = (
    ("wind", "Wind"),
    ("solar", "Solar"),
    ("hydro", "Hydro"),
    ("nuclear", "Nuclear"),
    ("biomass", "Biomass"),
    ("imports", "Imports"),
    ("other", "Other"),
    ("gas", "Gas"),
    ("coal", "Coal"),
)
"""(name in columns and class of its colour, name for a person)"""
