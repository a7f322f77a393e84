//! Conventions: what decides a CLIP's outputs and cannot be inferred from the shapes of its weights.
//!
//! Each is taken from the first of these sources that states it: the garden's configuration; the JSON that open_clip
//! (`open_clip_config.json`) or Hugging Face (`config.json`, `preprocessor_config.json`) keep beside the weights; marks in
//! the weights themselves; the default of OpenAI's models. Whether a vision transformer's MLPs use GELU or QuickGELU has
//! no such default: a wrong guess would change every unit slightly, and nobody would notice.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint::Header;
use super::error::ModelError;
use super::family::Family;
use super::naming::{Names, Style};

/// Mean of red, green and blue over the images that OpenAI trained on, in 0…1.
pub const MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
/// Standard deviation of red, green and blue over those images.
pub const DEVIATION: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];

/// Most bytes of a configuration beside weights.
const LONGEST: u64 = 1 << 20;

/// What a model was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conventions {
    /// The nonlinearity between the two layers of each MLP of a transformer.
    pub activation: Activation,
    /// Subtracted from red, green and blue in 0…1.
    pub mean: [f64; 3],
    /// What the difference is divided by.
    pub deviation: [f64; 3],
    /// Attention heads of the visual tower, if a configuration says how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<u32>,
    /// Attention heads of the text tower, if a configuration says how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_heads: Option<u32>,
}

/// The nonlinearity of an MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`: all of OpenAI's models.
    QuickGelu,
    /// `x * Φ(x)`: most of open_clip's.
    Gelu,
}

/// The conventions of a model that the garden's configuration states.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// See [`Conventions::activation`].
    pub activation: Option<Activation>,
    /// See [`Conventions::mean`].
    pub mean: Option<[f64; 3]>,
    /// See [`Conventions::deviation`].
    pub deviation: Option<[f64; 3]>,
}

impl Activation {
    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::QuickGelu => "quick_gelu",
            Self::Gelu => "gelu",
        }
    }
}

impl Default for Conventions {
    /// The conventions of OpenAI's models.
    fn default() -> Self {
        Self {
            activation: Activation::QuickGelu,
            mean: MEAN,
            deviation: DEVIATION,
            heads: None,
            text_heads: None,
        }
    }
}

/// The conventions that a file beside the weights states.
#[derive(Debug, Default)]
struct Found {
    given: Given,
    heads: Option<u32>,
    text_heads: Option<u32>,
}

impl Conventions {
    /// Finds what the weights at `path` were trained with.
    ///
    /// # Errors
    /// Fails if nothing says which nonlinearity a vision transformer has, or if a file beside the weights asks
    /// for something unsupported.
    pub fn of(path: &Path, header: &Header, given: &Given) -> Result<Self, ModelError> {
        let names = Names::of(header);
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        let beside = match names.style() {
            Style::HuggingFace => hugging_face(folder)?,
            Style::OpenAi | Style::Nested => open_clip(folder)?,
        };
        // OpenAI's archives carry their sizes as tensors.
        let marks = ["input_resolution", "context_length", "vocab_size"];
        let marked =
            |mark: &&str| header.tensors.contains_key(&format!("{}{mark}", names.prefix()));
        let is_openai = marks.iter().any(marked);
        let family = Family::of(|name| names.shape(header, name).is_some());
        let is_usual = family.is_none_or(|family| family.quick_gelu);
        let unsaid = (is_openai || is_usual).then_some(Activation::QuickGelu);
        let activation = given.activation.or(beside.given.activation).or(unsaid);
        Ok(Self {
            activation: activation.ok_or(ModelError::Activation)?,
            mean: given.mean.or(beside.given.mean).unwrap_or(MEAN),
            deviation: given.deviation.or(beside.given.deviation).unwrap_or(DEVIATION),
            heads: beside.heads,
            text_heads: beside.text_heads,
        })
    }
}

/// The JSON at `folder/name`, if there is such a file.
fn json(folder: &Path, name: &str) -> Result<Option<Value>, ModelError> {
    let path = folder.join(name);
    match fs::metadata(&path) {
        Ok(data) if data.is_file() && data.len() <= LONGEST => {}
        _ => return Ok(None),
    }
    let unusable = |why: String| ModelError::Beside { path: path.clone(), why };
    let text = crate::file::read(&path, LONGEST).and_then(crate::file::text);
    let text = text.map_err(|error| unusable(error.to_string()))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| unusable(format!("it is not JSON: {error}")))
}

fn colour(value: &Value) -> Option<[f64; 3]> {
    let numbers: Vec<f64> = value.as_array()?.iter().filter_map(Value::as_f64).collect();
    numbers.try_into().ok()
}

fn whole(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// Reads open_clip's `CLIPVisionCfg` and `PreprocessCfg`, with their defaults.
fn open_clip(folder: &Path) -> Result<Found, ModelError> {
    let name = "open_clip_config.json";
    let Some(config) = json(folder, name)? else { return Ok(Found::default()) };
    let (model, preprocess) = (&config["model_cfg"], &config["preprocess_cfg"]);
    let unusable = |why: String| ModelError::Beside { path: folder.join(name), why };
    for (key, known) in [("interpolation", "bicubic"), ("resize_mode", "shortest")] {
        if let Some(asked) = preprocess[key].as_str().filter(|asked| *asked != known) {
            return Err(unusable(format!(
                "it asks for the {key} `{asked}`; only `{known}` is supported"
            )));
        }
    }
    let activation = match model["quick_gelu"].as_bool() {
        Some(true) => Activation::QuickGelu,
        _ => Activation::Gelu,
    };
    let vision = &model["vision_cfg"];
    let heads = whole(&vision["width"]).zip(whole(&vision["head_width"]).filter(|&size| size > 0));
    Ok(Found {
        given: Given {
            activation: Some(activation),
            mean: colour(&preprocess["mean"]),
            deviation: colour(&preprocess["std"]),
        },
        heads: heads.map(|(width, size)| width / size),
        text_heads: whole(&model["text_cfg"]["heads"]),
    })
}

/// Reads transformers' `CLIPConfig` and `CLIPImageProcessor`, with their defaults.
fn hugging_face(folder: &Path) -> Result<Found, ModelError> {
    let mut found = Found::default();
    let name = "config.json";
    if let Some(config) = json(folder, name)? {
        let (vision, text) = (&config["vision_config"], &config["text_config"]);
        let act = |config: &Value| config["hidden_act"].as_str().unwrap_or("quick_gelu").to_owned();
        let activation = match (act(vision).as_str(), act(text).as_str()) {
            ("quick_gelu", "quick_gelu") => Activation::QuickGelu,
            ("gelu", "gelu") => Activation::Gelu,
            (vision, text) => {
                return Err(ModelError::Beside {
                    path: folder.join(name),
                    why: format!(
                        "its towers use `{vision}` and `{text}`; only `gelu` or `quick_gelu` in both can be used"
                    ),
                });
            }
        };
        found.given.activation = Some(activation);
        found.heads = whole(&vision["num_attention_heads"]);
        found.text_heads = whole(&text["num_attention_heads"]);
    }
    let name = "preprocessor_config.json";
    if let Some(config) = json(folder, name)? {
        // 3 is Pillow's number for bicubic.
        if let Some(other) = config["resample"].as_u64().filter(|&resample| resample != 3) {
            let why = format!("it asks for Pillow's filter {other}; only 3, bicubic, is supported");
            return Err(ModelError::Beside { path: folder.join(name), why });
        }
        found.given.mean = colour(&config["image_mean"]);
        found.given.deviation = colour(&config["image_std"]);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TensorInfo;

    fn header(names: &[&str]) -> Header {
        let mut header = Header::default();
        for name in names {
            header.tensors.insert((*name).to_owned(), TensorInfo::default());
        }
        header
    }

    fn conventions(files: &[(&str, &str)], names: &[&str]) -> Result<Conventions, ModelError> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        Conventions::of(&folder.path().join("w.safetensors"), &header(names), &Given::default())
    }

    const VIT: &str = "visual.class_embedding";

    #[test]
    fn a_transformer_that_nothing_is_said_of_is_refused() {
        assert!(matches!(conventions(&[], &[VIT]), Err(ModelError::Activation)));
        let given = Given { activation: Some(Activation::Gelu), ..Given::default() };
        let found = Conventions::of(Path::new("w"), &header(&[VIT]), &given).expect("said");
        assert_eq!(found.activation, Activation::Gelu);
        let marked = conventions(&[], &[VIT, "input_resolution"]).expect("OpenAI's");
        assert_eq!(marked, Conventions::default());
        let resnet = conventions(&[], &["visual.conv1.weight"]).expect("a ResNet");
        assert_eq!(resnet, Conventions::default());
    }

    #[test]
    fn open_clips_configuration_is_followed() {
        let text = r#"{"model_cfg": {"vision_cfg": {"width": 1280, "head_width": 80}, "text_cfg": {"heads": 16}},
            "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.25], "interpolation": "bicubic"}}"#;
        let found = conventions(&[("open_clip_config.json", text)], &[VIT]).expect("read");
        assert_eq!(found.activation, Activation::Gelu);
        assert_eq!((found.heads, found.text_heads), (Some(16), Some(16)));
        assert_eq!((found.mean, found.deviation), ([0.5; 3], [0.5, 0.5, 0.25]));
        let quick = r#"{"model_cfg": {"quick_gelu": true}}"#;
        let found = conventions(&[("open_clip_config.json", quick)], &[VIT]).expect("read");
        assert_eq!(found, Conventions::default());
        let squash = r#"{"preprocess_cfg": {"resize_mode": "squash"}}"#;
        let error = conventions(&[("open_clip_config.json", squash)], &[VIT]).expect_err("squash");
        assert!(error.to_string().contains("`squash`"), "{error}");
    }

    #[test]
    fn hugging_faces_configuration_is_followed() {
        let names = ["vision_model.embeddings.class_embedding"];
        assert!(matches!(conventions(&[], &names), Err(ModelError::Activation)));
        let silent = conventions(&[("config.json", "{}")], &names).expect("the default there");
        assert_eq!(silent.activation, Activation::QuickGelu);
        let gelu = r#"{"vision_config": {"hidden_act": "gelu", "num_attention_heads": 16},
            "text_config": {"hidden_act": "gelu"}}"#;
        let found = conventions(&[("config.json", gelu)], &names).expect("read");
        assert_eq!((found.activation, found.heads), (Activation::Gelu, Some(16)));
        let mixed = r#"{"vision_config": {"hidden_act": "gelu"}}"#;
        assert!(conventions(&[("config.json", mixed)], &names).is_err());
        let torn = conventions(&[("config.json", "{")], &names).expect_err("torn");
        assert!(torn.to_string().contains("not JSON"), "{torn}");
        let filter = conventions(
            &[("config.json", "{}"), ("preprocessor_config.json", r#"{"resample": 2}"#)],
            &names,
        );
        assert!(filter.is_err());
    }
}
