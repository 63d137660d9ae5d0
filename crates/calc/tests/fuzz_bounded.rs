//! The fuzz target of the calculator, for a bounded time on any toolchain.

#[path = "../../../fuzz/bounded.rs"]
mod bounded;
#[path = "fuzz/target.rs"]
mod target;

#[test]
fn calc_bounded() {
    bounded::run(
        "calc",
        &[
            b"2*x^2 - 3.5e-2/(n||4) + 10%",
            b"sqrt(-9)+arcsec(0.5)*fact(5)",
            b"x_{ij}^{kl}' + alpha_1",
            b"2H2O(l) + Na^+(aq) -> 1/2[Fe(CN)6]^4-",
            b"((((1))))",
            b"0.001%",
        ],
        &[
            b"(",
            b")",
            b"^",
            b"||",
            b"*",
            b"/",
            b"+",
            b"-",
            b"%",
            b"e",
            b"E-",
            b".",
            b"9",
            b"999999",
            b"pi",
            b"i",
            b"sin(",
            b"ln(",
            b"abs(",
            b"fact(",
            b"factorial(9)",
            b"10^400",
            b"_{",
            b"}",
            b"'",
            b" ",
            b"=",
            b"<->",
            b"->",
            b"[",
            b"]",
            b"(s)",
            b"\xc2\xa0",
        ],
        target::run,
    );
}
