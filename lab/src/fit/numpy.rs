//! NumPy's file format, as far as published facets need it: bytes in; numbers and their shape out. Nothing in a file is
//! executed: the header is parsed as the small part of Python that the format allows.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::path::Path;

/// The most numbers in one file: RN50x64's third stage has 2,048 units on 28 x 28 positions.
const MOST: usize = 1 << 24;

/// An array of three dimensions.
#[derive(Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: [i64; 3],
    /// Row by row.
    pub(crate) numbers: Vec<f32>,
}

/// Reads an array `[c, h, w]` or `[1, c, h, w]`.
pub(crate) fn read(path: &Path) -> Result<Array, String> {
    parse(&neuronotes_core::file::read(path, MOST as u64 * 8).map_err(|error| error.to_string())?)
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it is not a NumPy file")?;
    let (length, start): (usize, usize) = match rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 4),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 6),
        _ => return Err("its version is unknown".into()),
    };
    let end =
        start.checked_add(length).filter(|end| *end <= rest.len()).ok_or("it is cut short")?;
    let header = String::from_utf8_lossy(&rest[start..end]);
    let field = |name: &str| {
        let at = header.find(&format!("'{name}'"))? + name.len() + 2;
        header[at..].split_once(':').map(|(_, rest)| rest.trim_start())
    };
    let kind = field("descr").and_then(|rest| rest.split('\'').nth(1)).ok_or("it has no type")?;
    if field("fortran_order").is_none_or(|rest| !rest.starts_with("False")) {
        return Err("it is not stored row by row".into());
    }
    let shape = field("shape").and_then(|rest| rest.strip_prefix('(')?.split_once(')'));
    let (shape, _) = shape.ok_or("it has no shape")?;
    let shape: Vec<i64> = shape
        .split(',')
        .filter(|part| !part.trim().is_empty())
        .map(|part| part.trim().parse().map_err(|_| format!("its shape is ({shape})")))
        .collect::<Result<_, _>>()?;
    let shape = match shape[..] {
        [c, h, w] | [1, c, h, w] if [c, h, w].iter().all(|n| (1..=1 << 20).contains(n)) => {
            [c, h, w]
        }
        _ => return Err(format!("its shape is {shape:?}")),
    };
    let count = shape.iter().map(|&n| n as usize).product::<usize>();
    let data = &rest[end..];
    let size = match kind {
        "<f4" => 4,
        "<f8" => 8,
        kind => return Err(format!("its type is {kind}")),
    };
    if count > MOST || data.len() != count * size {
        return Err(format!("it has {} bytes of numbers for {count} numbers", data.len()));
    }
    let numbers = data.chunks_exact(size).map(|chunk| match *chunk {
        [a, b, c, d] => f32::from_le_bytes([a, b, c, d]),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
        _ => f32::NAN,
    });
    let numbers: Vec<f32> = numbers.collect();
    match numbers.iter().all(|x| x.is_finite()) {
        true => Ok(Array { shape, numbers }),
        false => Err("it has numbers that are not finite".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `numpy.save` writes it.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        let header = format!("{header:<117}\n");
        bytes.extend(u16::try_from(header.len()).expect("short").to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn both_precisions_and_both_shapes_are_read() {
        let numbers = [1.0f32, -2.5, 3.0, 4.0];
        let single: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let double: Vec<u8> = numbers.iter().flat_map(|x| f64::from(*x).to_le_bytes()).collect();
        let expected = Ok(Array { shape: [2, 1, 2], numbers: numbers.to_vec() });
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1, 2), }";
        assert_eq!(parse(&file(header, &single)), expected);
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1, 2), }";
        assert_eq!(parse(&file(header, &double)), expected);
        // Cut anywhere, it is an error and no panic.
        let whole = file(header, &double);
        for end in 0..whole.len() {
            assert!(parse(&whole[..end]).is_err());
        }
    }

    #[test]
    fn what_is_something_else_is_named() {
        for (header, part) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (1, 1, 1), }", "type is |O"),
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1, 1), }", "row by row"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }", "shape is [4]"),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (999999, 99999, 1), }",
                "numbers for",
            ),
        ] {
            let error = parse(&file(header, &[0; 4])).expect_err("another file");
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(parse(b"PK\x03\x04"), Err("it is not a NumPy file".into()));
    }
}
