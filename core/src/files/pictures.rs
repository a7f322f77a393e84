//! The digest of an archive's pictures, without captions and labels. Input: a tar archive. Output: one digest.

use std::io::{self, BufReader};
use std::path::Path;

use crate::digest::Digest;

/// Endings of the small files that describe a picture.
const BESIDE: [&str; 5] = ["json", "txt", "text", "caption", "cls"];

/// Whether a file of that name describes the picture beside it; no pixel depends on such a file.
pub fn is_beside(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    ending.is_some_and(|ending| BESIDE.contains(&&*ending))
}

/// The digest of the list of an archive's entries, in their order. For each entry, it covers the name, a zero byte, the
/// type and the target of a link, a zero byte, the digest, and a line feed. Dates, owners and permissions are not
/// included.
///
/// # Errors
/// If the file is not a tar archive, or is damaged.
pub(super) fn of_archive(path: &Path) -> io::Result<Digest> {
    let file = BufReader::with_capacity(1 << 20, crate::file::open(path)?);
    let mut archive = tar::Archive::new(file);
    // Concatenated archives are read as one.
    archive.set_ignore_zeros(true);
    let mut list = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path_bytes().into_owned();
        if entry.header().entry_type().is_dir() || is_beside(&String::from_utf8_lossy(&name)) {
            continue;
        }
        let mut hasher = blake3::Hasher::new();
        io::copy(&mut entry, &mut hasher)?;
        list.extend_from_slice(&name);
        list.extend_from_slice(&[0, entry.header().entry_type().as_byte()]);
        list.extend_from_slice(&entry.link_name_bytes().unwrap_or_default());
        list.extend_from_slice(format!("\0{}\n", hasher.finalize().to_hex()).as_bytes());
    }
    match list.is_empty() {
        true => Err(io::Error::other("it is empty")),
        false => Ok(Digest::of(&list)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::files::FileDigests;

    type Entries<'a> = &'a [(&'a str, &'a [u8])];

    fn archive(path: &Path, entries: Entries<'_>, when: u64) {
        let mut builder = tar::Builder::new(File::create(path).expect("a file"));
        for (name, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mtime(when);
            builder.append_data(&mut header, name, *bytes).expect("an entry");
        }
        builder.finish().expect("an archive");
    }

    #[test]
    fn what_is_said_of_pictures_is_none_of_what_they_show() {
        let dir = tempfile::tempdir().expect("a folder");
        let digest = |entries: Entries<'_>, when: u64| {
            let path = dir.path().join("a.tar");
            archive(&path, entries, when);
            let folder = dir.path().join(format!("{when}"));
            for (name, bytes) in entries {
                let path = folder.join(name);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                std::fs::write(path, bytes).expect("write");
            }
            let mut digests = FileDigests::default();
            let of_folder = digests.pictures(&folder).expect("a digest");
            std::fs::remove_dir_all(&folder).expect("removed");
            (digests.pictures(&path).expect("a digest"), of_folder)
        };
        let first = digest(&[("a.png", b"one"), ("a.txt", b"a cat"), ("b/c.jpg", b"two")], 1);
        for others in [
            &[("a.png", &b"one"[..]), ("a.txt", b"a dog"), ("b/c.jpg", b"two")][..],
            &[("a.png", b"one"), ("b/c.jpg", b"two"), ("b/c.JSON", b"{}"), ("a.cls", b"7")],
        ] {
            assert_eq!(digest(others, 2), first);
        }
        for others in [
            &[("a.png", &b"one"[..]), ("b/c.jpg", b"three")][..],
            &[("a.png", b"one"), ("b/d.jpg", b"two")],
            &[("a.png", b"one"), ("b/c.jpg", b"two"), ("c.png", b"")],
        ] {
            let (of_archive, of_folder) = digest(others, 3);
            assert!(of_archive != first.0 && of_folder != first.1);
        }
        // The order of an archive is the order of its pictures.
        let turned = digest(&[("b/c.jpg", b"two"), ("a.png", b"one")], 4);
        assert!(turned.0 != first.0 && turned.1 == first.1);
    }

    #[test]
    fn what_is_no_whole_archive_is_its_bytes() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.tar");
        archive(&path, &[("a.png", &[7; 2000]), ("a.txt", b"a cat")], 1);
        let whole = std::fs::read(&path).expect("read");
        for bytes in [&b"no archive"[..], &whole[..1000], &[0; 1024]] {
            std::fs::write(&path, bytes).expect("write");
            let found = FileDigests::default().pictures(&path).expect("a digest");
            assert_eq!(found, Digest::of(bytes));
        }
    }
}
