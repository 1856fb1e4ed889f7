"""`python -m pipelines.elexon`: fetch this source alone."""

from pipelines.command import main
from pipelines.elexon import DATASETS
from pipelines.elexon.source import elexon

if __name__ == "__main__":
    main(elexon, DATASETS)
