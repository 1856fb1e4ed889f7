"""What Prometheus reads at /metrics: requests, their time, submissions, and how old and how synthetic the data is."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The figures of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "energy_requests", "Requests by route and status.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "energy_request_seconds",
            "Time to answer.",
            ["route"],
            registry=self._registry,
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )
        self._submissions = Counter(
            "energy_submissions", "Tasks by what became of them.", ["outcome"], registry=self._registry
        )
        self._age = Gauge("energy_data_age_seconds", "Age of the newest real forecast.", registry=self._registry)
        self._synthetic_age = Gauge(
            "energy_data_synthetic_age_seconds", "Age of the newest synthetic value.", registry=self._registry
        )
        self._synthetic = Gauge(
            "energy_data_synthetic_ratio", "How much of the forecast is synthetic.", registry=self._registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def submitted(self, outcome: str) -> None:
        """A task was taken in."""
        self._submissions.labels(outcome).inc()

    def data(
        self, age_seconds: float | None, synthetic_share: float | None, synthetic_age_seconds: float | None
    ) -> None:
        """Age of the newest real forecast, share and age of what is synthetic; NaN if there is none."""
        self._age.set(float("nan") if age_seconds is None else age_seconds)
        self._synthetic_age.set(float("nan") if synthetic_age_seconds is None else synthetic_age_seconds)
        self._synthetic.set(float("nan") if synthetic_share is None else synthetic_share)

    def text(self) -> bytes:
        """In Prometheus' own format."""
        return generate_latest(self._registry)
