//! Numbers as the index writes them.

/// Appends a number in base 36.
pub(super) fn push_base_36(out: &mut String, mut number: usize) {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = [0; 13];
    let mut at = digits.len();
    while number > 0 || at == digits.len() {
        at -= 1;
        digits[at] = DIGITS[number % 36];
        number /= 36;
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}
