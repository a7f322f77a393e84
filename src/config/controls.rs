//! `controls:`, what figures are compared with that nobody chose.

use neuronotes_core::kind::controlled::{OFF, ON};
use neuronotes_core::kind::controls::{BANDS, RANDOM, UNITS};

use super::settings::Settings;
use crate::yaml::{Entry, Value};

const FIELDS: [&str; 6] = ["random", "bands", "units", "seed", "seeds", "shuffled"];

/// Whether figures have controls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Controls {
    /// The configuration does not say, and they have none.
    #[default]
    Unset,
    /// They have none, which pages say.
    Off,
    /// They have these.
    On(Drawn),
}

/// What is drawn for each figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Number of images drawn at random, and of the weakest.
    pub random: u32,
    /// Number of bands of activation, from each of which an image is drawn.
    pub bands: u32,
    /// Number of other units of the layer.
    pub units: u32,
    /// Random seed of the draw, and of shuffling weights.
    pub seed: u32,
    /// Number of other seeds of a feature visualisation.
    pub seeds: u32,
    /// Whether a feature visualisation is also made of a network with shuffled weights.
    pub shuffled: bool,
}

impl Default for Drawn {
    /// Everything that needs no forward pass beyond the scan.
    fn default() -> Self {
        Self { random: RANDOM, bands: BANDS, units: UNITS, seed: 0, seeds: 0, shuffled: false }
    }
}

impl Settings<'_> {
    pub(super) fn controls(&mut self, entry: &Entry) -> Controls {
        let expected = "`on`, `off` or a mapping such as `{ random: 9, bands: 10, units: 3 }`";
        match &entry.node.value {
            Value::Null => Controls::Unset,
            Value::Map(fields) => self.drawn(fields),
            Value::Bool(false) => Controls::Off,
            Value::Bool(true) => Controls::On(Drawn::default()),
            Value::Text(text) if text == OFF => Controls::Off,
            Value::Text(text) if text == ON => Controls::On(Drawn::default()),
            _ => {
                self.wrong(&entry.node, &entry.key, expected);
                Controls::Unset
            }
        }
    }

    fn drawn(&mut self, fields: &[Entry]) -> Controls {
        let mut drawn = Drawn::default();
        for field in fields {
            let number = match field.key.as_str() {
                "random" => (&mut drawn.random, 50),
                "bands" => (&mut drawn.bands, 50),
                "units" => (&mut drawn.units, 20),
                "seed" => (&mut drawn.seed, i64::from(u32::MAX)),
                "seeds" => (&mut drawn.seeds, 8),
                "shuffled" => {
                    drawn.shuffled = self.flag(field, drawn.shuffled);
                    continue;
                }
                _ => {
                    self.unknown(field, "`controls`", &FIELDS);
                    continue;
                }
            };
            let (number, most) = number;
            match field.node.value {
                Value::Integer(n) if (0..=most).contains(&n) => {
                    *number = u32::try_from(n).unwrap_or_default();
                }
                _ => {
                    let expected = format!("a whole number from 0 to {most}");
                    self.wrong(&field.node, &field.key, &expected);
                }
            }
        }
        Controls::On(drawn)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[test]
    fn controls_are_on_off_or_in_numbers() {
        let read = |text: &str| parse(text, Path::new("/garden")).0.controls;
        assert_eq!(read("title: a\n"), Controls::Unset);
        for off in ["off", "false", "\"off\""] {
            assert_eq!(read(&format!("controls: {off}\n")), Controls::Off, "{off}");
        }
        assert_eq!(read("controls: on\n"), Controls::On(Drawn::default()));
        let some = Drawn { random: 4, seeds: 2, shuffled: true, ..Drawn::default() };
        let written = "controls: { random: 4, seeds: 2, shuffled: true }\n";
        assert_eq!(read(written), Controls::On(some));
    }

    #[test]
    fn every_mistake_has_its_place_and_a_hint() {
        let texts = [
            "controls: often\n",
            "controls: [1]\n",
            "controls: { random: -1 }\n",
            "controls: { bands: 51, units: many }\n",
            "controls: { unit: 3 }\n",
            "controls: { shuffled: 2 }\n",
        ];
        let all = texts.iter().flat_map(|text| parse(text, Path::new("/garden")).1);
        let all: Vec<String> = all.map(|problem| problem.to_string()).collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
