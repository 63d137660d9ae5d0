"""The grammar of formulas (contract capa.md 10), as tuples.

("number", mantissa, exponent or None, percent), ("variable", name), ("call", name, argument),
("group", inner), ("power", parts), ("parallel", parts), ("product", [(operator, factor)]),
("sum", [(sign or "", term)]).
"""

import re

MAX_LENGTH = 16 * 1024
MAX_DEPTH = 100

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"([+-]?)[ \t\n\r]*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_EXPONENT = re.compile(r"[ \t\n\r]*[eE][ \t\n\r]*([+-]?)[ \t\n\r]*([0-9]+)")
_TENSOR = re.compile(r"[a-zA-Z][a-zA-Z0-9]*(?:_\{[a-zA-Z0-9]+\}(?:\^\{[a-zA-Z0-9]+\})?|\^\{[a-zA-Z0-9]+\})'*")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*'*")


class ParseException(Exception):
    """The text is no formula."""


class Parser:
    """Reads one formula; `variables` and `functions` are the names used, in order."""

    def __init__(self, text):
        if len(text.encode("utf-8", "replace")) > MAX_LENGTH:
            raise ParseException("the formula is too long")
        self.text = text
        self.at = 0
        self.depth = 0
        self.variables = []
        self.functions = []
        self.tree = self.sum()
        self.space()
        if self.at < len(text):
            self.fail()

    def fail(self):
        raise ParseException("Expected end of text, found %r  (at char %d)" % (self.text[self.at:][:10], self.at))

    def space(self):
        self.at = _SPACE.match(self.text, self.at).end()

    def take(self, wanted):
        """One of the wanted characters, after white space."""
        at = _SPACE.match(self.text, self.at).end()
        found = self.text[at:at + 1]
        if found and found in wanted:
            self.at = at + 1
            return found
        return ""

    def sum(self):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise RecursionError("maximum recursion depth exceeded")
        terms = [(self.take("+-"), self.product())]
        while True:
            sign = self.take("+-")
            if not sign:
                break
            terms.append((sign, self.product()))
        self.depth -= 1
        return "sum", terms

    def product(self):
        factors = [("*", self.parallel())]
        while True:
            operator = self.take("*/")
            if not operator:
                return "product", factors
            factors.append((operator, self.parallel()))

    def parallel(self):
        parts = [self.power()]
        while True:
            at = _SPACE.match(self.text, self.at).end()
            if not self.text.startswith("||", at):
                return parts[0] if len(parts) == 1 else ("parallel", parts)
            self.at = at + 2
            parts.append(self.power())

    def power(self):
        parts = [self.atom()]
        while self.take("^"):
            parts.append(self.atom())
        return parts[0] if len(parts) == 1 else ("power", parts)

    def atom(self):
        self.space()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            exponent = _EXPONENT.match(self.text, self.at)
            if exponent:
                self.at = exponent.end()
                exponent = exponent.group(1) + exponent.group(2)
            return "number", number.group(1) + number.group(2), exponent, bool(self.take("%"))
        if self.take("("):
            return "group", self.closed()
        tensor = _TENSOR.match(self.text, self.at)
        if tensor:
            self.at = tensor.end()
            self.variables.append(tensor.group())
            return "variable", tensor.group()
        name = _NAME.match(self.text, self.at)
        if not name:
            self.fail()
        self.at = name.end()
        name = name.group()
        if self.take("("):
            argument = self.closed()
            self.functions.append(name)
            return "call", name, argument
        self.variables.append(name)
        return "variable", name

    def closed(self):
        inner = self.sum()
        if not self.take(")"):
            self.fail()
        return inner
