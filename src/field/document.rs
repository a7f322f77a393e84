//! The registry as documentation: what `neuronotes kinds` prints, as Markdown.

use neuronotes_core::kind::{
    About, COMMON, Data, Field, KINDS, Kind, PROVENANCE, Preset, Recipe, Role, TARGET, Type,
};
use neuronotes_core::suggest;

use super::table::family;

/// All kinds, a line each.
pub fn overview() -> String {
    let width = KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let mut out = String::from("A note asks for a figure in a block such as:\n\n");
    if let Some(kind) = KINDS.first() {
        out.push_str(&format!("```yaml analysis\n{}```\n\n", kind.example));
    }
    for kind in KINDS {
        out.push_str(&format!("{:width$}  {}\n", kind.name, kind.summary));
    }
    out.push_str("\n`neuronotes kinds KIND` documents one with all its fields and values.\n");
    out
}

/// A garden's names for use in examples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Local {
    /// A layer of the garden's default model; `None` if that model has the example's layer.
    pub layer: Option<String>,
    /// Whether blocks must name a model because the garden has no default.
    pub names_model: bool,
    /// Whether blocks must name a data set.
    pub names_dataset: bool,
}

/// A kind's example, as it can be pasted into a note of the garden.
fn example(kind: &Kind, local: &Local) -> String {
    let mut out = String::new();
    let mut named = false;
    for line in kind.example.lines() {
        match (line.strip_prefix("layer: "), &local.layer) {
            (Some(_), Some(layer)) => out.push_str(&format!("layer: {layer}\n")),
            _ => out.push_str(&format!("{line}\n")),
        }
        named |= line.starts_with("dataset: ");
    }
    if local.names_model {
        out.push_str("model: emoji\n");
    }
    if local.names_dataset && !named && kind.data == Data::Always {
        out.push_str("dataset: emoji\n");
    }
    out
}

/// The fields that name a block's subject, in the order in which they are needed.
fn needed(kind: &Kind) -> Vec<&'static Field> {
    let about = |field: &&Field| {
        field.default == Preset::Required
            || TARGET.iter().any(|target| std::ptr::eq(target, *field))
    };
    let mut fields: Vec<_> = kind.all_fields().filter(about).collect();
    fields.sort_by_key(|field| !matches!(field.ty, Type::Layer | Type::Unit));
    fields
}

/// One kind with all its fields, and an example for a garden.
pub fn kind(kind: &Kind, local: &Local) -> String {
    let mut out = format!("# {}\n\n{}: {}.\n\n{}\n", kind.name, kind.name, kind.summary, kind.doc);
    out.push_str(&format!("\n```yaml analysis\n{}```\n", example(kind, local)));
    let needed = needed(kind);
    if !needed.is_empty() {
        out.push_str("\n## What it needs\n\n");
        out.push_str(match kind.about {
            About::Nothing | About::Layer => "",
            About::Unit => "One of `unit`, `units`, `direction` and `target`; units also need a `layer`.\n\n",
            About::Target => "One of `unit`, `units`, `direction` and `target`, unless another field takes their place; units also need a `layer`.\n\n",
        });
        out.extend(needed.iter().map(|field| entry(field)));
    }
    let is_needed = |field: &&Field| needed.iter().any(|other| std::ptr::eq(*other, *field));
    if !kind.recipes.is_empty() {
        out.push_str(
            "\n## Recipes (what `recipe` fills in; each value can be given by itself)\n\n",
        );
        out.extend(
            kind.recipe_field().into_iter().map(entry).chain(kind.recipes.iter().map(recipe)),
        );
    }
    for (role, title) in [
        (Role::Compute, "What is measured (a change measures again)"),
        (Role::Presentation, "How it is shown (a change never measures)"),
    ] {
        out.push_str(&format!("\n## {title}\n\n"));
        let fields = kind.all_fields().filter(|field| field.role == role);
        // The model and the data first: they are what differs from garden to garden.
        let mut fields: Vec<&Field> = fields.filter(|field| !is_needed(field)).collect();
        fields.sort_by_key(|field| !matches!(field.ty, Type::Model | Type::Dataset));
        out.extend(fields.into_iter().map(entry));
    }
    out.push_str(&values(kind));
    out.push_str(&format!(
        "\n## Its own noise (what `neuronotes reproduce` takes for the same)\n\n{}\n",
        kind.noise.said(&kind.values)
    ));
    out
}

/// Markdown with lines of at most `width` characters: paragraphs and items of lists are wrapped, code is not.
pub fn wrapped(markdown: &str, width: usize) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for line in markdown.lines() {
        in_code ^= line.starts_with("```");
        let indent = if line.starts_with("- ") { "  " } else { "" };
        let (mut length, mut first) = (0, true);
        if in_code || line.starts_with(['`', '#', '|', ' ']) && line.chars().count() <= width {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        for word in line.split(' ') {
            let wide = word.chars().count();
            if !first && length + 1 + wide > width && wide > 0 {
                out.push('\n');
                out.push_str(indent);
                length = indent.len();
            } else if !first {
                out.push(' ');
                length += 1;
            }
            out.push_str(word);
            length += wide;
            first = false;
        }
        out.push('\n');
    }
    out
}

/// The values of a kind's results that prose can show.
fn values(kind: &Kind) -> String {
    let id = COMMON.iter().find(|field| field.ty == Type::Id).map_or("id", |field| field.name);
    let given = |line: &'static str| line.strip_prefix(id)?.strip_prefix(": ");
    let id = kind.example.lines().find_map(given).unwrap_or(id);
    let mut out = format!("\n## Values (what prose can show: `` `= {id}.…` ``)\n\n");
    for value in kind.values.named.iter().chain(PROVENANCE) {
        let unit = if value.unit.is_empty() { String::new() } else { format!(" ({})", value.unit) };
        out.push_str(&format!("- `{}`{unit}: {}\n", value.path, value.doc));
    }
    out.push_str(
        "- every field of *What is measured*, with its default: `layer` and `unit` as the figure names them.\n",
    );
    if kind.sweep {
        out.push_str(&format!(
            "\nOne measurement of a `sweep` is chosen by its values or its index: `= {id}[unit=4].…`, `= {id}.cells[0].…`; \
             `= {id}.cells.length` is their number.\n"
        ));
    }
    out.push_str(VALUES);
    out
}

/// How values are written in prose.
const VALUES: &str = "
`n` counts from 0, or from the end: `[-1]`. A list has a `length`; `list.field` is that field of each of its items, and
`[field=text]` the first item of which that holds; `[:8]` are the first eight. A format may follow, as in Python: `| .1f` (decimals), `| .2e`, `| .0%`,
`| d` (a whole number), `| ,` (thousands), `| +.2f` (with a sign). Without one a measured number has three digits. A figure of
another note is written with the note's name, as in a wikilink: `` `= Note#id.…` ``. A space before the sign, `` ` = … ` ``, leaves code as it is.

Values can be computed and tested: `` `= count of id.list.label in names` ``, `` `= id.value | .1f ? > 3` ``. In `expect:`, a block says what the note
expects of its values, without `=` and its own id: `top[0].activation > 5`, `all top[:8].label in names`. docs/claims.md has the language.
";

/// A recipe with every value.
fn recipe(recipe: &Recipe) -> String {
    let value = |(name, value): &(&str, Preset)| format!("`{name}` {}", plain(*value));
    let values: Vec<String> = recipe.all().iter().map(value).collect();
    format!("- `{}`: {} Values: {}.\n", recipe.name, recipe.doc, values.join(", "))
}

/// A value of a recipe.
fn plain(value: Preset) -> String {
    match value {
        Preset::Integer(n) => n.to_string(),
        Preset::Number(x) => x.to_string(),
        Preset::Text(text) => text.to_owned(),
        Preset::Flag(flag) => flag.to_string(),
        _ => "as elsewhere".to_owned(),
    }
}

fn entry(field: &Field) -> String {
    let default = match field.default {
        Preset::Required => "required".into(),
        Preset::Integer(n) => format!("default {n}"),
        Preset::Number(x) => format!("default {x}"),
        Preset::Text(text) => format!("default `{text}`"),
        Preset::Texts(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            format!("default {}", suggest::quoted(&texts, "and"))
        }
        Preset::Numbers(numbers) => {
            let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
            format!("default `[{}]`", numbers.join(", "))
        }
        Preset::Flag(flag) => format!("default {flag}"),
        Preset::Recipe => "default from the recipe".into(),
        Preset::Configured => "default from `defaults:` in `neuronotes.yaml`".into(),
        Preset::Absent => "optional".into(),
    };
    format!("- `{}` ({}; {default}): {}\n", field.name, family(field.ty).takes(), field.doc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_field_is_documented() {
        insta::assert_snapshot!(overview());
        for each in KINDS {
            let text = kind(each, &Local::default());
            for field in each.all_fields() {
                assert!(!field.doc.is_empty() && text.contains(field.doc), "{}", field.name);
            }
            for value in each.values.named {
                assert!(text.contains(value.path) && text.contains(value.doc), "{}", value.path);
            }
        }
        insta::assert_snapshot!(kind(KINDS[1], &Local::default()));
        insta::assert_snapshot!(
            "feature_vis",
            kind(&neuronotes_core::kind::feature_vis::KIND, &Local::default())
        );
        insta::assert_snapshot!(
            "zero_shot",
            kind(&neuronotes_core::kind::zero_shot::KIND, &Local::default())
        );
        insta::assert_snapshot!(
            "text_rank",
            kind(&neuronotes_core::kind::text_rank::KIND, &Local::default())
        );
    }

    #[test]
    fn what_is_needed_comes_first_and_no_line_is_wider_than_the_terminal() {
        for each in KINDS {
            let text = wrapped(&kind(each, &Local::default()), 72);
            let mut in_code = false;
            for line in text.lines() {
                in_code ^= line.starts_with("```");
                let one_word = !line.trim_start_matches("- ").trim().contains(' ');
                assert!(in_code || one_word || line.chars().count() <= 72, "{line}");
            }
        }
        let text = kind(&neuronotes_core::kind::feature_vis::KIND, &Local::default());
        let fields: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("- `")).collect();
        let names: Vec<&str> = fields.iter().filter_map(|field| field.split('`').next()).collect();
        assert_eq!(names[..4], ["layer", "unit", "units", "direction"]);
        assert_eq!(names.iter().filter(|name| **name == "unit").count(), 1, "once");
    }

    #[test]
    fn an_example_is_one_for_the_garden() {
        let local =
            Local { layer: Some("visual.layer4.2".into()), names_model: true, names_dataset: true };
        let text = kind(&neuronotes_core::kind::dataset_examples::KIND, &local);
        assert!(
            text.contains("layer: visual.layer4.2\n") && !text.contains("layer: image"),
            "{text}"
        );
        assert!(text.contains("model: emoji\ndataset: emoji\n```"), "{text}");
    }
}
