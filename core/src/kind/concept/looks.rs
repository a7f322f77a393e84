//! What the best unit and the direction respond to: the strongest pictures of each, and a visualisation of each.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kind::dataset_examples::Example;
use crate::kind::exhibit::Exhibit;
use crate::kind::sample::Painted;
use crate::statistics::deviations;

/// Of the best unit and of the direction, which is that of the logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// The unit.
    pub unit: Look,
    /// The direction.
    pub direction: Look,
}

/// What a unit or a direction responds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Its strongest pictures, if the block asks for some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strongest: Option<Strongest>,
    /// Its visualisation, if the block asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vis: Option<Vis>,
}

/// The strongest pictures of a data set; of a unit that is low for the concept, the weakest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strongest {
    /// Mean activation over the data set.
    pub mean: f64,
    /// Standard deviation (of the population).
    pub sd: f64,
    /// The pictures, the strongest first.
    pub pictures: Vec<Example>,
    /// For each of them, whether it is a picture of the concept.
    pub of_concept: Vec<bool>,
}

/// A picture optimised by `feature_vis` to activate a unit or a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vis {
    /// Name of the record's output with the picture, a PNG.
    pub picture: String,
    /// Width and height in pixels.
    pub size: u32,
    /// The activation for it.
    pub activation: f64,
}

impl Looks {
    /// The two, with their names.
    pub fn both(&self) -> [(&'static str, &Look); 2] {
        [("unit", &self.unit), ("direction", &self.direction)]
    }

    /// Its pictures, for other figures.
    pub(super) fn exhibits(self) -> Vec<Exhibit> {
        let of = |(what, look): (&str, Look)| {
            let vis = look.vis.map(|vis| Exhibit { output: vis.picture, label: what.to_owned() });
            let pictures = look.strongest.map(|strongest| strongest.pictures).unwrap_or_default();
            let pictures = pictures.into_iter().map(|example| Exhibit {
                output: example.picture,
                label: example.caption.unwrap_or(example.key),
            });
            vis.into_iter().chain(pictures).collect::<Vec<_>>()
        };
        [("unit", self.unit), ("direction", self.direction)].into_iter().flat_map(of).collect()
    }

    /// Adds what follows from the stored numbers to the values for prose.
    pub(super) fn derive(&self, tree: &mut Value) {
        for (name, look) in self.both() {
            let tree = &mut tree[name];
            tree["vis"] = json!(look.vis.as_ref().map(|vis| vis.activation));
            let Some(strongest) = &look.strongest else { continue };
            for (at, example) in strongest.pictures.iter().enumerate() {
                let away = deviations(example.activation, strongest.mean, strongest.sd);
                tree["strongest"]["pictures"][at]["deviations"] = json!(away);
            }
            let own = strongest.of_concept.iter().filter(|is| **is).count();
            tree["strongest"]["of_concept"] = own.into();
        }
    }
}

/// Made-up looks, in which the strongest picture has this activation.
pub(super) fn sample(activation: f64) -> Looks {
    let look = |first: &str, vis: &str, own: bool| Look {
        strongest: Some(Strongest {
            mean: 0.5,
            sd: 0.25,
            pictures: vec![Example {
                key: first.to_owned(),
                activation,
                picture: format!("{first}.png"),
                width: 6,
                height: 4,
                ..Example::default()
            }],
            of_concept: vec![own],
        }),
        vis: Some(Vis { picture: format!("{vis}.png"), size: 6, activation: activation + 1.0 }),
    };
    Looks { unit: look("001", "unit", false), direction: look("002", "direction", true) }
}

/// The pictures of [`sample`].
pub(super) fn painted() -> Vec<Painted> {
    let sized = [("unit.png", 6), ("001.png", 4), ("direction.png", 6), ("002.png", 4)];
    sized.map(|(name, height)| Painted::png(name, 6, height)).to_vec()
}
