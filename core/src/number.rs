//! Formats numbers for readers.

/// Number of decimals that distinguish numbers in a range of width `span`, to about three digits.
pub fn decimals(span: f64) -> usize {
    if !span.is_finite() || span <= 0.0 {
        return 2;
    }
    (2.0 - span.log10().floor()).clamp(0.0, 12.0) as usize
}

/// `value` with that many decimals and a true minus sign; in scientific notation if it would be long.
pub fn number(value: f64, decimals: usize) -> String {
    let size = value.abs();
    let text = if size >= 1e7 || (size > 0.0 && size < 1e-6) {
        format!("{value:.2e}")
    } else {
        format!("{value:.decimals$}")
    };
    signed(text)
}

/// `value` with that many decimals and a true minus sign, however small it is: for numbers whose scale is known, such as
/// fractions, of which less than the last decimal is nothing.
pub fn fixed(value: f64, decimals: usize) -> String {
    signed(format!("{value:.decimals$}"))
}

/// Gives a formatted number a true minus sign, except for zero.
pub fn signed(text: String) -> String {
    let zero = text.bytes().all(|byte| matches!(byte, b'-' | b'0' | b'.'));
    match text.strip_prefix('-') {
        Some(text) if zero => text.to_owned(),
        Some(text) => format!("−{text}"),
        None => text,
    }
}

/// [`number`] without trailing zeros, for axis ticks.
pub fn tick(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    if text.contains('.') && !text.contains('e') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// `12.3 %` for 0.123.
pub fn percent(part: f64) -> String {
    format!("{} %", fixed(part * 100.0, 1))
}

/// A p-value: one that is too small for a number is said to be.
pub fn chance(p: f64) -> String {
    match p {
        0.0 => "below 1e−300".to_owned(),
        // 1/1001, the least that 1,000 permutations can give, is 0.0010.
        p if p < 9.5e-4 => format!("{p:.1e}").replace("e-", "e−"),
        p => fixed(p, 4),
    }
}

/// `3212` as `3,212`.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        assert_eq!(number(-1.234, 2), "−1.23");
        assert_eq!(number(-0.0001, 2), "0.00");
        assert_eq!(tick(-0.5, 3), "−0.5");
        assert_eq!(tick(20.0, 0), "20");
        assert_eq!(thousands(3_212), "3,212");
        assert_eq!(thousands(1_000_000), "1,000,000");
        assert_eq!(thousands(12), "12");
        assert_eq!([number(-1e-7, 3), fixed(-1e-7, 3)], ["−1.00e-7", "0.000"]);
        assert_eq!(percent(1.39e-17), "0.0 %");
        assert_eq!(
            [chance(0.0), chance(2.5e-7), chance(1.0 / 1001.0), chance(0.04)],
            ["below 1e−300", "2.5e−7", "0.0010", "0.0400"]
        );
        assert_eq!([decimals(9.5), decimals(95.0), decimals(0.01)], [2, 1, 4]);
    }
}
