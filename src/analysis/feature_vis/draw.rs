//! How a visualisation is drawn: pictures, and what was reached.

use serde_json::{Map, Value};

use super::{Outcome, picture};
use crate::figure::{DrawContext, Drawing, Picture, number};

/// As the theme enlarges a picture: by a whole number, to at most 320 pixels.
pub(super) fn height(params: &Map<String, Value>) -> u32 {
    let whole = |name| params.get(name).and_then(Value::as_u64);
    let size = whole("size").unwrap_or(128).max(1);
    u32::try_from(size * (320 / size).max(1)).unwrap_or(320).min(640)
}

pub(super) fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let made = outcome.images.last().ok_or("the stored result has no picture")?;
    let picture = Picture {
        image: context.picture(&picture(0), outcome.size, outcome.size)?,
        alt: format!("Feature visualisation of {}.", context.layer_shown),
        synthetic: true,
    };
    let note = format!(
        "mean activation {}, from {} on noise",
        number::number(made.activation, 2),
        number::number(made.activation_at_start, 2)
    );
    Ok(Drawing::Picture { picture, note })
}
