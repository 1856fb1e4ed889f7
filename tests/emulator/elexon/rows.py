"""Prices and outturns as of an instant: recorded where a recording speaks for them, else generated."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.emulator.elexon import generated
from tests.emulator.elexon.printed import Row
from tests.emulator.elexon.recorded import Recorded
from tests.emulator.elexon.settlement import DAY, FIRST, HALF_HOUR, between, half_hours, iso, settled
from tests.emulator.elexon.working_days import next_working_day

PROVIDERS = ("APXMIDP", "N2EXMIDP")
SETTLED_AFTER = timedelta(minutes=15)
LATER_RUN_AFTER = 25 * DAY
CREATED_AFTER = timedelta(minutes=14, seconds=34)


class Rows:
    """The rows of each kind."""

    def __init__(self, recorded: Recorded, now: Callable[[], datetime]):
        self._recorded = recorded
        self._now = now

    def market_index(self, first: datetime, last: datetime, providers: list[str]) -> list[Row]:
        """The half-hours that start in [first, last] and have ended, the latest first."""
        wanted = {provider.upper() for provider in providers} or set(PROVIDERS)
        rows = []
        for start in reversed(between(first, min(last, self._now() - HALF_HOUR))):
            for provider in PROVIDERS:
                price = self._price(start) if provider == "APXMIDP" else self._placeholder(start)
                if provider in wanted and price:
                    day, period = settled(start)
                    rows.append(
                        {
                            "startTime": iso(start),
                            "dataProvider": provider,
                            "settlementDate": day.isoformat(),
                            "settlementPeriod": period,
                            "price": price[0],
                            "volume": price[1],
                        }
                    )
        return rows

    def system_prices(self, day: date) -> list[Row]:
        """The periods of a settlement day that ended a quarter of an hour ago or more."""
        known = self._now() - SETTLED_AFTER - HALF_HOUR
        return [self._system_price(start) for start in half_hours(day) if FIRST <= start <= known]

    def demand(self, first: datetime, last: datetime) -> list[Row]:
        """The outturns of the half-hours that start in [first, last] and have ended."""
        rows = []
        for start in between(first, min(last, self._now() - HALF_HOUR)):
            values = self.megawatts(start)
            if values:
                day, period = settled(start)
                rows.append(
                    {
                        "publishTime": iso(start + HALF_HOUR),
                        "startTime": iso(start),
                        "settlementDate": day.isoformat(),
                        "settlementPeriod": period,
                        "initialDemandOutturn": values[0],
                        "initialTransmissionSystemDemandOutturn": values[1],
                    }
                )
        return rows

    def megawatts(self, start: datetime) -> tuple[int | None, int | None] | None:
        """(national demand, transmission system demand) of a half-hour, past or to come."""
        if self._recorded.demand.covers(start):
            return self._recorded.demand.values.get(start)
        return generated.demand(start)

    def _price(self, start: datetime) -> tuple[Decimal, Decimal] | None:
        if self._recorded.market_index.covers(start):
            return self._recorded.market_index.values.get(start)
        return None if start in generated.MISSING_PRICES else generated.market_index(start)

    def _placeholder(self, start: datetime) -> tuple[Decimal, Decimal] | None:
        return None if start in generated.MISSING_PRICES else generated.NOTHING

    def _system_price(self, start: datetime) -> Row:
        """A row of the latest run: the indicative one, then that of the next working day, then one of some weeks later."""
        day, period = settled(start)
        first = start + HALF_HOUR + CREATED_AFTER
        runs = {"indicative": first, "next": first + (next_working_day(day) - day), "": first + LATER_RUN_AFTER}
        run, created = [(run, at) for run, at in runs.items() if run == "indicative" or at <= self._now()][-1]
        price, volume = generated.imbalance(start, run)
        recorded = self._recorded.system_prices.values.get(start)
        sell, buy, net = recorded or (price, price, volume)
        offers = round(max(float(net), 0) + 350 + 250 * generated.noise("offers", start), 5)
        adjusted = (
            float(round(60 * generated.noise("adjusted", start))) if generated.noise("bought", start) > 0 else 0.0
        )
        bids = round(float(net) - offers - adjusted, 5)
        return {
            "settlementDate": day.isoformat(),
            "settlementPeriod": period,
            "startTime": iso(start),
            "createdDateTime": iso(created),
            "systemSellPrice": sell,
            "systemBuyPrice": buy,
            "bsadDefaulted": False,
            "priceDerivationCode": "P" if net > 0 else "N",
            "reserveScarcityPrice": 0.0,
            "netImbalanceVolume": net,
            "sellPriceAdjustment": 0.0,
            "buyPriceAdjustment": 0.0,
            "replacementPrice": None,
            "replacementPriceReferenceVolume": None,
            "totalAcceptedOfferVolume": offers,
            "totalAcceptedBidVolume": bids,
            "totalAdjustmentSellVolume": min(adjusted, 0.0),
            "totalAdjustmentBuyVolume": max(adjusted, 0.0),
            "totalSystemTaggedAcceptedOfferVolume": offers,
            "totalSystemTaggedAcceptedBidVolume": round(bids + 1, 5),
            "totalSystemTaggedAdjustmentSellVolume": adjusted if adjusted < 0 else None,
            "totalSystemTaggedAdjustmentBuyVolume": adjusted if adjusted > 0 else None,
        }
