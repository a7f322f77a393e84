//! A dictionary's entry in `neuronotes.yaml`: its file and its layer.

use std::ops::Range;

use super::settings::Settings;
use super::source::Source;
use crate::yaml::{Entry, Value};

/// The fields of an entry.
const FIELDS: [&str; 3] = ["path", "layer", "model"];

/// A configured dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct DictionarySource {
    /// Its file.
    pub source: Source,
    /// The layer that it is over, in any spelling.
    pub layer: String,
    /// The layer's model; the default one if left out.
    pub model: Option<String>,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

impl DictionarySource {
    /// The entry in one line.
    pub fn written(&self) -> String {
        let model = self.model.as_ref().map(|model| format!("; model: {model}"));
        format!("{}; layer: {}{}", self.source.written, self.layer, model.unwrap_or_default())
    }
}

impl Settings<'_> {
    pub(super) fn dictionary(&mut self, named: &Entry) -> Option<DictionarySource> {
        let Value::Map(fields) = &named.node.value else {
            let expected =
                "a mapping, such as { path: sae.safetensors, layer: image_block_4/5/Add_6 }";
            self.wrong(&named.node, &named.key, expected);
            return None;
        };
        let (mut path, mut layer, mut model) = (None, None, None);
        for field in fields {
            match field.key.as_str() {
                "path" => path = self.text(field),
                "layer" => layer = self.text(field),
                "model" => model = self.text(field),
                _ => self.unknown(field, &format!("`{}`", named.key), &FIELDS),
            }
        }
        let source = self.source(named, path.unwrap_or_default())?;
        let Some(layer) = layer else {
            let message = format!("`{}` has no `layer`", named.key);
            let hint = "name the layer whose units its encoder reads";
            self.problems.push(self.reader.at_key(named, message).hint(hint));
            return None;
        };
        Some(DictionarySource { source, layer, model, span: self.reader.key_span(named) })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn a_dictionary_has_a_file_a_layer_and_a_model() {
        let text = "models: { a: a.pt, b: b.pt }\ndefaults: { model: b }\ndictionaries:\n  \
                    d: { path: d.safetensors, layer: visual.layer4.0 }\n  \
                    e: { path: e.safetensors, layer: visual.layer4.0, model: a }\n";
        let (config, problems) = parse(text, Path::new("/garden"));
        assert_eq!(problems, []);
        let [d, e] = ["d", "e"].map(|name| &config.dictionaries[name]);
        assert_eq!((config.model_of(d), config.model_of(e)), (Some("b"), Some("a")));
        assert_eq!(d.written(), "d.safetensors; layer: visual.layer4.0");
        assert_eq!(e.written(), "e.safetensors; layer: visual.layer4.0; model: a");
    }

    #[test]
    fn mistakes_about_a_dictionary_have_their_places_and_hints() {
        let all: Vec<String> = [
            "dictionaries:\n  d: d.safetensors\n",
            "dictionaries:\n  d: { layer: a }\n",
            "dictionaries:\n  d: { path: d.safetensors }\n",
            "dictionaries:\n  d: { path: ../d.safetensors, layer: a, model: emoji }\n",
            "dictionaries:\n  d: { path: d.safetensors, layers: a }\n",
            "dictionaries:\n  d: { path: d.safetensors, layer: a }\n",
            "dictionaries:\n  d: { path: d.safetensors, layer: a, model: emojy }\n",
            "models: { a: a.pt, b: b.pt }\ndictionaries:\n  d: { path: d.safetensors, layer: a }\n",
        ]
        .iter()
        .flat_map(|text| parse(text, Path::new("/garden")).1)
        .map(|problem| problem.to_string())
        .collect();
        insta::assert_snapshot!(all.join("\n"));
    }
}
