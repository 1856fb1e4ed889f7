"""`python -m pipelines.carbon_intensity`: fetch this source alone."""

from pipelines.carbon_intensity import DATASETS
from pipelines.carbon_intensity.source import carbon_intensity
from pipelines.command import main

if __name__ == "__main__":
    main(carbon_intensity, DATASETS)
