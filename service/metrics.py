"""What Prometheus reads at /metrics: requests, their time, submissions, how old and how synthetic the data is, and the grid."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST


class _Grid(Collector):
    """Figures of the grid as they were last read; one that is not known is not there."""

    families: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        """What generate_latest writes."""
        return self.families

    def describe(self) -> Iterable[Metric]:
        """Names are not looked at before there is anything."""
        return ()


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
        self._cut_off = Counter(
            "energy_connections_cut_off",
            "Connections of clients that were cut off, by why.",
            ["why"],
            registry=self._registry,
        )
        self._callbacks = Counter(
            "energy_callbacks",
            "Attempts to deliver a callback, by how they ended.",
            ["outcome"],
            registry=self._registry,
        )
        self._age = Gauge("energy_data_age_seconds", "Age of the newest real forecast.", registry=self._registry)
        self._synthetic_age = Gauge(
            "energy_data_synthetic_age_seconds", "Age of the newest synthetic value.", registry=self._registry
        )
        self._synthetic = Gauge(
            "energy_data_synthetic_ratio", "How much of the forecast is synthetic.", registry=self._registry
        )

        self._grid = _Grid()
        self._registry.register(self._grid)

    def grid(self, families: Sequence[Metric]) -> None:
        """Figures of the grid in place of those before (`service.signals`)."""
        self._grid.families = families

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def cut_off(self, why: str) -> None:
        """A connection was cut off."""
        self._cut_off.labels(why).inc()

    def submitted(self, outcome: str) -> None:
        """A task was taken in."""
        self._submissions.labels(outcome).inc()

    def called_back(self, outcome: str) -> None:
        """A callback was delivered, or failed."""
        self._callbacks.labels(outcome).inc()

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
