//! Classifies the files of a data set by the endings of their names. Planning and reading use this one list.

use crate::cut::Cut as _;

/// The type of a file by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A picture that is read.
    Picture,
    /// A picture of this format, which is not read.
    Unread(&'static str),
    /// A file that describes the picture with the same name.
    Beside(Beside),
    /// Neither a picture nor something that describes one.
    Other,
}

/// A file that describes the picture beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// An object with a caption and a label.
    Json,
    /// A caption.
    Caption,
    /// A label.
    Label,
}

/// Endings of tar archives, compressed or not, each with its dot.
pub const ARCHIVES: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tzst"];

/// Endings of pictures that are read. The first bytes decide what a file really is.
pub const PICTURES: [&str; 17] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "jif", "webp", "gif", "bmp", "dib", "tif", "tiff", "ppm",
    "pgm", "pbm", "pnm", "apng",
];
/// The endings that the first rules knew.
const FIRST: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// Endings of pictures that are not read, with their formats.
const UNREAD: [(&str, &str); 31] = [
    ("avif", "AVIF"),
    ("avifs", "AVIF"),
    ("heic", "HEIF"),
    ("heif", "HEIF"),
    ("hif", "HEIF"),
    ("jp2", "JPEG 2000"),
    ("j2k", "JPEG 2000"),
    ("j2c", "JPEG 2000"),
    ("jpc", "JPEG 2000"),
    ("jpf", "JPEG 2000"),
    ("jpx", "JPEG 2000"),
    ("jpm", "JPEG 2000"),
    ("jxl", "JPEG XL"),
    ("jxr", "JPEG XR"),
    ("svg", "SVG"),
    ("svgz", "SVG"),
    ("psd", "Photoshop"),
    ("ico", "ICO"),
    ("cur", "ICO"),
    ("tga", "TGA"),
    ("exr", "OpenEXR"),
    ("hdr", "Radiance HDR"),
    ("qoi", "QOI"),
    ("dds", "DDS"),
    ("pam", "PAM"),
    ("pfm", "PFM"),
    ("dng", "camera raw"),
    ("cr2", "camera raw"),
    ("cr3", "camera raw"),
    ("nef", "camera raw"),
    ("arw", "camera raw"),
];

impl Ending {
    /// Classifies an ending, given without its dot; upper and lower case are the same.
    pub fn of(ending: &str) -> Self {
        let ending = ending.to_ascii_lowercase();
        if PICTURES.contains(&ending.as_str()) {
            return Self::Picture;
        }
        match ending.as_str() {
            "json" => Self::Beside(Beside::Json),
            "txt" | "text" | "caption" => Self::Beside(Beside::Caption),
            "cls" => Self::Beside(Beside::Label),
            other => {
                let unread = UNREAD.iter().find(|(known, _)| *known == other);
                unread.map_or(Self::Other, |(_, format)| Self::Unread(format))
            }
        }
    }

    /// Classifies a file by the last ending of its name or path.
    pub fn of_name(name: &str) -> Self {
        split(name).map_or(Self::Other, |(_, ending)| Self::of(ending))
    }
}

/// Whether the first rules read a picture with that ending.
pub fn is_of_the_first_rules(ending: &str) -> bool {
    FIRST.contains(&ending.to_ascii_lowercase().as_str())
}

/// Splits a path into what is before its last ending and that ending; `None` if it has no ending, or nothing else.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name + path.cut(name..).rfind('.').filter(|dot| *dot > 0)?;
    Some((path.cut(..dot), path.cut(dot + 1..)))
}

/// A path up to the first dot of its name, by WebDataset's rule.
pub fn base(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    // A dot at the very beginning hides a file.
    let skip = usize::from(path.cut(name..).starts_with('.'));
    path.cut(name + skip..).find('.').map_or(path, |dot| path.cut(..name + skip + dot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_told_in_any_case() {
        assert_eq!(Ending::of("PNG"), Ending::Picture);
        assert_eq!(Ending::of("Tif"), Ending::Picture);
        assert_eq!(Ending::of("AVIF"), Ending::Unread("AVIF"));
        assert_eq!(Ending::of("TXT"), Ending::Beside(Beside::Caption));
        assert_eq!(Ending::of("npy"), Ending::Other);
        // A different text beside a picture changes no pixel.
        for ending in ["json", "txt", "text", "caption", "cls", "png", "avif", "npy"] {
            let beside = matches!(Ending::of(ending), Ending::Beside(_));
            assert_eq!(crate::files::is_beside(&format!("a.{ending}")), beside, "{ending}");
        }
        assert!(FIRST.iter().all(|ending| PICTURES.contains(ending)));
        assert!(UNREAD.iter().all(|(ending, _)| !PICTURES.contains(ending)));
    }

    #[test]
    fn names_are_split_at_their_first_and_last_dots() {
        assert_eq!(split("in/a.b/22.05.png"), Some(("in/a.b/22.05", "png")));
        assert_eq!(split("in/a.b/none"), None);
        assert_eq!(split(".png"), None);
        assert_eq!(base("in/a.b/22.05.png"), "in/a.b/22");
        assert_eq!(base("none"), "none");
        assert_eq!(base("in/.hidden.png"), "in/.hidden");
    }
}
