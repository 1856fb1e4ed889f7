"""A line in which every address has its turn: whoever sends much waits behind itself, not before the others."""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Line(Generic[Item]):
    """What waits, by address; taken from each address in turn."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()

    def put(self, address: str, item: Item) -> None:
        """Wait."""
        self._waiting.setdefault(address, deque()).append(item)

    def take(self, most: int) -> list[Item]:
        """Up to so many, the longest waiting of each address first; an address that had its turn comes last next time."""
        taken: list[Item] = []
        while self._waiting and len(taken) < most:
            address, items = self._waiting.popitem(last=False)
            taken.append(items.popleft())
            if items:
                self._waiting[address] = items
        return taken
