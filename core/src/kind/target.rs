//! What a block is about: which of the fields of [`TARGET`](super::TARGET) go together.

use serde_json::{Map, Value};

use super::entry::{About, Fault, Kind};
use super::scan::Pool;
use super::term::DIRECTION;

/// The fields of which a block has one.
pub(super) const TARGETS: [&str; 4] = ["unit", "units", DIRECTION, "target"];
/// The parameters that may differ between requests whose targets are optimised together.
pub const OF_TARGET: [&str; 4] = ["unit", DIRECTION, "image", "sign"];
/// The same as [`TARGETS`], in a sentence.
pub(super) const ONE_OF: &str = "one of `unit`, `units`, `direction` and `target`";

/// Those of [`TARGETS`] that a block has.
pub(super) fn given(fields: &Map<String, Value>) -> Vec<&'static str> {
    TARGETS.into_iter().filter(|name| fields.contains_key(*name)).collect()
}

impl Kind {
    /// The first problem with a combination of a block's fields, before defaults are filled in.
    pub fn faulty(&self, fields: &Map<String, Value>) -> Option<Fault> {
        let about = (self.about == About::Unit).then(|| fault(self.name, fields)).flatten();
        about.or_else(|| (self.fault)(fields))
    }
}

/// What is wrong with the target of a block that needs one: none, more than one, or a unit without a layer.
pub(super) fn fault(kind: &str, fields: &Map<String, Value>) -> Option<Fault> {
    if given(fields).is_empty() {
        return Some(Fault {
            field: "layer",
            message: format!("`{kind}` needs {ONE_OF}"),
            hint: "`unit: 42` is one channel of the `layer`, counted from 0",
        });
    }
    several(fields).or_else(|| without_layer(fields))
}

/// What is wrong with a block that has more than one target.
pub(super) fn several(fields: &Map<String, Value>) -> Option<Fault> {
    let [first, second, ..] = given(fields)[..] else { return None };
    Some(Fault {
        field: second,
        message: format!("a block can have only one of `{first}` and `{second}`"),
        hint: "use `units` for several units, and `sum` to add directions",
    })
}

/// What is wrong with a block that has units and no layer: only a direction has one by default, the embedding.
pub(super) fn without_layer(fields: &Map<String, Value>) -> Option<Fault> {
    let name = *given(fields).first()?;
    (["unit", "units"].contains(&name) && !fields.contains_key("layer")).then(|| Fault {
        field: name,
        message: format!("`{name}` needs a `layer`"),
        hint: "give a layer; `neuronotes model info` lists them",
    })
}

/// The error of a pooling over positions, which a direction does not have.
pub(super) fn pooling(fields: &Map<String, Value>) -> Option<Fault> {
    let name = given(fields).into_iter().find(|name| *name != "unit")?;
    let pool = fields.get("pool").and_then(Value::as_str);
    (pool == Some(Pool::Max.word())).then(|| Fault {
        field: "pool",
        message: format!("`pool: max` needs a single `unit`, but this block has `{name}`"),
        hint: "remove `pool`: scans keep each unit's maximum over positions, not a direction's",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(names: &[&str]) -> Map<String, Value> {
        names.iter().map(|name| ((*name).to_owned(), Value::from(1))).collect()
    }

    #[test]
    fn a_block_has_one_target_and_a_unit_has_a_layer() {
        let wrong = |names: &[&str]| fault("made_up", &fields(names)).map(|fault| fault.message);
        assert_eq!(wrong(&["layer", "unit"]), None);
        assert_eq!(wrong(&["target"]), None);
        assert_eq!(wrong(&[DIRECTION]), None);
        assert_eq!(wrong(&["layer"]), Some(format!("`made_up` needs {ONE_OF}")));
        assert_eq!(wrong(&["units"]), Some("`units` needs a `layer`".to_owned()));
        let both = "a block can have only one of `unit` and `target`";
        assert_eq!(wrong(&["layer", "target", "unit"]), Some(both.to_owned()));
        for name in TARGETS {
            assert!(ONE_OF.contains(&format!("`{name}`")));
        }
    }

    #[test]
    fn only_a_unit_has_a_maximum_over_positions() {
        let pooled = |name: &str, pool: &str| {
            let mut fields = fields(&["layer", name]);
            fields.insert("pool".to_owned(), pool.into());
            pooling(&fields).map(|fault| fault.field)
        };
        assert_eq!(pooled("unit", "max"), None);
        assert_eq!(pooled("target", "mean"), None);
        assert_eq!(pooled("units", "max"), Some("pool"));
    }
}
