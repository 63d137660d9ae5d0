"""Results of a formula's functions: 64-bit numbers that reckon by the rules of IEEE 754.

Literals and variables are Python's numbers: integers are exact, division by zero is an error. What comes out
of a function divides by zero to infinity, and a fractional power of a negative real is NaN.
"""

import cmath
import math

INF, NAN = math.inf, math.nan
_LOW, _HIGH, _WIDE = -(1 << 63), 1 << 63, 1 << 64


def _wrap(value):
    return (int(value) + _HIGH) % _WIDE - _HIGH


def _is_int(value):
    return isinstance(value, (int, int64))


def _is_complex(value):
    return isinstance(value, complex)


def plain(value):
    """The same value as a number of Python's own."""
    if isinstance(value, float64):
        return float.__pos__(value)
    if isinstance(value, complex128):
        return complex(value.real, value.imag)
    if isinstance(value, int64):
        return value.value
    return value


def divide(a, b):
    """Division of floats without errors."""
    if b:
        return a / b
    if a != a or a == 0 or b != b:
        return NAN
    return math.copysign(INF, a) * math.copysign(1.0, b)


def power(a, b):
    """A power of floats without errors."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -INF if a < 0 and b % 2 == 1 else INF
    except ValueError:
        if a == 0:
            odd = b == math.floor(b) and b % 2 == 1
            return math.copysign(INF, a) if odd else INF
        return NAN


def complex_divide(a, b):
    """Division of complex numbers without errors."""
    if not b:
        size = abs(b.real)
        return complex(divide(a.real, size), divide(a.imag, size))
    if abs(b.real) >= abs(b.imag):
        ratio = b.imag / b.real
        scale = b.real + b.imag * ratio
        return complex(divide(a.real + a.imag * ratio, scale), divide(a.imag - a.real * ratio, scale))
    ratio = b.real / b.imag
    scale = b.imag + b.real * ratio
    return complex(divide(a.real * ratio + a.imag, scale), divide(a.imag * ratio - a.real, scale))


def multiply(a, b):
    """A product of complex numbers as the plain rule has it."""
    return complex(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def _multiply_c99(a, b):
    product = multiply(a, b)
    infinite = [math.isinf(z.real) or math.isinf(z.imag) for z in (a, b)]
    if not (math.isnan(product.real) and math.isnan(product.imag) and any(infinite)):
        return product

    def boxed(z, is_infinite):
        def part(x):
            if is_infinite:
                return math.copysign(1.0 if math.isinf(x) else 0.0, x)
            return math.copysign(0.0, x) if math.isnan(x) else x
        return complex(part(z.real), part(z.imag))

    product = multiply(boxed(a, infinite[0]), boxed(b, infinite[1]))
    return complex(INF * product.real, INF * product.imag)


def _whole_power(base, exponent):
    result, square, left = complex(1.0, 0.0), base, abs(exponent)
    while left:
        if left & 1:
            result = multiply(result, square)
        left >>= 1
        if left:
            square = multiply(square, square)
    return complex_divide(complex(1.0, 0.0), result) if exponent < 0 else result


def complex_power(base, exponent):
    """A power of complex numbers without errors."""
    if not exponent:
        return complex(1.0, 0.0)
    if not base:
        return complex(0.0, 0.0) if exponent.real > 0 else complex(NAN, NAN)
    if exponent.imag == 0 and abs(exponent.real) < 100 and exponent.real == math.trunc(exponent.real):
        return base if exponent.real == 1 else _whole_power(base, int(exponent.real))
    return exponential(_multiply_c99(exponent, logarithm(base)))


def logarithm(z):
    if not z:
        return complex(-INF, math.atan2(z.imag, z.real))
    return cmath.log(z)


def exponential(z):
    try:
        return cmath.exp(z)
    except OverflowError:
        half = math.exp(min(z.real / 2.0, 700.0))
        part = complex(half * math.cos(z.imag), half * math.sin(z.imag))
        return complex(part.real * half, part.imag * half)
    except ValueError:
        return complex(NAN, NAN)


def reckon(operation, a, b):
    """`a operation b`, of which one is a result of a function."""
    whole = [int(x) for x in (a, b) if _is_int(x)]
    if any(not _LOW <= x < _WIDE for x in whole):
        # Too wide for 64 bits: Python's own rules.
        return PYTHON[operation](plain(a), plain(b))
    if len(whole) == 2 and operation != "/" and all(x < _HIGH for x in whole):
        x, y = whole
        if operation == "**":
            if y < 0:
                raise ValueError("Integers to negative integer powers are not allowed.")
            return int64(pow(x, y, _WIDE))
        return int64(PYTHON[operation](x, y))
    if _is_complex(a) or _is_complex(b):
        x, y = (z if _is_complex(z) else complex(float(z), 0.0) for z in (plain(a), plain(b)))
        if operation == "+":
            value = complex(x.real + y.real, x.imag + y.imag)
        elif operation == "-":
            value = complex(x.real - y.real, x.imag - y.imag)
        elif operation == "*":
            value = multiply(x, y)
        elif operation == "/":
            value = complex_divide(x, y)
        else:
            value = complex_power(x, y)
        return complex128(value)
    x, y = float(plain(a)), float(plain(b))
    if operation == "/":
        return float64(divide(x, y))
    if operation == "**":
        return float64(power(x, y))
    return float64(PYTHON[operation](x, y))


PYTHON = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "**": lambda a, b: a ** b,
}


def _operators(cls):
    def add(name, operation):
        def forward(self, other):
            if not isinstance(other, (int, float, complex, int64)):
                return NotImplemented
            return reckon(operation, self, other)

        def backward(self, other, *rest):
            if not isinstance(other, (int, float, complex, int64)):
                return NotImplemented
            if isinstance(self, float64) and type(other) is complex:
                return PYTHON[operation](other, plain(self))
            return reckon(operation, other, self)

        setattr(cls, "__%s__" % name, forward)
        setattr(cls, "__r%s__" % name, backward)

    for name, operation in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("pow", "**")):
        add(name, operation)
    return cls


@_operators
class int64:
    """A 64-bit integer that wraps around. As numpy's, it is no `int`."""

    __slots__ = ("value",)

    def __init__(self, value=0):
        self.value = _wrap(value)

    def __index__(self):
        return self.value

    __int__ = __index__

    def __float__(self):
        return float(self.value)

    def __complex__(self):
        return complex(self.value)

    def __repr__(self):
        return repr(self.value)

    def __format__(self, spec):
        return format(self.value, spec)

    def __hash__(self):
        return hash(self.value)

    def __bool__(self):
        return self.value != 0

    def __eq__(self, other):
        return self.value == plain(other)

    def __lt__(self, other):
        return self.value < plain(other)

    def __le__(self, other):
        return self.value <= plain(other)

    def __gt__(self, other):
        return self.value > plain(other)

    def __ge__(self, other):
        return self.value >= plain(other)

    def __neg__(self):
        return int64(-self.value)

    def __pos__(self):
        return self

    def __abs__(self):
        return int64(abs(self.value))


@_operators
class float64(float):
    """A float out of a function."""

    __slots__ = ()

    def __neg__(self):
        return float64(float.__neg__(self))

    def __pos__(self):
        return self

    def __abs__(self):
        return float64(float.__abs__(self))


@_operators
class complex128(complex):
    """A complex number out of a function."""

    __slots__ = ()

    def __neg__(self):
        return complex128(complex.__neg__(self))

    def __pos__(self):
        return self

    def __abs__(self):
        return float64(math.hypot(self.real, self.imag))
