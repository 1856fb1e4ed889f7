"""Numbers in digits and in words: "1,250.5", "forty-eight", "two hundred and fifty", "one point five"."""

import re

_ONES = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_VALUES = {**_ONES, **_TEENS, **_TENS, "a": 1, "an": 1}
_SCALES = {"hundred": 100, "thousand": 1000}

_ONE = "|".join(_ONES)
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[-\s](?:{_ONE})\b)?|(?:{'|'.join([*_TEENS, *_ONES])})\b)"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|an?)\s+hundred(?:\s+(?:and\s+)?{_BELOW_100})?|{_BELOW_100})"
_MILLION = ("million", "billion", "dozen")
_ENDS_ONE = (
    *_ONES,
    *_TEENS,
    *_TENS,
    *_SCALES,
    *_MILLION,
    "point",
    *(rf"{word}\sand" for word in (*_SCALES, "million")),
)
# not the end of a longer number, nor the beginning of one: of "two million and six" nothing is read
_NOT_BEHIND = "".join(rf"(?<!\b{word}\s)" for word in _ENDS_ONE)
SPELT = (
    rf"(?:(?=[aefnost]){_NOT_BEHIND}(?:(?:{_BELOW_1000}|a)\s+thousand(?:\s+(?:and\s+)?{_BELOW_1000})?|{_BELOW_1000})"
    rf"(?:\s+point(?:\s+(?:{_ONE}|zero)\b)+)?\b(?!\s+(?:{'|'.join((*_SCALES, *_MILLION))}|point)\b))"
)
DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?:\.[0-9]{1,6})?"
NUMBER = rf"(?:{DIGITS}|{SPELT})"


def number(text: str) -> float:
    """The number that these digits or words stand for."""
    if text[0].isdigit():
        return float(text.replace(",", ""))
    whole, _, decimals = text.lower().partition("point")
    total = part = 0
    for word in re.findall("[a-z]+", whole):
        if word == "thousand":
            total, part = total + part * 1000, 0
        elif word == "hundred":
            part *= 100
        else:
            part += _VALUES.get(word, 0)  # "and" adds nothing
    digits = "".join(str(_ONES.get(word, 0)) for word in decimals.split())
    return float(f"{total + part}.{digits or 0}")
