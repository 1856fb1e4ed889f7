"""Which packages a search finds: words that must all be there, phrases, fields, OR and NOT, as far as Solr's go."""

import re
import shlex

from tests.emulator.neso.catalogue import Package
from tests.emulator.neso.errors import ActionError

_FIELDS = ("name", "title", "notes", "tags", "organization", "res_name", "res_description", "res_format", "id")


def matching(packages: tuple[Package, ...], query: str, narrowed: str = "") -> list[Package]:
    """The packages that satisfy both, best first: those with more words of the query in their title."""
    wanted, needed = _parsed(query), _parsed(narrowed)
    found = [one for one in packages if _satisfies(one, wanted) and _satisfies(one, needed)]
    words = [term.partition(":")[2] or term for group in wanted for term in group]
    return sorted(found, key=lambda one: -sum(_words(word) <= _words(one.title) for word in words if _words(word)))


def _parsed(query: str) -> list[list[str]]:
    """Alternatives, one of which must hold, for each thing that must hold."""
    if query.count("(") != query.count(")"):
        raise _unreadable(query)
    try:
        terms = shlex.split(re.sub(r"[()]", " ", query).replace("'", r"\'"))
    except ValueError:
        raise _unreadable(query) from None
    groups: list[list[str]] = []
    joined = negated = False
    for term in terms:
        if term in ("AND", "&&"):
            continue
        if term in ("OR", "||"):
            joined = True
            continue
        if term == "NOT":
            negated = True
            continue
        if term.endswith(":"):
            raise _unreadable(query)
        term = f"-{term}" if negated else term.removeprefix("+")
        if joined and groups:
            groups[-1].append(term)
        elif term not in ("*:*", "*"):
            groups.append([term])
        joined = negated = False
    return groups


def _unreadable(query: str) -> ActionError:
    return ActionError(400, "Search Query Error", message=f"Search Query is invalid: {query!r}")


def _satisfies(one: Package, groups: list[list[str]]) -> bool:
    return all(any(_holds(one, term) for term in group) for group in groups)


def _holds(one: Package, term: str) -> bool:
    if term.startswith("-"):
        return not _holds(one, term[1:])
    field, _, value = term.rpartition(":")
    texts = _texts(one)
    if field and field not in _FIELDS:
        return False
    where = texts[field] if field else " ".join(texts.values())
    if field in ("name", "id", "organization") and "*" not in value:
        return value.lower() == where.lower()
    if "*" in value:
        pattern = ".*".join(map(re.escape, value.lower().split("*")))
        return any(re.fullmatch(pattern, word) for word in [*re.findall(r"\w+", where.lower()), where.lower()])
    if " " in value:
        return " ".join(re.findall(r"\w+", value.lower())) in " ".join(re.findall(r"\w+", where.lower()))
    return _words(value) <= _words(where)


def _texts(one: Package) -> dict[str, str]:
    return {
        "id": one.id,
        "name": one.name,
        "title": one.title,
        "notes": one.notes,
        "tags": " ".join(one.tags),
        "organization": one.organization,
        "res_name": " ".join(item.name for item in one.resources),
        "res_description": " ".join(item.description for item in one.resources),
        "res_format": " ".join(sorted({item.format for item in one.resources})),
    }


def _words(text: str) -> set[str]:
    """Words without their plural."""
    return {re.sub(r"(?<=\w\w\w)s$", "", word) for word in re.findall(r"[^\W_]+", text.lower())}
