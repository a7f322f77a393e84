//! Files of tensors that figures do not show but are made from: two of them in; the largest difference of a number out.
//!
//! Reads what the lab writes of the safetensors format: a length, a JSON header, and numbers in half or single precision.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (usize, usize),
}

/// Tensors by name: their shape and numbers.
type Tensors = BTreeMap<String, (Vec<u64>, Vec<f64>)>;

/// The tensors of a file; `None` if it has another form.
fn tensors(bytes: &[u8]) -> Option<Tensors> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(rest.get(..length)?).ok()?;
    let data = &rest[length..];
    let mut out = BTreeMap::new();
    for (name, entry) in header.into_iter().filter(|(name, _)| name != "__metadata__") {
        let entry: Entry = serde_json::from_value(entry).ok()?;
        let bytes = data.get(entry.data_offsets.0..entry.data_offsets.1)?;
        let numbers = match entry.dtype.as_str() {
            "F16" => {
                bytes.as_chunks().0.iter().map(|pair| half(u16::from_le_bytes(*pair))).collect()
            }
            "F32" => {
                let number = |four: &[u8; 4]| f64::from(f32::from_le_bytes(*four));
                bytes.as_chunks().0.iter().map(number).collect()
            }
            _ => return None,
        };
        out.insert(name, (entry.shape, numbers));
    }
    Some(out)
}

/// A number in half precision: a sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) =
        (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if sign == 1 { -size } else { size }
}

/// The largest difference of two numbers, divided by the largest number of their tensor, and the tensor's name; `None` if the
/// files have other tensors, or cannot be read.
pub(super) fn apart(before: &[u8], now: &[u8]) -> Option<(String, f64)> {
    let (before, now) = (tensors(before)?, tensors(now)?);
    if !before.keys().eq(now.keys()) {
        return None;
    }
    let mut worst = (String::new(), 0.0);
    for (name, (shape, old)) in &before {
        let (other, new) = &now[name];
        if shape != other {
            return None;
        }
        let largest = old.iter().chain(new).fold(0.0f64, |most, number| most.max(number.abs()));
        for (old, new) in old.iter().zip(new).filter(|(old, new)| old != new) {
            if old.is_nan() && new.is_nan() {
                continue;
            }
            let apart = (old - new).abs() / largest;
            if apart.is_nan() {
                return None;
            }
            if apart > worst.1 {
                worst = (name.clone(), apart);
            }
        }
    }
    Some(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let length = data.len();
        let header =
            format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{length}]}}}}"#);
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
    }

    #[test]
    fn halves_are_read_as_the_standard_says() {
        for (bits, number) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 2f64.powi(-24)),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), number);
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn the_largest_difference_is_a_part_of_the_largest_number() {
        let singles = |x: [f32; 2]| file("F32", "[2]", &x.map(f32::to_le_bytes).concat());
        assert_eq!(apart(&singles([1.0, 4.0]), &singles([1.0, 4.0])), Some((String::new(), 0.0)));
        assert_eq!(apart(&singles([1.0, 4.0]), &singles([2.0, 4.0])), Some(("x".to_owned(), 0.25)));
        assert_eq!(apart(&singles([1.0, 4.0]), &singles([f32::NAN, 4.0])), None);
        let halves = file("F16", "[1]", &[0, 0x3c]);
        assert_eq!(
            apart(&halves, &file("F16", "[1]", &[1, 0x3c])).map(|(_, x)| x < 1.0 / 1024.0),
            Some(true)
        );
        assert_eq!(apart(&halves, &file("F16", "[1,1]", &[0, 0x3c])), None);
        assert_eq!(apart(&halves, b"nonsense"), None);
    }
}
