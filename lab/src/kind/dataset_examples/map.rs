//! Heat maps: shown pictures in; the activation at each position, laid over each picture, among the record's outputs out.

use image::{RgbImage, imageops};
use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::model::Positions;
use tch::Kind;

use super::list::{List, Place};
use crate::encode::webp_of;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::heat;
use crate::pass::Pass;
use crate::readout::Readout;
use crate::workbench::Workbench;

/// WebP quality, from 0 to 100.
const QUALITY: f32 = 82.0;

/// Adds a heat map for each picture, and names it in its example. Returns the activation with the full colour.
pub(super) fn add<'a>(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    pictures: &[(Place, RgbImage)],
    gallery: &mut Gallery,
    examples: impl Iterator<Item = &'a mut Example>,
) -> Result<f64, Failure> {
    let layer = &list.params.layer;
    let clip = bench.clip(&[layer.layer()])?;
    let readout = Readout::of(bench, &clip, layer)?;
    let (stage, positions) = (readout.layer.stage, readout.layer.positions);
    let samples: Vec<(usize, &str)> =
        pictures.iter().map(|(place, _)| (place.0, list.key(*place))).collect();
    let found = gallery.find(bench, &samples)?;
    let mut maps: Vec<Vec<f64>> = Vec::new();
    let stages = [stage];
    let pass = Pass::new(&clip, &stages, "mapping activations");
    pass.run_all(&found[..], bench.monitor, |_, activations| {
        let map = list.target.map(&readout, activations.get(stage)?).to_kind(Kind::Double);
        let rows = (0..map.size()[0]).map(|row| Ok(Vec::try_from(map.f_get(row)?)?));
        maps.extend(rows.collect::<Result<Vec<_>, Failure>>()?);
        Ok(())
    })?;
    for map in &mut maps {
        match positions {
            Positions::One => return Err(Failure::new("the layer has no positions to map")),
            Positions::Map(_) => {}
            // The class token is nowhere in the picture.
            Positions::Tokens(_) => drop(map.remove(0)),
        }
    }
    let most = maps.iter().flatten().fold(0.0, |most: f64, number| most.max(number.abs()));
    for (((_, picture), map), example) in pictures.iter().zip(maps).zip(examples) {
        bench.monitor.check()?;
        let drawn = over(picture, &map, most);
        let bytes = webp_of(drawn.as_raw(), drawn.dimensions(), QUALITY)?;
        let name = format!("map-{}.webp", example.picture.trim_end_matches(".png"));
        bench.record.add_output(bench.store(), &name, "image/webp", &bytes)?;
        example.map = Some(name);
    }
    Ok(most)
}

/// A picture with a map over the square in its middle, which is all that the network sees of it.
fn over(picture: &RgbImage, map: &[f64], most: f64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let mut whole = heat::draw(picture, &[0.0], most);
    let square = imageops::crop_imm(picture, left, top, side, side).to_image();
    imageops::replace(&mut whole, &heat::draw(&square, map, most), left.into(), top.into());
    whole
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_map_lies_over_what_the_network_sees() {
        let picture = RgbImage::from_pixel(12, 6, Rgb([200, 100, 50]));
        let drawn = over(&picture, &[1.0, 1.0, -1.0, -1.0], 1.0);
        let at = |x, y| drawn.get_pixel(x, y).0;
        assert_eq!(drawn.dimensions(), (12, 6));
        assert!(at(5, 0)[0] > at(5, 0)[2] + 100, "orange above");
        assert!(at(5, 5)[2] > at(5, 5)[0] + 100, "blue below");
        for outside in [at(1, 0), at(11, 5)] {
            assert!(outside[0] == outside[1] && outside[1] == outside[2], "{outside:?}");
        }
    }
}
