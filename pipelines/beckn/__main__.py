"""`python -m pipelines.beckn`: fetch this source alone."""

from pipelines.beckn.datasets import DATASETS
from pipelines.beckn.source import beckn
from pipelines.command import main

if __name__ == "__main__":
    main(beckn, DATASETS)
