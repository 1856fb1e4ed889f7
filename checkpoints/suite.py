"""Runs a list of expectations on a query, in an ephemeral context, and says how each one went."""

import os
import re
import warnings
from collections.abc import Sequence
from copy import copy
from typing import Any

from checkpoints.tally import Tally
from warehouse.database import Database, Role
from warehouse.ledger import QualityResult

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
    from great_expectations.expectations import UnexpectedRowsExpectation


class Suites:
    """Runs suites over one connection. Tallies the results of each suite for the Data Docs."""

    def __init__(self, database: Database):
        self.context = gx.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                # without this each context leaves a temporary folder of docs behind
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars={"globally": False, "metric_calculations": False},
                analytics_enabled=False,
            ),
        )
        self._source = self.context.data_sources.add_postgres(
            "warehouse", connection_string=database.url(role=Role.TRANSFORMER, scheme="postgresql+psycopg2")
        )
        self.tallies: dict[str, Tally] = {}

    def run(self, *, checkpoint: str, dataset: str, query: str, expectations: Sequence[Any]) -> list[QualityResult]:
        """Validate the rows of `query`. One result per expectation."""
        name = f"{checkpoint} {dataset}"
        self._forget(name)
        asset = self._source.add_query_asset(name, query=query)
        suite = gx.ExpectationSuite(name=name, expectations=[copy(each) for each in expectations])
        definition = gx.ValidationDefinition(
            name=name, data=asset.add_batch_definition_whole_table(name), suite=self.context.suites.add(suite)
        )
        definition = self.context.validation_definitions.add(definition)
        outcome = definition.run(result_format={"result_format": "SUMMARY"})
        tally = self.tallies.setdefault(name, Tally(checkpoint, dataset))
        results = [_result(checkpoint, dataset, each) for each in outcome.results]
        for result, each in zip(results, outcome.results, strict=True):
            tally.add(result, each.result or {})
        return results

    def close(self) -> None:
        """Give back the connections."""
        self._source.get_engine().dispose()

    def _forget(self, name: str) -> None:
        """Drop the last run of this suite: nothing here grows with the number of runs."""
        if name in self.tallies:
            self.context.validation_definitions.delete(name)
            self.context.suites.delete(name)
            self._source.delete_asset(name)


def failed(results: Sequence[QualityResult], severity: str = "critical") -> list[QualityResult]:
    """The expectations of a severity that were not met."""
    return [result for result in results if not result.success and result.severity == severity]


def _result(checkpoint: str, dataset: str, outcome: Any) -> QualityResult:
    config = outcome.expectation_config
    values = outcome.result or {}
    raised = next(
        (
            str(info["exception_message"])[:500]
            for info in (
                [outcome.exception_info]
                if "raised_exception" in outcome.exception_info
                else outcome.exception_info.values()
            )
            if info.get("raised_exception")
        ),
        None,
    )
    unexpected = values.get("unexpected_count")
    if unexpected is None and config.type == "unexpected_rows_expectation":
        unexpected = values.get("observed_value")
    return QualityResult(
        checkpoint=checkpoint,
        dataset=dataset,
        expectation=config.type,
        column_name=config.kwargs.get("column"),
        severity=str(config.severity.value if hasattr(config.severity, "value") else config.severity),
        success=bool(outcome.success),
        raised=raised,
        checked_count=values.get("element_count"),
        unexpected_count=unexpected,
        description=config.description or config.kwargs.get("description") or config.type,
    )


def rows_that(describe: str, query: str, severity: str = "critical") -> UnexpectedRowsExpectation:
    """No row of `query` may exist; `{batch}` in it is the rows that are validated."""
    if re.search(r"\bjoin\b", query):  # else GX names them itself; before PostgreSQL 16 they have to have a name
        query = query.replace("{batch}", "{batch} as validated")
    return UnexpectedRowsExpectation(unexpected_rows_query=query, description=describe, severity=severity)
