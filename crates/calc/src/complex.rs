//! Complex arithmetic and functions with the branch cuts and the accuracy of C99's library.
//!
//! The inverse functions use Kahan's formulas ("Branch Cuts for Complex Elementary Functions"), which
//! keep both parts accurate near the cuts.

use std::f64::consts::{FRAC_PI_2, LN_2};

/// A complex number of two doubles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// Beyond this, squares of parts would overflow.
const LARGE: f64 = f64::MAX / 4.0;
/// Below its square root a part no longer matters beside one.
const SQRT_SMALL: f64 = 1.5e-154;
/// `exp` of more than this is near overflow.
const EXP_LIMIT: f64 = 709.0;

impl Complex {
    /// One.
    pub const ONE: Self = Self { re: 1.0, im: 0.0 };

    /// `re + im·i`.
    #[must_use]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// Distance from zero.
    #[must_use]
    pub fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.re == 0.0 && self.im == 0.0
    }

    pub(crate) fn add(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }

    pub(crate) fn sub(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }

    /// The plain product: infinities are not recovered, as in the reference.
    pub(crate) fn mul(self, other: Self) -> Self {
        Self::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }

    /// The product of C99, where an infinite factor is not lost in NaN.
    pub(crate) fn mul_c99(self, other: Self) -> Self {
        let plain = self.mul(other);
        let infinite = |z: Self| z.re.is_infinite() || z.im.is_infinite();
        if !(plain.re.is_nan() && plain.im.is_nan() && (infinite(self) || infinite(other))) {
            return plain;
        }
        // Infinities count as units, and NaN beside them or opposite to them as zero.
        let unit = |part: f64| f64::from(u8::from(part.is_infinite())).copysign(part);
        let known = |part: f64| {
            if part.is_nan() {
                0.0_f64.copysign(part)
            } else {
                part
            }
        };
        let boxed = |z: Self| {
            if infinite(z) {
                Self::new(unit(z.re), unit(z.im))
            } else {
                Self::new(known(z.re), known(z.im))
            }
        };
        let product = boxed(self).mul(boxed(other));
        Self::new(f64::INFINITY * product.re, f64::INFINITY * product.im)
    }

    /// Smith's quotient; a zero divisor gives infinities and NaN.
    pub(crate) fn div(self, other: Self) -> Self {
        if other.re.abs() >= other.im.abs() {
            if other.is_zero() {
                return Self::new(self.re / other.re.abs(), self.im / other.re.abs());
            }
            let ratio = other.im / other.re;
            let scale = other.re + other.im * ratio;
            Self::new(
                (self.re + self.im * ratio) / scale,
                (self.im - self.re * ratio) / scale,
            )
        } else {
            let ratio = other.re / other.im;
            let scale = other.im + other.re * ratio;
            Self::new(
                (self.re * ratio + self.im) / scale,
                (self.im * ratio - self.re) / scale,
            )
        }
    }

    fn neg(self) -> Self {
        Self::new(-self.re, -self.im)
    }

    /// `self` to a whole power, by repeated squaring.
    pub(crate) fn pow_int(self, exponent: i32) -> Self {
        let mut result = Self::ONE;
        let mut square = self;
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left & 1 == 1 {
                result = result.mul(square);
            }
            left >>= 1;
            if left > 0 {
                square = square.mul(square);
            }
        }
        if exponent < 0 {
            Self::ONE.div(result)
        } else {
            result
        }
    }

    /// `self` to a complex power through polar form; nothing when the angle is infinite. Neither
    /// number is zero.
    pub(crate) fn pow_polar(self, exponent: Self) -> Option<Self> {
        let size = self.abs();
        let angle = self.im.atan2(self.re);
        let mut length = size.powf(exponent.re);
        let mut phase = angle * exponent.re;
        if exponent.im != 0.0 {
            length *= (-angle * exponent.im).exp();
            phase += exponent.im * size.ln();
        }
        if phase.is_infinite() {
            return None;
        }
        Some(Self::new(length * phase.cos(), length * phase.sin()))
    }

    pub(crate) fn sqrt(self) -> Self {
        let (re, im) = (self.re, self.im);
        if im.is_infinite() {
            return Self::new(f64::INFINITY, im);
        }
        if re.is_nan() {
            return Self::new(f64::NAN, f64::NAN);
        }
        if re.is_infinite() {
            return if re < 0.0 {
                let real = if im.is_nan() { f64::NAN } else { 0.0 };
                Self::new(real, f64::INFINITY.copysign(im))
            } else {
                Self::new(
                    re,
                    if im.is_nan() {
                        f64::NAN
                    } else {
                        0.0_f64.copysign(im)
                    },
                )
            };
        }
        if im == 0.0 {
            return if re < 0.0 {
                Self::new(0.0, (-re).sqrt().copysign(im))
            } else {
                Self::new(re.sqrt().abs(), 0.0_f64.copysign(im))
            };
        }
        if re == 0.0 {
            let part = (0.5 * im.abs()).sqrt();
            return Self::new(part, part.copysign(im));
        }
        // Scaled so that the sum below neither overflows nor loses the small part.
        let scale = if re.abs().max(im.abs()) > f64::MAX / 8.0 {
            0.25
        } else if re.abs().max(im.abs()) < 1e-280 {
            2.0_f64.powi(120)
        } else {
            1.0
        };
        let (re, im) = (re * scale, im * scale);
        let size = re.hypot(im);
        let back = scale.sqrt().recip();
        if re > 0.0 {
            let real = (0.5 * (size + re)).sqrt();
            Self::new(real * back, 0.5 * (im / real) * back)
        } else {
            let imag = (0.5 * (size - re)).sqrt();
            Self::new((0.5 * (im / imag)).abs() * back, imag.copysign(im) * back)
        }
    }

    pub(crate) fn ln(self) -> Self {
        let (big, small) = {
            let (a, b) = (self.re.abs(), self.im.abs());
            if a > b { (a, b) } else { (b, a) }
        };
        let real = if big > LARGE {
            (big / 2.0).hypot(small / 2.0).ln() + LN_2
        } else if big > 0.0 && big < f64::MIN_POSITIVE {
            let up = 2.0_f64.powi(53);
            (big * up).hypot(small * up).ln() - 53.0 * LN_2
        } else {
            let size = self.abs();
            if (0.71..=1.73).contains(&size) {
                square_sum_less_one(big, small).ln_1p() / 2.0
            } else {
                size.ln()
            }
        };
        Self::new(real, self.im.atan2(self.re))
    }

    pub(crate) fn exp(self) -> Self {
        if self.im == 0.0 {
            return Self::new(self.re.exp(), self.im);
        }
        if self.re == f64::NEG_INFINITY {
            return Self::new(0.0, 0.0);
        }
        let (sin, cos) = self.im.sin_cos();
        if self.re > EXP_LIMIT && self.re.is_finite() {
            let half = (self.re / 2.0).min(1400.0).exp();
            return Self::new(half * cos * half, half * sin * half);
        }
        let size = self.re.exp();
        Self::new(size * cos, size * sin)
    }

    pub(crate) fn sin(self) -> Self {
        let (sin, cos) = self.re.sin_cos();
        Self::new(cosh_times(self.im, sin), sinh_times(self.im, cos))
    }

    pub(crate) fn cos(self) -> Self {
        let (sin, cos) = self.re.sin_cos();
        Self::new(cosh_times(self.im, cos), -sinh_times(self.im, sin))
    }

    pub(crate) fn tan(self) -> Self {
        // tan z = −i·tanh(i·z)
        let turned = Self::new(-self.im, self.re).tanh();
        Self::new(turned.im, -turned.re)
    }

    pub(crate) fn sinh(self) -> Self {
        let (sin, cos) = self.im.sin_cos();
        Self::new(sinh_times(self.re, cos), cosh_times(self.re, sin))
    }

    pub(crate) fn cosh(self) -> Self {
        let (sin, cos) = self.im.sin_cos();
        Self::new(cosh_times(self.re, cos), sinh_times(self.re, sin))
    }

    pub(crate) fn tanh(self) -> Self {
        if self.re.is_infinite() {
            return Self::new(1.0_f64.copysign(self.re), 0.0_f64.copysign(self.im));
        }
        if self.re.is_nan() && self.im == 0.0 {
            return self;
        }
        let (sin, cos) = self.im.sin_cos();
        if self.re.abs() > 200.0 {
            let tail = 4.0 * sin * cos * (-2.0 * self.re.abs()).exp();
            return Self::new(1.0_f64.copysign(self.re), tail);
        }
        let (sinh, cosh) = (self.re.sinh(), self.re.cosh());
        let below = if sinh.abs() > cos.abs() * f64::EPSILON {
            sinh * sinh + cos * cos
        } else {
            cos * cos
        };
        Self::new(sinh * cosh / below, sin * cos / below)
    }

    pub(crate) fn acos(self) -> Self {
        if self.re.abs() > LARGE || self.im.abs() > LARGE {
            let size = (self.re / 2.0).hypot(self.im / 2.0).ln() + 2.0 * LN_2;
            return Self::new(self.im.abs().atan2(self.re), size.copysign(-self.im));
        }
        let low = Self::new(1.0 - self.re, -self.im).sqrt();
        let high = Self::new(1.0 + self.re, self.im).sqrt();
        Self::new(
            2.0 * low.re.atan2(high.re),
            real_asinh(high.re * low.im - high.im * low.re),
        )
    }

    pub(crate) fn asin(self) -> Self {
        let turned = Self::new(-self.im, self.re).asinh();
        Self::new(turned.im, -turned.re)
    }

    pub(crate) fn asinh(self) -> Self {
        if self.re.abs() > LARGE || self.im.abs() > LARGE {
            let size = (self.re / 2.0).hypot(self.im / 2.0).ln() + 2.0 * LN_2;
            return Self::new(size.copysign(self.re), self.im.atan2(self.re.abs()));
        }
        let low = Self::new(1.0 + self.im, -self.re).sqrt();
        let high = Self::new(1.0 - self.im, self.re).sqrt();
        Self::new(
            real_asinh(low.re * high.im - high.re * low.im),
            self.im.atan2(low.re * high.re - low.im * high.im),
        )
    }

    pub(crate) fn acosh(self) -> Self {
        if self.re.abs() > LARGE || self.im.abs() > LARGE {
            let size = (self.re / 2.0).hypot(self.im / 2.0).ln() + 2.0 * LN_2;
            return Self::new(size, self.im.atan2(self.re));
        }
        let low = Self::new(self.re - 1.0, self.im).sqrt();
        let high = Self::new(self.re + 1.0, self.im).sqrt();
        Self::new(
            real_asinh(low.re * high.re + low.im * high.im),
            2.0 * low.im.atan2(high.re),
        )
    }

    pub(crate) fn atanh(self) -> Self {
        if self.re.is_sign_negative() {
            return self.neg().atanh_right().neg();
        }
        self.atanh_right()
    }

    /// The inverse hyperbolic tangent where the real part is not negative.
    fn atanh_right(self) -> Self {
        let (re, im) = (self.re, self.im);
        let height = im.abs();
        if re.is_infinite() || height.is_infinite() {
            let angle = if im.is_nan() {
                im
            } else {
                FRAC_PI_2.copysign(im)
            };
            return Self::new(0.0, angle);
        }
        if re > LARGE.sqrt() || height > LARGE.sqrt() {
            let half = (re / 2.0).hypot(im / 2.0);
            return Self::new(re / 4.0 / half / half, FRAC_PI_2.copysign(im));
        }
        if re == 1.0 && height < SQRT_SMALL {
            if height == 0.0 {
                return Self::new(f64::INFINITY, im);
            }
            return Self::new(
                -(height.sqrt() / height.hypot(2.0).sqrt()).ln(),
                (2.0_f64.atan2(-height) / 2.0).copysign(im),
            );
        }
        let near = 1.0 - re;
        Self::new(
            (4.0 * re / (near * near + height * height)).ln_1p() / 4.0,
            -(-2.0 * im).atan2(near * (1.0 + re) - height * height) / 2.0,
        )
    }

    pub(crate) fn atan(self) -> Self {
        let turned = Self::new(-self.im, self.re).atanh();
        Self::new(turned.im, -turned.re)
    }
}

/// `x² + y² − 1` without the rounding of its parts.
fn square_sum_less_one(x: f64, y: f64) -> f64 {
    let exact_sum = |a: f64, b: f64| {
        let sum = a + b;
        let part = sum - a;
        (sum, (a - (sum - part)) + (b - part))
    };
    let (x_square, y_square) = (x * x, y * y);
    let lost = x.mul_add(x, -x_square) + y.mul_add(y, -y_square);
    let (less_one, lost_one) = exact_sum(x_square, -1.0);
    let (sum, lost_sum) = exact_sum(less_one, y_square);
    sum + (lost + lost_one + lost_sum)
}

/// `cosh(x) · factor` that overflows only if the product does.
fn cosh_times(x: f64, factor: f64) -> f64 {
    if factor == 0.0 {
        return factor;
    }
    if x.abs() < EXP_LIMIT || !x.is_finite() {
        return x.cosh() * factor;
    }
    let half = (x.abs().min(2800.0) / 2.0).exp();
    0.5 * half * factor * half
}

/// `sinh(x) · factor` that overflows only if the product does.
fn sinh_times(x: f64, factor: f64) -> f64 {
    if factor == 0.0 || x == 0.0 {
        return 0.0_f64.copysign(x.signum() * factor.signum());
    }
    if x.abs() < EXP_LIMIT || !x.is_finite() {
        return x.sinh() * factor;
    }
    let half = (x.abs().min(2800.0) / 2.0).exp();
    (0.5 * half * factor * half).copysign(x * factor.signum())
}

/// Beyond 2^28 the one under the root no longer shows.
const HUGE: f64 = 268_435_456.0;

/// Inverse hyperbolic sine of a real number. As the two below it goes by the classic cases of C libraries, so
/// that the last digit agrees with theirs.
pub(crate) fn real_asinh(x: f64) -> f64 {
    let size = x.abs();
    let value = if size < HUGE.recip() || !size.is_finite() {
        size
    } else if size > HUGE {
        size.ln() + LN_2
    } else if size > 2.0 {
        (2.0 * size + ((size * size + 1.0).sqrt() + size).recip()).ln()
    } else {
        let square = size * size;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    value.copysign(x)
}

/// Inverse hyperbolic cosine of a real number; NaN below one.
pub(crate) fn real_acosh(x: f64) -> f64 {
    if x >= HUGE {
        x.ln() + LN_2
    } else if x > 2.0 {
        (2.0 * x - (x + (x * x - 1.0).sqrt()).recip()).ln()
    } else {
        let over = x - 1.0;
        (over + (2.0 * over + over * over).sqrt()).ln_1p()
    }
}

/// Inverse hyperbolic tangent of a real number; NaN beyond one.
pub(crate) fn real_atanh(x: f64) -> f64 {
    let size = x.abs();
    let twice = size + size;
    let value = if size < HUGE.recip() {
        size
    } else if size < 0.5 {
        0.5 * (twice + twice * size / (1.0 - size)).ln_1p()
    } else {
        0.5 * (twice / (1.0 - size)).ln_1p()
    };
    value.copysign(x)
}
