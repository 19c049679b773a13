//! The two functions of the schedule that a processor does not have. The standard library's are exact to the last bit, and
//! three times as large.

use std::f64::consts::{LN_2, LOG2_E, SQRT_2};

/// e to the power of `x`, to 11 digits.
pub fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let twos = (x * LOG2_E).round_ties_even();
    let rest = (x - twos * LN_2) / 16.0;
    let mut power = 1.0 + rest * (1.0 + rest / 2.0 * (1.0 + rest / 3.0 * (1.0 + rest / 4.0 * (1.0 + rest / 5.0))));
    for _ in 0..4 {
        power *= power;
    }
    power * f64::from_bits(((1023 + twos as i64) as u64) << 52)
}

/// The natural logarithm of a positive number, to 12 digits.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut twos = (bits >> 52) as f64 - 1023.0;
    let mut rest = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if rest > SQRT_2 {
        rest /= 2.0;
        twos += 1.0;
    }
    let part = (rest - 1.0) / (rest + 1.0);
    let (mut series, mut odd) = (0.0, 17.0);
    while odd > 0.0 {
        series = 1.0 / odd + part * part * series;
        odd -= 2.0;
    }
    twos * LN_2 + 2.0 * part * series
}
