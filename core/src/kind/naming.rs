//! Checks what blocks name against what data sets say: groups of pictures, in any kind that has them.

use serde_json::{Map, Value};

use super::entry::Kind;
use super::field::Type;
use super::group::{self, Group};
use super::known::{Known, Misnamed};

/// Maximum number of problems with one group: each item of a long list may have the same mistake.
const MOST: usize = 5;

impl Kind {
    /// Problems with what a block names, given its parameters: labels and captions that its data set does not have, and
    /// whatever the kind itself finds.
    pub fn misnamed(&self, params: &Map<String, Value>, known: &mut dyn Known) -> Vec<Misnamed> {
        let mut problems = Vec::new();
        let groups = self.all_fields().filter(|field| field.ty == Type::Group);
        for field in groups {
            let Some(group) = of(params, field.name) else { continue };
            if !group.is_of_own() {
                continue;
            }
            let Some(dataset) = known.dataset() else { continue };
            let Some(said) = known.said(&dataset) else { continue };
            for (index, problem) in group.missing(&said).into_iter().take(MOST) {
                let pointer = format!("/{}/{index}", group.form());
                problems.push(Misnamed { field: field.name, pointer, problem });
            }
        }
        if problems.is_empty() {
            problems.extend((self.naming)(params, known));
        }
        problems
    }
}

/// What is wrong with `positive` and `negative`, which by default is all other pictures of the data set.
pub(super) fn two(params: &Map<String, Value>, known: &mut dyn Known) -> Option<Misnamed> {
    let positive = of(params, "positive")?;
    let said = known.dataset().and_then(|dataset| known.said(&dataset));
    let Some(negative) = of(params, "negative") else {
        if known.dataset().is_none() {
            return Some(Misnamed::new("positive", group::no_others()));
        }
        let all = said.is_some_and(|said| positive.others(&said) == Some(0));
        return all.then(|| Misnamed::new("positive", group::all_of_it()));
    };
    let common = positive.common(&negative, &*said?)?;
    Some(Misnamed::new("negative", common))
}

fn of(params: &Map<String, Value>, field: &str) -> Option<Group> {
    serde_json::from_value(params.get(field)?.clone()).ok()
}
