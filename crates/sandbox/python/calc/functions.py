"""The calculator's functions (contract capa.md 10)."""

import cmath
import math

from calc.numbers import (
    INF, NAN, complex128, complex_divide, divide, exponential, float64, int64, logarithm, plain,
)


def _quiet(function, above=INF):
    """A real function that is NaN outside its domain and infinite where it overflows."""
    def call(x):
        try:
            return function(x)
        except OverflowError:
            return above(x) if callable(above) else above
        except ValueError:
            return NAN
    return call


def _quiet_complex(function):
    def call(z):
        try:
            return function(z)
        except (OverflowError, ValueError, ZeroDivisionError):
            return complex(NAN, NAN)
    return call


def _narrow(value):
    """Whether an integer fits a 64-bit word, with or without a sign."""
    return -(1 << 63) <= value < 1 << 64


def _map(argument, on_real, on_complex):
    if isinstance(argument, complex):
        return complex128(on_complex(plain(argument)))
    if isinstance(argument, int) and not _narrow(argument):
        raise TypeError("loop of ufunc does not support argument 0 of type int")
    if not isinstance(argument, (int, float, int64)):
        raise TypeError("bad operand type: %r" % type(argument).__name__)
    return float64(on_real(float(argument)))


def _widen(argument, outside, on_real, on_complex):
    """As `_map`, but complex where the argument is outside the real domain."""
    if not isinstance(argument, complex):
        if isinstance(argument, int) and not -(1 << 63) <= argument < 1 << 63:
            leaves = outside(-INF if argument < 0 else INF)
        else:
            leaves = outside(float(argument))
        if leaves:
            return complex128(on_complex(complex(float(argument), 0.0)))
    return _map(argument, on_real, on_complex)


def _below_zero(x):
    return x < 0


def _beyond_one(x):
    return abs(x) > 1


def _log_real(function):
    def call(x):
        if x == 0:
            return -INF
        return _quiet(function)(x)
    return call


def _trigonometric(function):
    return _quiet(function, NAN)


def _signed(x):
    return math.copysign(INF, x)


def _atanh_real(x):
    if abs(x) == 1:
        return math.copysign(INF, x)
    return _quiet(math.atanh)(x)


def _overflowing(function):
    """Hyperbolic and circular functions of large complex numbers."""
    def call(z):
        try:
            return function(z)
        except OverflowError:
            half = complex(z.real / 2, z.imag / 2)
            try:
                part = function(half)
            except (OverflowError, ValueError):
                return complex(NAN, NAN)
            return complex(math.copysign(INF, part.real), math.copysign(INF, part.imag))
        except ValueError:
            return complex(NAN, NAN)
    return call


def sin(x):
    return _map(x, _trigonometric(math.sin), _overflowing(cmath.sin))


def cos(x):
    return _map(x, _trigonometric(math.cos), _overflowing(cmath.cos))


def tan(x):
    return _map(x, _trigonometric(math.tan), _quiet_complex(cmath.tan))


def sinh(x):
    return _map(x, _quiet(math.sinh, _signed), _overflowing(cmath.sinh))


def cosh(x):
    return _map(x, _quiet(math.cosh), _overflowing(cmath.cosh))


def tanh(x):
    return _map(x, math.tanh, _quiet_complex(cmath.tanh))


def exp(x):
    return _map(x, _quiet(math.exp), exponential)


def arctan(x):
    return _map(x, math.atan, _atan)


def _atan(z):
    if z.real == 0 and abs(z.imag) == 1:
        return complex(0.0, math.copysign(INF, z.imag))
    return _quiet_complex(cmath.atan)(z)


def _atanh(z):
    if z.imag == 0 and abs(z.real) == 1:
        return complex(math.copysign(INF, z.real), 0.0)
    return _quiet_complex(cmath.atanh)(z)


def arcsinh(x):
    return _map(x, math.asinh, _quiet_complex(cmath.asinh))


def arccosh(x):
    return _map(x, _quiet(math.acosh), _quiet_complex(cmath.acosh))


def sqrt(x):
    return _widen(x, _below_zero, _quiet(math.sqrt), _quiet_complex(cmath.sqrt))


def ln(x):
    return _widen(x, _below_zero, _log_real(math.log), logarithm)


def log10(x):
    return _widen(x, _below_zero, _log_real(math.log10), lambda z: _scale(z, math.log10(math.e)))


def log2(x):
    return _widen(x, _below_zero, _log_real(math.log2), lambda z: _scale(z, 1.0 / math.log(2.0)))


def _scale(z, factor):
    z = logarithm(z)
    return complex(z.real * factor, z.imag * factor)


def arcsin(x):
    return _widen(x, _beyond_one, _quiet(math.asin), _quiet_complex(cmath.asin))


def arccos(x):
    return _widen(x, _beyond_one, _quiet(math.acos), _quiet_complex(cmath.acos))


def arctanh(x):
    return _widen(x, _beyond_one, _atanh_real, _atanh)


def sec(x):
    return 1 / cos(x)


def csc(x):
    return 1 / sin(x)


def cot(x):
    return 1 / tan(x)


def sech(x):
    return 1 / cosh(x)


def csch(x):
    return 1 / sinh(x)


def coth(x):
    return 1 / tanh(x)


def arcsec(x):
    return _map(1.0 / x, _quiet(math.acos), _quiet_complex(cmath.acos))


def arccsc(x):
    return _map(1.0 / x, _quiet(math.asin), _quiet_complex(cmath.asin))


def arcsech(x):
    return _map(1.0 / x, _quiet(math.acosh), _quiet_complex(cmath.acosh))


def arccsch(x):
    return _map(1.0 / x, math.asinh, _quiet_complex(cmath.asinh))


def arccoth(x):
    return _map(1.0 / x, _atanh_real, _atanh)


def arccot(x):
    """Between -pi/2 and pi/2, on the side of the argument's sign."""
    part = x.real if isinstance(x, complex) else x
    return (-math.pi / 2 if part < 0 else math.pi / 2) - arctan(x)


def absolute(x):
    if isinstance(x, int):
        size = abs(x)
        if size < 1 << 63:
            return int64(size)
        return float64(size) if size < 1 << 64 else size
    if isinstance(x, complex):
        return float64(math.hypot(x.real, x.imag))
    if isinstance(x, float):
        return float64(abs(float(x)))
    return abs(x)


def factorial(x):
    if not isinstance(x, (int, int64)):
        raise TypeError("%r object cannot be interpreted as an integer" % type(x).__name__)
    whole = int(x)
    if whole < 0:
        raise ValueError("factorial() not defined for negative values")
    if whole > 5000:
        raise OverflowError("factorial() argument should not exceed 5000")
    return math.factorial(whole)
