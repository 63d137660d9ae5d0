"""Preferred values of electronic components (contract capa.md 6.1)."""

import math

E6 = (10, 15, 22, 33, 47, 68)
E12 = (10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82)
E24 = (10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91)


def _series(count):
    """The rounded geometric series of the three-digit values."""
    values = [int(10 ** (2 + step / count) + 0.5) for step in range(count)]
    # The standard has 920 where the series would have 919.
    return tuple(920 if value == 919 else value for value in values)


E48 = _series(48)
E96 = _series(96)
E192 = _series(192)


def iseia(r, valid_types=(E6, E12, E24)):
    """Whether a resistance is a value of one of the series, in any decade."""
    try:
        r = float(r)
    except (TypeError, ValueError):
        return False
    if not 0 < r < math.inf:
        return False
    size = r * 10.0 ** (2 - math.floor(math.log10(r)))
    if size >= 999.995:
        size /= 10
    near = (value if value >= 100 else value * 10 for series in valid_types for value in series)
    return any(abs(size - value) < 0.01 for value in near)
