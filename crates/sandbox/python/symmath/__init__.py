"""Symbolic answers (contract capa.md 3.9)."""

from symmath.formula import Formula, formula, my_evalf, my_sympify, to_latex  # noqa: F401
from symmath.symmath_check import (  # noqa: F401
    is_within_tolerance, make_error_message, symmath_check, symmath_check_simple,
)
