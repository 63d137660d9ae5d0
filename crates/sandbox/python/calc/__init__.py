"""Formulas: `evaluator` and what it raises (contract capa.md 6.1, 10)."""

from calc.calc import *  # noqa: F401,F403
