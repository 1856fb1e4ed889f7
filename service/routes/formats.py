"""Which form of a response a client wants: its `format` parameter, else its Accept header, else JSON."""

from service.problems import Problem
from service.series.files import MEDIA_TYPES, Format


def wanted(format: Format | None, accept: str | None) -> Format:
    """The form. Raises Problem 406 if Accept names only others."""
    if format is not None:
        return format
    if not accept or not accept.strip():
        return "json"
    best: tuple[float, Format] | None = None
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        form = _form(media)
        if form is not None and quality > 0 and (best is None or quality > best[0]):
            best = (quality, form)
    if best is None:
        raise Problem(406, f"header.accept: this route gives {', '.join(MEDIA_TYPES.values())}")
    return best[1]


def _form(media: str) -> Format | None:
    if media in ("*/*", "application/*"):
        return "json"
    if media == "text/*":
        return "csv"
    return next((form for form, known in MEDIA_TYPES.items() if known == media), None)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
