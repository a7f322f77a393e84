//! WebDataset tar archives that are reproducible byte for byte: sorted by key, each picture before its description,
//! without times or owners.

use anyhow::{Result, ensure};
use tar::{Builder, EntryType, Header};

/// A picture with its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The name of both files, without extension.
    pub key: String,
    /// The picture.
    pub png: Vec<u8>,
    /// The description.
    pub json: String,
}

/// The archive's bytes.
pub fn archive(mut samples: Vec<Sample>) -> Result<Vec<u8>> {
    samples.sort_by(|a, b| a.key.cmp(&b.key));
    for pair in samples.windows(2) {
        ensure!(pair[0].key != pair[1].key, "two samples are called {}", pair[0].key);
    }
    let mut builder = Builder::new(Vec::new());
    for Sample { key, png, json } in &samples {
        append(&mut builder, &format!("{key}.png"), png)?;
        append(&mut builder, &format!("{key}.json"), json.as_bytes())?;
    }
    Ok(builder.into_inner()?)
}

fn append(builder: &mut Builder<Vec<u8>>, path: &str, bytes: &[u8]) -> Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    builder.append_data(&mut header, path, bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(key: &str) -> Sample {
        Sample { key: key.to_owned(), png: key.as_bytes().to_vec(), json: format!("\"{key}\"") }
    }

    #[test]
    fn the_order_of_samples_does_not_matter() -> Result<()> {
        let one = archive(vec![sample("b--x"), sample("a")])?;
        assert_eq!(one, archive(vec![sample("a"), sample("b--x")])?);
        let mut found = Vec::new();
        for entry in tar::Archive::new(one.as_slice()).entries()? {
            let entry = entry?;
            assert_eq!(entry.header().mtime()?, 0);
            found.push(entry.path()?.display().to_string());
        }
        assert_eq!(found, ["a.png", "a.json", "b--x.png", "b--x.json"]);
        Ok(())
    }

    #[test]
    fn a_key_is_given_once() {
        let error = archive(vec![sample("a"), sample("a")]).expect_err("one hides the other");
        assert!(error.to_string().contains("called a"), "{error}");
    }
}
