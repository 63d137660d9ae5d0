"""Grading of crystal planes (contract capa.md 10.2)."""

import json
import math
from fractions import Fraction

_CORNERS = (
    (1.0, 1.0, 1.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0),
    (1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 1.0),
)


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def segment_to_fraction(distance):
    """The reciprocal of an intercept as a simple fraction; a plane along the axis (NaN) has none: 0."""
    if math.isnan(distance):
        return Fraction(0, 1)
    near = Fraction(distance).limit_denominator(10)
    return Fraction(near.denominator, near.numerator)


def sub_miller(segments):
    """Miller indices as `(h,k,l)` from the intercepts on the three axes."""
    fractions = [segment_to_fraction(segment) for segment in segments]
    common = math.lcm(*(fraction.denominator for fraction in fractions))
    return "(%s)" % ",".join(str(int(fraction * common)) for fraction in fractions)


def miller(points):
    """Miller indices of the plane through three points."""
    a, b, c = points[:3]
    u = [x - y for x, y in zip(b, a)]
    v = [x - y for x, y in zip(c, a)]
    normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]

    def intercepts(origin, signs):
        reach = _dot([x - y for x, y in zip(a, origin)], normal)
        return [sign * reach / part if part != 0 else math.nan for sign, part in zip(signs, normal)]

    segments = intercepts((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    if any(segment == 0 for segment in segments):
        # The plane goes through the origin: the indices are taken from another corner of the cell.
        corner = next((corner for corner in _CORNERS if _dot(corner, normal) != 0), _CORNERS[0])
        segments = intercepts(corner, (1.0, 1.0, 1.0))
    return sub_miller(segments)


def _negative(text):
    """The same plane with all signs turned."""
    parts = [part.strip() for part in text.strip("() ").split(",")]
    turned = [part[1:] if part.startswith("-") else part if part in ("", "0") else "-" + part for part in parts]
    return "(%s)" % ",".join(turned)


def _rounded(point):
    return [math.floor(float(coordinate) * 20 + 0.5) / 20 for coordinate in point]


def grade(user_input, correct_answer):
    """Whether the plane through the learner's points, and the lattice, are those of the right answer.

    `user_input` is JSON {"lattice", "points": [[x, y, z], ...]}, `correct_answer` {"lattice", "miller"}.
    """
    answer = json.loads(user_input)
    if answer["lattice"] != correct_answer["lattice"]:
        return False
    points = [_rounded(point) for point in answer["points"]]
    if len(points) < 3:
        return False
    right = correct_answer["miller"].replace(" ", "")
    return miller(points) in (right, _negative(right))
