//! A map: things on a plane, each with a small picture, coloured by groups. Places in; what a page draws without scripts and
//! what its script draws out. Knows nothing of any kind.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::axis::Axis;
use super::picture::Image;
use super::unit::UnitRef;

/// The drawing's width and height, in units of its viewBox.
const SIZE: (f64, f64) = (480.0, 400.0);
/// Margin around the places.
const MARGIN: f64 = 18.0;
/// Room for the numbers of an axis, at the left and at the bottom.
const RULERS: (f64, f64) = (40.0, 34.0);
/// Numbers on an axis.
const TICKS: usize = 6;
/// The part of an axis that is left free at its ends.
const AIR: f64 = 0.06;
/// Side of a picture without scripts.
const TILE: f64 = 24.0;
/// Maximum number of pictures without scripts.
const MOST_SHOWN: usize = 160;

/// A map of things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// Title; empty if the figure's own suffices.
    pub title: String,
    /// A description for readers who cannot see it.
    pub alt: String,
    /// What the colours mean.
    pub key: String,
    /// What a thing is called: `unit` or `feature`.
    pub noun: String,
    /// The groups of things by colour.
    pub groups: Vec<Group>,
    /// Many small square pictures in one, row by row.
    pub sheet: Image,
    /// Side of a small picture in pixels.
    pub tile: u32,
    /// The units, whose pages and names the page looks up.
    pub units: Vec<UnitRef>,
    /// What the places mean, from left to right and from bottom to top, if they are numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rulers: Option<[Ruler; 2]>,
    /// The things that are shown by their pictures without scripts.
    pub shown: Vec<Shown>,
    /// Everything that the script draws, as JSON that may stand in HTML: `noun`, `size`, and for
    /// each thing `units`, `says`, `x`, `y`, `group`, `tile`; `order`, the weightiest first; and `rulers`, if there are some.
    pub data: String,
}

/// An axis of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ruler {
    /// What its numbers are.
    pub label: String,
    /// Places in units of the viewBox, each with its number.
    pub ticks: Vec<(f64, String)>,
}

/// Things of one colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What they have in common.
    pub name: String,
    /// The number of things.
    pub count: usize,
    /// Its colour: 0 for things without a group, 1 to 8 for groups, 11 to 15 for steps of a quantity.
    pub colour: u32,
    /// Its dots, as the path of an SVG.
    pub dots: String,
}

/// A thing that is shown by its picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Its number and what is said of it.
    pub title: String,
    /// The unit that it is.
    pub unit: u32,
    /// Left and top edge of the picture, in units of the viewBox.
    pub at: [f64; 2],
    /// Left and top edge on the sheet, in pixels.
    pub from: [u32; 2],
    /// The colour of its group.
    pub colour: u32,
}

/// A thing to be put on a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// The unit that it is.
    pub unit: u32,
    /// What is said of it.
    pub says: String,
    /// From left to right, and from bottom to top, in any scale.
    pub place: [f64; 2],
    /// Its group.
    pub group: usize,
    /// Its picture, an index of the sheet.
    pub tile: usize,
    /// Things with a greater weight are shown first where there is not room for all.
    pub weight: f64,
}

/// What a map is drawn of.
#[derive(Debug, Clone, PartialEq)]
pub struct Content<'a> {
    /// Title; empty if the figure's own suffices.
    pub title: &'a str,
    /// A description for readers who cannot see it.
    pub alt: String,
    /// What the colours mean.
    pub key: &'a str,
    /// What a thing is called.
    pub noun: &'a str,
    /// Names and colours of the groups, as in [`Group`].
    pub groups: Vec<(String, u32)>,
    /// The things.
    pub things: Vec<Thing>,
    /// The axes, if the places are numbers to be read: from left to right, and from bottom to top.
    pub axes: Option<[Axis; 2]>,
    /// The sheet and the side of its pictures in pixels.
    pub sheet: (Image, u32),
    /// Captions of the sheet's pictures.
    pub captions: Vec<&'a str>,
    /// The units as pages know them.
    pub units: Vec<UnitRef>,
}

impl Map {
    /// Draws a map.
    ///
    /// # Errors
    /// If a thing has no place, or names a group or a picture that is missing.
    pub fn of(content: Content<'_>) -> Result<Self, String> {
        let (sheet, tile) = content.sheet;
        let across = (sheet.width / tile.max(1)).max(1) as usize;
        let fits = |thing: &Thing| {
            let placed = thing.place.iter().all(|x| x.is_finite());
            placed && thing.group < content.groups.len() && thing.tile < content.captions.len()
        };
        if !content.things.iter().all(fits) {
            return Err("the stored map does not fit its pictures".to_owned());
        }
        let (places, rulers) = match &content.axes {
            None => (fitted(&content.things), None),
            Some(axes) => {
                let (places, rulers) = measured(&content.things, axes)?;
                (places, Some(rulers))
            }
        };
        let groups = content.groups.iter().enumerate().map(|(index, (name, colour))| {
            let mut dots = String::new();
            let own = content.things.iter().zip(&places).filter(|(thing, _)| thing.group == index);
            let mut count = 0;
            for (_, [x, y]) in own {
                // A line of no length has round ends: a dot.
                dots += &format!("M{x:.1} {y:.1}h0");
                count += 1;
            }
            Group { name: name.clone(), count, colour: *colour, dots }
        });
        let shown = chosen(&content.things, &places).into_iter().map(|at| {
            let (thing, [x, y]) = (&content.things[at], places[at]);
            let [down, right] = [thing.tile / across, thing.tile % across];
            Shown {
                title: format!("{} {}: {}", content.noun, thing.unit, thing.says),
                unit: thing.unit,
                at: [x, y].map(|x| ((x - TILE / 2.0) * 10.0).round() / 10.0),
                from: [right, down].map(|at| at as u32 * tile),
                colour: content.groups[thing.group].1,
            }
        });
        let things = || content.things.iter();
        let hundredths = |axis: usize| -> Vec<f64> {
            places.iter().map(|place| (place[axis] * 100.0).round() / 100.0).collect()
        };
        let mut data = json!({
            "noun": content.noun,
            "size": [SIZE.0, SIZE.1],
            "units": things().map(|thing| thing.unit).collect::<Vec<_>>(),
            "says": things().map(|thing| &thing.says).collect::<Vec<_>>(),
            "x": hundredths(0),
            "y": hundredths(1),
            "group": things().map(|thing| thing.group).collect::<Vec<_>>(),
            "tile": things().map(|thing| thing.tile).collect::<Vec<_>>(),
            "order": by_weight(&content.things),
        });
        if let Some(rulers) = &rulers {
            data["rulers"] = json!(rulers);
        }
        Ok(Self {
            title: content.title.to_owned(),
            alt: content.alt,
            key: content.key.to_owned(),
            noun: content.noun.to_owned(),
            groups: groups.collect(),
            units: content.units,
            shown: shown.collect(),
            rulers,
            // Nothing in it is read as HTML.
            data: data.to_string().replace('<', "\\u003c").replace('&', "\\u0026"),
            sheet,
            tile,
        })
    }
}

/// The places in the viewBox, in one scale for both axes.
fn fitted(things: &[Thing]) -> Vec<[f64; 2]> {
    let ends = |axis: usize| {
        let all = || things.iter().map(|thing| thing.place[axis]);
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    };
    let [(left, right), (bottom, top)] = [ends(0), ends(1)];
    let room = (SIZE.0 - 2.0 * MARGIN, SIZE.1 - 2.0 * MARGIN);
    let scale = (room.0 / (right - left)).min(room.1 / (top - bottom));
    let scale = if scale.is_finite() { scale } else { 1.0 };
    let [x, y] = [(left + right) / 2.0, (bottom + top) / 2.0];
    let place = |thing: &Thing| {
        [SIZE.0 / 2.0 + (thing.place[0] - x) * scale, SIZE.1 / 2.0 - (thing.place[1] - y) * scale]
    };
    things.iter().map(place).collect()
}

/// The places in the viewBox by two axes, each in its own scale, and what is written at these.
fn measured(things: &[Thing], axes: &[Axis; 2]) -> Result<(Vec<[f64; 2]>, [Ruler; 2]), String> {
    let [across, up] = [0, 1].map(|axis| {
        let span = axes[axis].span(things.iter().map(|thing| thing.place[axis]), AIR)?;
        Ok::<_, String>(span)
    });
    let (across, up) = (across?, up?);
    let (width, height) = (SIZE.0 - RULERS.0, SIZE.1 - RULERS.1);
    let x = |value: f64| RULERS.0 + across.place(value) * width;
    let y = |value: f64| height - up.place(value) * height;
    let tenths = |place: f64| (place * 10.0).round() / 10.0;
    let ruler = |axis: usize, ticks: Vec<(f64, String)>, place: &dyn Fn(f64) -> f64| Ruler {
        label: axes[axis].label.clone(),
        ticks: ticks.into_iter().map(|(value, text)| (tenths(place(value)), text)).collect(),
    };
    let rulers = [ruler(0, across.ticks(TICKS), &x), ruler(1, up.ticks(TICKS), &y)];
    let places = things.iter().map(|thing| [x(thing.place[0]), y(thing.place[1])]);
    Ok((places.collect(), rulers))
}

/// The things, the weightiest first.
fn by_weight(things: &[Thing]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..things.len()).collect();
    order.sort_by(|a, b| things[*b].weight.total_cmp(&things[*a].weight));
    order
}

/// The things whose pictures have room, the weightiest first.
fn chosen(things: &[Thing], places: &[[f64; 2]]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    for at in by_weight(things) {
        let apart = |other: &usize| {
            let [x, y] = [0, 1].map(|axis| (places[at][axis] - places[*other][axis]).abs());
            x > TILE + 1.0 || y > TILE + 1.0
        };
        if chosen.len() < MOST_SHOWN && chosen.iter().all(apart) {
            chosen.push(at);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;

    use super::*;
    use crate::figure::picture::Format;

    fn content(places: &[[f64; 2]]) -> Content<'static> {
        let thing = |(at, place): (usize, &[f64; 2])| Thing {
            unit: at as u32,
            says: "</template> &amp;".to_owned(),
            place: *place,
            group: at % 2,
            tile: at % 3,
            weight: at as f64,
        };
        let image =
            Image { digest: Digest::of(b"sheet"), width: 80, height: 80, format: Format::Webp };
        Content {
            title: "",
            alt: String::new(),
            key: "label",
            noun: "unit",
            groups: vec![("a".to_owned(), 1), ("b".to_owned(), 2)],
            things: places.iter().enumerate().map(thing).collect(),
            sheet: (image, 40),
            captions: vec!["one", "two", "three"],
            axes: None,
            units: vec![],
        }
    }

    #[test]
    fn pictures_that_overlap_are_dots_and_no_text_is_read_as_html() {
        let places = [[0.0, 0.0], [0.01, 0.0], [1.0, 1.0], [0.5, 3.0]];
        let map = Map::of(content(&places)).expect("a map");
        let shown: Vec<u32> = map.shown.iter().map(|shown| shown.unit).collect();
        assert_eq!(shown, [3, 2, 1], "unit 0 is below unit 1");
        assert_eq!(map.shown[1].from, [0, 40], "the third picture begins the second row");
        assert_eq!(map.groups.iter().map(|group| group.count).collect::<Vec<_>>(), [2, 2]);
        assert!(!map.data.contains(['<', '&']), "{}", map.data);
        let data: serde_json::Value = serde_json::from_str(&map.data).expect("JSON");
        assert_eq!(data["says"][0], "</template> &amp;");
        // The highest is at the top, and the drawing keeps its proportions.
        let [x, y] = ["x", "y"].map(|axis| data[axis].as_array().expect("numbers").clone());
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        assert_eq!(number(&y[3]), MARGIN);
        let slope = (number(&y[0]) - number(&y[2])) / (number(&x[2]) - number(&x[0]));
        assert!((slope - 1.0).abs() < 1e-3, "{slope}");
    }

    #[test]
    fn numbers_have_a_scale_of_their_own_on_each_axis() {
        let axes = Some([Axis::linear("clarity").covering(0.0, 1.0), Axis::linear("others")]);
        let places = [[0.0, 20.0], [0.5, 40.0], [1.0, 60.0]];
        let map = Map::of(Content { axes, ..content(&places) }).expect("a map");
        let rulers = map.rulers.expect("rulers");
        assert_eq!(rulers[0].label, "clarity");
        assert_eq!(rulers[0].ticks.first(), Some(&(RULERS.0, "0".to_owned())));
        assert_eq!(rulers[0].ticks.last(), Some(&(SIZE.0, "1".to_owned())));
        let data: serde_json::Value = serde_json::from_str(&map.data).expect("JSON");
        assert_eq!(data["x"][1], (SIZE.0 + RULERS.0) / 2.0);
        assert_eq!(data["y"][1], (SIZE.1 - RULERS.1) / 2.0);
        assert_eq!(data["rulers"][1]["label"], "others");
        let plain = Map::of(content(&places)).expect("a map");
        assert!(plain.rulers.is_none());
    }

    #[test]
    fn one_place_is_in_the_middle_and_no_place_is_an_error() {
        let map = Map::of(content(&[[7.0, 7.0]])).expect("a map");
        assert_eq!(map.shown[0].at, [(SIZE.0 - TILE) / 2.0, (SIZE.1 - TILE) / 2.0]);
        assert!(Map::of(content(&[[f64::NAN, 0.0]])).is_err());
        let missing = Content { captions: vec![], ..content(&[[0.0, 0.0]]) };
        assert!(Map::of(missing).is_err());
    }
}
