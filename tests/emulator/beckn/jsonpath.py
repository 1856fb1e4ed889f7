"""Filter expressions as the catalogue service takes them: JSONPath, but for names with bare colons.

`$[?(@.beckn:itemAttributes.beckn:gridParameters.renewableMix >= 30)]`. A comparison holds if it holds for any value
that its path reaches; a path through a list goes on through each of its elements; a path that reaches nothing, or
something of another type, meets no comparison.
"""

import re
from collections.abc import Callable
from typing import Any

from tests.emulator.beckn.reach import SIGNS, meets, reached, text_of, value_of

Test = Callable[[Any], bool]
Values = Callable[[Any], list[Any]]
_STEPS = r"""(?:\.{1,2}[\w:*-]+|\[(?:\*|\d+|'[^']*'|"[^"]*")\])*"""
_WHOLE = re.compile(rf"\s*\${_STEPS}\s*(?:\.{{0,2}}\[\s*\?(?P<filter>.*)\]\s*)?", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<name>[^\W\d][\w:-]*)|(?P<sign>&&|\|\||[=!<>]=|[<>!()\[\],.@*]))"""
)


class BadExpression(ValueError):
    """Nothing that can be read as a filter."""


def compiled(expression: str) -> Test:
    """Whether an item meets the expression; one without a filter is met by all."""
    whole = _WHOLE.fullmatch(expression)
    if whole is None:
        raise BadExpression(expression)
    if whole["filter"] is None:
        return lambda item: True
    try:
        return _Parser(whole["filter"]).parse()
    except BadExpression:
        raise
    except (RecursionError, ValueError):
        raise BadExpression("nested too deeply, or a number too long") from None


class _Parser:
    def __init__(self, text: str):
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadExpression(text[at:])
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        self._next = 0

    def parse(self) -> Test:
        test = self._either()
        if self._next < len(self._tokens):
            raise BadExpression(self._tokens[self._next][1])
        return test

    def _take(self, *signs: str) -> str | None:
        """The next token if it is one of these."""
        if self._next < len(self._tokens):
            kind, token = self._tokens[self._next]
            if kind in ("sign", "name") and token in signs:
                self._next += 1
                return token
        return None

    def _must(self, sign: str) -> None:
        if not self._take(sign):
            raise BadExpression(f"expected {sign}")

    def _literal(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise BadExpression("ends too soon")
        self._next += 1
        return self._tokens[self._next - 1]

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda item: any(test(item) for test in tests)

    def _both(self) -> Test:
        tests = [self._single()]
        while self._take("&&"):
            tests.append(self._single())
        return tests[0] if len(tests) == 1 else lambda item: all(test(item) for test in tests)

    def _single(self) -> Test:
        if self._take("!"):
            denied = self._single()
            return lambda item: not denied(item)
        if self._take("("):
            test = self._either()
            self._must(")")
            return test
        return self._comparison()

    def _comparison(self) -> Test:
        left = self._operand()
        if self._take("in"):
            listed = self._list()
            return lambda item: any(meets("==", a, b) for a in left(item) for b in listed)
        sign = self._take(*SIGNS)
        if sign is None:
            return lambda item: bool(left(item))
        right = self._operand()
        return lambda item: any(meets(sign, a, b) for a in left(item) for b in right(item))

    def _operand(self) -> Values:
        if self._take("@"):
            return self._path()
        value = self._value()
        return lambda item: [value]

    def _value(self) -> Any:
        kind, token = self._literal()
        try:
            return value_of(kind, token)
        except KeyError:
            raise BadExpression(token) from None

    def _list(self) -> list[Any]:
        self._must("[")
        values = []
        while not self._take("]"):
            values.append(self._value())
            if not self._take(","):
                self._must("]")
                break
        return values

    def _path(self) -> Values:
        steps: list[str | int] = []
        while sign := self._take(".", "["):
            kind, token = self._literal()
            if kind == "number" and sign == "[" and token.lstrip("-").isdigit():
                steps.append(int(token))
            elif kind == ("name" if sign == "." else "text") or token == "*":
                steps.append(text_of(token) if kind == "text" else token)
            else:
                raise BadExpression(token)
            if sign == "[":
                self._must("]")
        return lambda item: reached([item], steps)
