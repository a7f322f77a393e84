//! Controls that contain the concept: the concept's pictures, and the directions that are controls, in; how many of the
//! pictures are among those that a control points to, out.

use std::collections::BTreeSet;

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::direction;
use neuronotes_core::kind::group::Group;
use neuronotes_core::kind::term::{Source, Term};
use neuronotes_core::request::Request;

use crate::group::{Members, Own};

/// The concept, as far as controls may contain it.
#[derive(Debug)]
pub(super) struct Concept<'a> {
    /// As the block has it.
    pub group: &'a Group,
    /// Its pictures.
    pub members: &'a Members,
    /// The data set, if the block has one.
    pub own: Option<&'a Own>,
    /// The measurement.
    pub request: &'a Request,
}

impl Concept<'_> {
    /// How many of its pictures are among those that a control points to.
    pub(super) fn shared(&self, control: &[Term]) -> u64 {
        let mut groups = Vec::new();
        pointed(self.request, control, &mut groups);
        let mut found = BTreeSet::new();
        for (group, dataset) in &groups {
            found.extend(self.among(group, *dataset));
        }
        found.len() as u64
    }

    /// The places, among its pictures, of those in a group; `dataset` is the data set of the control.
    fn among(&self, group: &Group, dataset: Option<&DatasetRef>) -> Vec<usize> {
        let content = |dataset: Option<&DatasetRef>| Some(dataset?.pictures().content());
        let same = content(dataset) == content(self.request.dataset.as_ref());
        let own = self.own.filter(|_| same || !group.is_of_own());
        match (group, self.group, own) {
            (Group::Labels(_) | Group::Captions(_) | Group::Keys(_), _, Some(own)) => {
                let holds = |place: &usize| group.holds(&own.0.samples[*place]);
                let places = self.members.own.iter().enumerate();
                places.filter(|(_, place)| holds(place)).map(|(at, _)| at).collect()
            }
            (Group::Dataset(theirs), Group::Dataset(ours), _) if theirs == ours => {
                (0..self.members.captions.len()).collect()
            }
            (Group::Images(theirs), Group::Images(ours), _)
            | (Group::Words(theirs), Group::Words(ours), _) => {
                let known = ours.iter().enumerate().filter(|(_, item)| theirs.contains(item));
                known.map(|(at, _)| at).collect()
            }
            _ => vec![],
        }
    }
}

/// The groups of pictures that a direction points to, each with the data set that labels and captions are of.
fn pointed<'a>(
    request: &'a Request,
    terms: &[Term],
    found: &mut Vec<(Group, Option<&'a DatasetRef>)>,
) {
    for term in terms.iter().filter(|term| term.weight > 0.0) {
        match &term.of {
            Source::Images(images) => found.push((Group::Images(images.clone()), None)),
            Source::Words(words) => found.push((Group::Words(words.clone()), None)),
            Source::Target(key) => {
                let Some(used) = request.uses.iter().find(|used| used.key().hex() == *key) else {
                    continue;
                };
                let params = direction::KIND.params::<direction::Params>(&used.params);
                let Ok(params) = params else { continue };
                if let Some(positive) = params.positive {
                    found.push((positive, used.dataset.as_ref()));
                }
                pointed(used, &params.direction.unwrap_or_default(), found);
            }
            Source::Text(_) | Source::Units(_) | Source::Use(_) | Source::Dataset(_) => {}
        }
    }
}
