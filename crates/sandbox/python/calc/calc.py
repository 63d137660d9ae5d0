"""Formulas to numbers (contract capa.md 10)."""

import math

from calc import functions
from calc.numbers import plain
from calc.parsing import ParseException, Parser

DEFAULT_FUNCTIONS = {
    "sin": functions.sin, "cos": functions.cos, "tan": functions.tan, "sec": functions.sec,
    "csc": functions.csc, "cot": functions.cot, "sqrt": functions.sqrt, "log10": functions.log10,
    "log2": functions.log2, "ln": functions.ln, "exp": functions.exp, "arccos": functions.arccos,
    "arcsin": functions.arcsin, "arctan": functions.arctan, "arcsec": functions.arcsec,
    "arccsc": functions.arccsc, "arccot": functions.arccot, "abs": functions.absolute,
    "fact": functions.factorial, "factorial": functions.factorial, "sinh": functions.sinh,
    "cosh": functions.cosh, "tanh": functions.tanh, "sech": functions.sech, "csch": functions.csch,
    "coth": functions.coth, "arcsinh": functions.arcsinh, "arccosh": functions.arccosh,
    "arctanh": functions.arctanh, "arcsech": functions.arcsech, "arccsch": functions.arccsch,
    "arccoth": functions.arccoth,
}
DEFAULT_VARIABLES = {"i": 1j, "j": 1j, "e": math.e, "pi": math.pi}


class UndefinedVariable(Exception):
    """A name that is neither a variable nor a function."""


class UnmatchedParenthesis(Exception):
    """Parentheses that do not match."""


def evaluator(variables, functions, math_expr, case_sensitive=False):
    """The value of a formula; a blank one is NaN."""
    if math_expr.strip() == "":
        return float("nan")
    check_parens(math_expr)
    parser = Parser(math_expr)
    fold = str if case_sensitive else str.lower
    known_variables = {fold(k): v for k, v in {**DEFAULT_VARIABLES, **variables}.items()}
    known_functions = {fold(k): v for k, v in {**DEFAULT_FUNCTIONS, **functions}.items()}
    _check_names(parser, known_variables, known_functions, fold, case_sensitive)
    return _value(parser.tree, known_variables, known_functions, fold)


def check_parens(formula_string):
    """Refuses parentheses that do not match."""
    opened = 0
    for index, character in enumerate(formula_string):
        if character == "(":
            opened += 1
        elif character == ")":
            opened -= 1
            if opened < 0:
                raise UnmatchedParenthesis(
                    "Invalid Input: A closing parenthesis was found after segment %s, but there is no "
                    "matching opening parenthesis before it." % formula_string[:index])
    if opened > 0:
        raise UnmatchedParenthesis(
            "Invalid Input: Parentheses are unmatched. %d parentheses were opened but never closed." % opened)


def _check_names(parser, variables, functions, fold, case_sensitive):
    def suggestion(unknown, known):
        if not case_sensitive:
            return ""
        lower = {name.lower() for name in unknown}
        near = sorted(name for name in known if name.lower() in lower)
        return " (did you mean %s?)" % ", ".join(near) if near else ""

    unknown = sorted({name for name in parser.variables if fold(name) not in variables})
    if unknown:
        raise UndefinedVariable(
            "Invalid Input: %s not permitted in answer as a variable%s"
            % (", ".join(unknown), suggestion(unknown, variables)))
    unknown = sorted({name for name in parser.functions if fold(name) not in functions})
    if unknown:
        multiplied = any(fold(name) in variables for name in unknown)
        raise UndefinedVariable(
            "Invalid Input: %s not permitted in answer as a function%s%s"
            % (", ".join(unknown), " (did you forget to use * for multiplication?)" if multiplied else "",
               suggestion(unknown, functions)))


def _value(node, variables, functions, fold):
    def value(inner):
        return _value(inner, variables, functions, fold)

    kind = node[0]
    if kind == "number":
        _, mantissa, exponent, percent = node
        if exponent is None and not percent and "." not in mantissa:
            return int(mantissa)
        number = float(mantissa if exponent is None else "%se%s" % (mantissa, exponent))
        return number * 0.01 if percent else number
    if kind == "variable":
        return variables[fold(node[1])]
    if kind == "call":
        return functions[fold(node[1])](value(node[2]))
    if kind == "group":
        return value(node[1])
    if kind == "power":
        values = [value(part) for part in node[1]]
        result = values.pop()
        while values:
            result = values.pop() ** result
        return result
    if kind == "parallel":
        values = [value(part) for part in node[1]]
        if any(part == 0 for part in values):
            return float("nan")
        return 1.0 / sum(1.0 / part for part in values)
    if kind == "product":
        result = 1
        for operator, factor in [(operator, value(factor)) for operator, factor in node[1]]:
            result = result / factor if operator == "/" else result * factor
        return result
    result = 0
    for sign, term in [(sign, value(term)) for sign, term in node[1]]:
        result = result - term if sign == "-" else result + term
    return result


__all__ = [
    "DEFAULT_FUNCTIONS", "DEFAULT_VARIABLES", "ParseException", "UndefinedVariable", "UnmatchedParenthesis",
    "check_parens", "evaluator", "plain",
]
