//! Measures `zero_shot`: zero-shot classification of images, against classes that texts name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::Origin;
use neuronotes_core::kind::zero_shot::{Example, Judged, Outcome, Params, Survey, Truth};
use tch::{Kind, Tensor};

use super::truth::{by_label, labels, truth};
use crate::failure::Failure;
use crate::gallery::{Gallery, pictures_of};
use crate::picture::Picture;
use crate::table::{Embedded, embeddings, nothing_read, said};
use crate::vector::{Prompts, Row, dot, pictures, softmax};
use crate::workbench::Workbench;

/// Maximum number of labels outside the classes that are named, the most common first.
const MOST_OUTSIDE: usize = 3;
/// Images in one matrix product.
const CHUNK: usize = 4096;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let mut params: Params = bench.params()?;
    let clip = bench.clip(&[])?;
    let of_data = params.images.is_empty() && params.figures.is_empty();
    let mut shards = Vec::new();
    if of_data {
        let dataset = bench.dataset()?;
        shards = embeddings(bench, dataset, None)?;
    }
    for (index, shard) in shards.iter_mut().enumerate() {
        let dataset = bench.dataset()?;
        said(bench, dataset, index, &mut shard.samples)?;
    }
    if params.classes.is_empty() {
        let samples = shards.iter().flat_map(|shard| &shard.samples);
        params.classes = labels(samples, params.truth)?;
    }
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.classes.iter().map(|class| &*class.names).collect();
    let directions = prompts.encode(&clip, &groups, bench.monitor)?;
    let scale = clip.logit_scale();
    let (images, survey) = match of_data {
        true => (Vec::new(), Some(survey(bench, &params, &shards, &directions, scale)?)),
        false => (judge(bench, &params, &directions, scale)?, None),
    };
    let classes = params.classes.into_iter().map(|class| class.label).collect();
    let outcome = Outcome { classes, logit_scale: scale, images, survey };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// Classifies the block's pictures, or those of the figures that it uses.
fn judge(
    bench: &mut Workbench<'_>,
    params: &Params,
    directions: &[Row],
    scale: f64,
) -> Result<Vec<Judged>, Failure> {
    let clip = bench.clip(&[])?;
    let mut gallery = Gallery::default();
    let mut judged = Vec::new();
    let mut all = Vec::new();
    for digest in &params.images {
        all.push((None, bench.picture(*digest)?));
    }
    for key in &params.figures {
        let found = pictures_of(bench, *key)?;
        all.extend(found.into_iter().map(|(origin, picture)| (Some(origin), picture)));
    }
    let (origins, all): (Vec<Option<Origin>>, Vec<Picture>) = all.into_iter().unzip();
    // Alone, so that the same picture is judged the same in every figure.
    let rows = pictures(&clip, &all, true, bench.monitor)?;
    for ((origin, picture), row) in origins.into_iter().zip(all).zip(rows) {
        let stored = gallery.add(bench, picture)?;
        let similarities: Vec<f64> = directions.iter().map(|class| dot(class, &row)).collect();
        judged.push(Judged {
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
            probabilities: softmax(&similarities, scale),
            similarities,
            origin,
        });
    }
    Ok(judged)
}

/// Classifies a whole data set.
fn survey(
    bench: &mut Workbench<'_>,
    params: &Params,
    shards: &[Embedded],
    directions: &[Row],
    scale: f64,
) -> Result<Survey, Failure> {
    let mut tally = Tally::new(params);
    for (shard, embedded) in shards.iter().enumerate() {
        let columns = embedded.columns.max(1);
        let chunks = embedded.embeddings.chunks(CHUNK * columns);
        for (chunk, samples) in chunks.zip(embedded.samples.chunks(CHUNK)) {
            bench.monitor.check()?;
            for (sample, similarities) in
                samples.iter().zip(similarities(chunk, columns, directions)?)
            {
                tally.add(shard, sample, &similarities, scale);
            }
        }
        tally.row = 0;
    }
    if tally.survey.count == 0 {
        return Err(nothing_read(bench));
    }
    let (mut survey, kept) = tally.end();
    let mut gallery = Gallery::default();
    for found in kept {
        bench.monitor.check()?;
        let sample = &shards[found.shard].samples[found.row];
        let (stored, _) = gallery.add_sample(bench, found.shard, &sample.key)?;
        survey.examples.push(Example {
            key: sample.key.clone(),
            caption: sample.caption.clone(),
            truth: found.truth,
            predicted: found.predicted,
            probability: found.probability,
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
        });
    }
    Ok(survey)
}

/// Cosines of embeddings, `[n, columns]`, with each class; a row for each embedding.
fn similarities(chunk: &[f32], columns: usize, directions: &[Row]) -> Result<Vec<Row>, Failure> {
    let classes = directions.len();
    let flat: Vec<f64> = directions.iter().flatten().copied().collect();
    let directions = Tensor::from_slice(&flat).view([classes as i64, -1]); // [classes, columns]
    let rows = Tensor::from_slice(chunk).to_kind(Kind::Double).view([-1, columns as i64]);
    let lengths = rows.norm_scalaropt_dim(2.0, [1i64].as_slice(), true).clamp_min(1e-12);
    let cosines = (rows / lengths).f_matmul(&directions.f_transpose(0, 1)?)?; // [n, classes]
    let flat: Vec<f64> = Vec::try_from(cosines.contiguous().view(-1))?;
    Ok(flat.chunks_exact(classes.max(1)).map(<[f64]>::to_vec).collect())
}

/// An image that may be shown.
#[derive(Debug, Clone)]
struct Found {
    shard: usize,
    row: usize,
    truth: Option<u32>,
    predicted: u32,
    probability: f64,
}

/// The counts of a survey, as they accumulate.
struct Tally {
    truth: Truth,
    examples: usize,
    by_label: HashMap<String, u32>,
    /// Row in the shard.
    row: usize,
    survey: Survey,
    confusion: BTreeMap<(u32, u32), u64>,
    outside: BTreeMap<String, u64>,
    mistakes: Vec<Found>,
    surest: Vec<Found>,
}

impl Tally {
    fn new(params: &Params) -> Self {
        let by_label = by_label(&params.classes);
        let survey = Survey {
            count: 0,
            unlabelled: 0,
            outside: 0,
            strangers: Vec::new(),
            confusion: Vec::new(),
            top5: 0,
            predicted: vec![0; params.classes.len()],
            examples: Vec::new(),
        };
        Self {
            truth: params.truth,
            examples: params.examples as usize,
            by_label,
            row: 0,
            survey,
            confusion: BTreeMap::new(),
            outside: BTreeMap::new(),
            mistakes: Vec::new(),
            surest: Vec::new(),
        }
    }

    fn add(&mut self, shard: usize, sample: &Sample, similarities: &[f64], scale: f64) {
        let row = self.row;
        self.row += 1;
        self.survey.count += 1;
        // Of equal classes the earlier one counts.
        let best = (0..similarities.len())
            .max_by(|&a, &b| similarities[a].total_cmp(&similarities[b]).then(b.cmp(&a)))
            .unwrap_or_default();
        self.survey.predicted[best] += 1;
        let written = truth(sample, self.truth);
        let class = written.and_then(|text| self.by_label.get(&text.to_lowercase()).copied());
        match (written, class) {
            (None, _) => self.survey.unlabelled += 1,
            (Some(text), None) => {
                self.survey.outside += 1;
                *self.outside.entry(text.to_owned()).or_default() += 1;
            }
            (_, Some(class)) => {
                *self.confusion.entry((class, best as u32)).or_default() += 1;
                let own = similarities[class as usize];
                let ahead = similarities.iter().enumerate();
                let ahead =
                    ahead.filter(|&(at, &x)| x > own || (x == own && at < class as usize)).count();
                self.survey.top5 += u64::from(ahead < 5);
            }
        }
        let found = Found {
            shard,
            row,
            truth: class,
            predicted: best as u32,
            probability: softmax(similarities, scale)[best],
        };
        if class.is_some_and(|class| class != found.predicted) {
            keep(&mut self.mistakes, found.clone(), self.examples);
        }
        keep(&mut self.surest, found, self.examples);
    }

    /// The survey without its examples, and the examples.
    fn end(self) -> (Survey, Vec<Found>) {
        let mut strangers: Vec<(String, u64)> = self.outside.into_iter().collect();
        strangers.sort_by_key(|(_, count)| Reverse(*count));
        strangers.truncate(MOST_OUTSIDE);
        let known = !self.confusion.is_empty();
        let confusion = self.confusion.into_iter().map(|((a, b), count)| (a, b, count)).collect();
        let survey = Survey { strangers, confusion, ..self.survey };
        (survey, if known { self.mistakes } else { self.surest })
    }
}

/// Keeps the `most` images of greatest probability, greatest first; of equal ones the earlier.
fn keep(kept: &mut Vec<Found>, found: Found, most: usize) {
    let at = kept.partition_point(|known| known.probability >= found.probability);
    if at < most {
        kept.insert(at, found);
        kept.truncate(most);
    }
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::class::Class;

    use super::*;

    fn sample(label: Option<&str>) -> Sample {
        Sample { key: "a".into(), caption: None, label: label.map(str::to_owned) }
    }

    fn tally(examples: u32) -> Tally {
        let class = |label: &str| Class { label: label.into(), names: vec![label.into()] };
        Tally::new(&Params {
            images: vec![],
            figures: vec![],
            classes: vec![class("Cat"), class("dog")],
            templates: vec!["{}".into()],
            truncate: false,
            truth: Truth::Label,
            examples,
        })
    }

    #[test]
    fn images_are_counted_by_what_they_are_and_what_they_are_taken_for() {
        let mut tally = tally(1);
        for (label, similarities) in [
            (Some("cat"), [0.3, 0.2]),
            (Some("DOG"), [0.4, 0.1]),
            (Some("dog"), [0.2, 0.2]),
            (Some("cow"), [0.1, 0.9]),
            (None, [0.0, 0.1]),
        ] {
            tally.add(0, &sample(label), &similarities, 10.0);
        }
        let (survey, kept) = tally.end();
        assert_eq!((survey.count, survey.unlabelled, survey.outside, survey.top5), (5, 1, 1, 3));
        assert_eq!(survey.confusion, [(0, 0, 1), (1, 0, 2)]);
        assert_eq!(survey.predicted, [3, 2]);
        assert_eq!(survey.strangers, [("cow".to_owned(), 1)]);
        // The surest mistake, and not the surest of all.
        assert_eq!((kept.len(), kept[0].row, kept[0].truth), (1, 1, Some(1)));
        assert!((kept[0].probability - 1.0 / (1.0 + (-3.0f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn without_labels_the_surest_are_kept() {
        let mut tally = tally(2);
        for similarities in [[0.3, 0.2], [0.4, 0.1], [0.2, 0.2]] {
            tally.add(0, &sample(None), &similarities, 10.0);
        }
        let (survey, kept) = tally.end();
        assert!(survey.confusion.is_empty());
        assert_eq!(kept.iter().map(|found| found.row).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn a_softmax_of_great_numbers_stays_a_number() {
        let all = softmax(&[10.0, 9.0, -10.0], 100.0);
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12 && all[0] > 0.999, "{all:?}");
    }

    #[test]
    fn cosines_are_of_embeddings_of_any_length() {
        let directions = vec![vec![1.0, 0.0], vec![0.6, 0.8]];
        let all = similarities(&[3.0, 4.0, 0.0, 7.0], 2, &directions).expect("cosines");
        for (found, expected) in all.concat().iter().zip([0.6, 1.0, 0.0, 0.8]) {
            assert!((found - expected).abs() < 1e-12, "{all:?}");
        }
    }
}
