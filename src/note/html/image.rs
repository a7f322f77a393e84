//! Images, whose text follows their tag.

use crate::note::escape;

/// An image whose end has not been read yet.
pub(super) struct OpenImage {
    /// The tag up to the alternative text.
    pub(super) open: String,
    pub(super) alt: String,
    /// The rest of the tag after the alternative text.
    pub(super) close: String,
    pub(super) depth: usize,
    /// Whether it is a picture, whose text may end with a size: `|300`.
    pub(super) is_picture: bool,
    /// Whether its text is dropped because the element has none.
    pub(super) is_textless: bool,
    pub(super) title: String,
    pub(super) size: Option<(u32, u32)>,
}

impl OpenImage {
    pub(super) fn html(self) -> String {
        let Self { open, mut alt, close, is_picture, is_textless, title, mut size, .. } = self;
        if is_textless {
            return open + &close;
        }
        if !is_picture {
            return format!("{open}{}{close}", escape(alt.trim()));
        }
        if let Some((text, asked)) = asked_size(&alt) {
            size = Some(fitting(asked, size));
            alt = text;
        }
        let size = size.map(|(width, height)| match height {
            0 => format!(" width=\"{width}\""),
            _ => format!(" width=\"{width}\" height=\"{height}\""),
        });
        let title = match title.as_str() {
            "" => String::new(),
            title => format!(" title=\"{}\"", escape(title)),
        };
        format!("{open}{}\"{}{title}>{close}", escape(alt.trim()), size.unwrap_or_default())
    }
}

/// Splits off a picture's size at the end of its text, `|300` or `|300x200`; a size alone leaves no text.
fn asked_size(alt: &str) -> Option<(String, (u32, Option<u32>))> {
    let (text, size) = alt.rsplit_once('|').unwrap_or(("", alt));
    let (width, height) = match size.trim().split_once('x') {
        Some((width, height)) => (width, Some(height.parse().ok()?)),
        None => (size.trim(), None),
    };
    let width = width.parse().ok().filter(|width| (1..=10_000).contains(width))?;
    Some((text.to_owned(), (width, height)))
}

/// The requested size; without a height, the picture's proportions are kept.
fn fitting((width, height): (u32, Option<u32>), own: Option<(u32, u32)>) -> (u32, u32) {
    let kept = own.map(|(w, h)| {
        let height = f64::from(width) * f64::from(h) / f64::from(w.max(1));
        // A picture's sides are far below what a `u32` holds.
        height.round().clamp(1.0, 1e6) as u32
    });
    (width, height.or(kept).unwrap_or(0))
}
