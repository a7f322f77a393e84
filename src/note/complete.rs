//! A block in a form that can be pasted into a note: its YAML with a fence, or with all defaults written out.

use neuronotes_core::kind::Role;

use super::block::Block;

/// YAML in the fence that makes it an analysis. The fence is longer than any in the YAML.
pub fn fenced(yaml: &str) -> String {
    let longest = yaml.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if yaml.is_empty() || yaml.ends_with('\n') { "" } else { "\n" };
    format!("{fence}yaml analysis\n{yaml}{end}{fence}\n")
}

/// The block with its fence and with every default written out; `None` if it has no kind, or if no default is
/// missing.
pub fn complete(block: &Block) -> Option<String> {
    let kind = block.kind?;
    let swept = |name: &str| block.sweep.iter().any(|axis| axis.field.name == name);
    let missing = kind.all_fields().filter(|field| {
        field.role == Role::Compute && block.fields.get(field.name).is_none() && !swept(field.name)
    });
    let mut yaml = block.yaml.trim_end().to_owned();
    let before = yaml.len();
    for field in missing {
        if let Some(value) = block.value(field) {
            yaml.push_str(&format!("\n{}: {value}", field.name));
        }
    }
    // A block in braces on one line cannot be added to.
    let grown = yaml.len() > before && !yaml.trim_start().starts_with('{');
    grown.then(|| fenced(&yaml))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::Note;

    #[test]
    fn what_is_copied_is_an_analysis_again() {
        let yaml = "kind: feature_vis\nlayer: a\nunit: 3 # here\nsteps: 64\n";
        let text = format!("{}Text.\n", fenced(yaml));
        let note = Note::parse("a.md", "notes/a.md", &text);
        assert_eq!(note.blocks[0].yaml, yaml);
        let all = complete(&note.blocks[0]).expect("defaults");
        assert!(all.starts_with("```yaml analysis\nkind: feature_vis\n"), "{all}");
        let again = Note::parse("a.md", "notes/a.md", &all);
        let block = &again.blocks[0];
        assert!(block.is_sound(), "{:?}\n{all}", block.problems);
        assert_eq!(block.fields.get("steps").map(|v| v.value.clone()), Some(64.into()));
        assert_eq!(block.fields.get("size").map(|v| v.value.clone()), Some(128.into()));
        assert_eq!(complete(block), None, "nothing is left out");
        assert!(fenced("caption: |\n  ```a\n").starts_with("````yaml analysis\n"));
    }
}
