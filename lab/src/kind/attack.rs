//! Measures `attack`: pictures classified without a text, and with a text written over them.

use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::attack::{Attack, Example, FIRST, Outcome, PLACES, Params, STEP};
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::zero_shot::Truth;
use neuronotes_core::model::Stage;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use tch::Kind;

use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::dataset::{Letters, Shard, letters};
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::pass::{Pass, Pictures};
use crate::picture::Picture;
use crate::vector::{Prompts, Row, dot, softmax, unit};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[])?;
    let side = clip.architecture.image_size;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.classes.iter().map(|class| &*class.names).collect();
    let directions = prompts.encode(&clip, &groups, bench.monitor)?;
    let judge = Judge { clip: &clip, directions: &directions, scale: clip.logit_scale() };
    let dataset = bench.dataset()?;
    let shards: Vec<Box<dyn Shard>> =
        (0..dataset.shards.len()).map(|at| bench.shard(dataset, at)).collect::<Result<_, _>>()?;
    let all = shards
        .iter()
        .flat_map(|shard| (0..shard.samples().len()).map(move |row| (shard.as_ref(), row)));
    let all: Vec<(&dyn Shard, usize)> = spread(all.collect(), params.images as usize);
    let clean = Written { rows: &all, side, letters: None };
    let before = judge.all(bench, &clean, "classifying pictures without a text")?;
    if before.iter().all(Option::is_none) {
        return Err(Failure::new("no picture of the data set can be read"));
    }
    let (mut right, mut of) = (0, 0);
    for (&(shard, row), judged) in all.iter().zip(&before) {
        let Some(judged) = judged else { continue };
        if let Some(class) = truth(&params, &shard.samples()[row]) {
            of += 1;
            right += u64::from(best(judged) == class);
        }
    }
    let mut gallery = Gallery::default();
    let mut attacks = Vec::new();
    for Class { label, names } in &params.attacks {
        let target = position(&params.classes, label)
            .ok_or_else(|| Failure::new(format!("`{label}` is not among the classes")))?;
        for text in names {
            let size = (params.size * f64::from(side)) as f32;
            let cannot = |why: String| Failure::undrawn(text, why);
            let letters = letters(text, size).map_err(cannot)?;
            let written = Written { rows: &all, side, letters: Some(&letters) };
            let after = judge.all(bench, &written, &format!("writing {text} over pictures"))?;
            let pairs: Vec<Pair<'_>> = (0..all.len())
                .filter_map(|at| {
                    Some(Pair { at, before: before[at].as_ref()?, after: after[at].as_ref()? })
                })
                .collect();
            let covered = written.covered(&pairs)?;
            let mut attack = tally(target, text, &pairs, covered);
            for pair in telling(&pairs, target, params.examples as usize) {
                let (shard, row) = all[pair.at];
                let picture = written.picture(pair.at).map_err(Failure::new)?;
                let stored = gallery.add(bench, picture)?;
                let Sample { key, caption, .. } = &shard.samples()[row];
                attack.examples.push(Example {
                    caption: caption.as_ref().unwrap_or(key).clone(),
                    was: best(pair.before) as u32,
                    is: best(pair.after) as u32,
                    before: pair.before[target],
                    after: pair.after[target],
                    picture: stored.picture,
                    side: stored.width,
                });
            }
            attacks.push(attack);
        }
    }
    let count = before.iter().flatten().count() as u64;
    let outcome = Outcome {
        skipped: all.len() as u64 - count,
        classes: params.classes.into_iter().map(|class| class.label).collect(),
        count,
        right,
        of,
        attacks,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// `most` of a list, evenly spread.
fn spread<T: Copy>(all: Vec<T>, most: usize) -> Vec<T> {
    if all.len() <= most {
        return all;
    }
    (0..most).map(|at| all[at * all.len() / most]).collect()
}

fn position(classes: &[Class], label: &str) -> Option<usize> {
    classes.iter().position(|class| class.label.eq_ignore_ascii_case(label))
}

/// The true class of an image, if it is among the classes.
fn truth(params: &Params, sample: &Sample) -> Option<usize> {
    let said = match params.truth {
        Truth::Label => sample.label.as_deref(),
        Truth::Caption => sample.caption.as_deref(),
        Truth::None => None,
    };
    position(&params.classes, said?)
}

/// The most probable class; of equal ones the first.
fn best(probabilities: &[f64]) -> usize {
    let order =
        |&a: &usize, &b: &usize| probabilities[a].total_cmp(&probabilities[b]).then(b.cmp(&a));
    (0..probabilities.len()).max_by(order).unwrap_or_default()
}

/// Pictures as the network sees them, with a text written over them.
struct Written<'a> {
    rows: &'a [(&'a dyn Shard, usize)],
    side: u32,
    letters: Option<&'a Letters>,
}

impl Pictures for Written<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn picture(&self, at: usize) -> Result<Picture, String> {
        let (shard, row) = self.rows[at];
        let mut picture = prepare(shard.picture(row)?, self.side)?;
        if let Some(letters) = self.letters {
            for (left, top) in places(letters.size) {
                letters.write(&mut picture, left, top);
            }
        }
        Ok(picture.into())
    }
}

impl Written<'_> {
    /// The mean fraction of pixels that differ from those without a text.
    fn covered(&self, pairs: &[Pair<'_>]) -> Result<f64, Failure> {
        let clean = Written { letters: None, ..*self };
        let changed = |pair: &Pair<'_>| {
            let one = |pictures: &Written<'_>| {
                pictures.picture(pair.at).and_then(Picture::into_rgb).map_err(Failure::new)
            };
            let (with, without) = (one(self)?, one(&clean)?);
            Ok(with.pixels().zip(without.pixels()).filter(|(a, b)| a != b).count())
        };
        let changed: Vec<Result<usize, Failure>> = pairs.par_iter().map(changed).collect();
        let changed = changed.into_iter().sum::<Result<usize, Failure>>()? as f64;
        let all = f64::from(self.side * self.side) * pairs.len().max(1) as f64;
        Ok(changed / all)
    }
}

/// The left and the upper edge of each text, in pixels.
fn places(size: f32) -> [(f32, f32); 8] {
    let at = |(right, down): (u32, u32)| {
        let one = |first: f64, step: f64, count: u32| {
            ((first + step * f64::from(count)) * f64::from(size)) as f32
        };
        (one(FIRST.0, STEP.0, right), one(FIRST.1, STEP.1, down))
    };
    PLACES.map(at)
}

/// Classifies pictures.
struct Judge<'a> {
    clip: &'a Clip,
    directions: &'a [Row],
    scale: f64,
}

impl Judge<'_> {
    /// The probabilities of the classes for each picture; `None` for those that cannot be read.
    fn all(
        &self,
        bench: &mut Workbench<'_>,
        pictures: &Written<'_>,
        title: &str,
    ) -> Result<Vec<Option<Row>>, Failure> {
        let mut found = vec![None; pictures.count()];
        let stages = [Stage::Embedding];
        let pass = Pass::new(self.clip, &stages, title);
        pass.run(pictures, bench.monitor, |places, activations| {
            let all = by_unit(activations.get(Stage::Embedding)?).squeeze_dim(2); // [n, embedding]
            for (row, at) in places.iter().enumerate() {
                let one = all.select(0, row as i64).to_kind(Kind::Double).contiguous();
                let one = unit(Vec::try_from(one)?, "a picture")?;
                let cosines: Vec<f64> = self.directions.iter().map(|d| dot(d, &one)).collect();
                found[*at] = Some(softmax(&cosines, self.scale));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// A picture's probabilities without and with the text.
struct Pair<'a> {
    at: usize,
    before: &'a Row,
    after: &'a Row,
}

/// Counts what a text did.
fn tally(target: usize, text: &str, pairs: &[Pair<'_>], covered: f64) -> Attack {
    let count = |was: bool, is: bool| {
        let fits = |pair: &&Pair<'_>| {
            (best(pair.before) == target) == was && (best(pair.after) == target) == is
        };
        pairs.iter().filter(fits).count() as u64
    };
    let all = pairs.len().max(1) as f64;
    let before = pairs.iter().map(|pair| pair.before[target]).sum::<f64>() / all;
    let after = pairs.iter().map(|pair| pair.after[target]).sum::<f64>() / all;
    Attack {
        target: target as u32,
        text: text.to_owned(),
        changed_to: count(false, true),
        already_equal: count(true, true),
        changed_away: count(true, false),
        neither: count(false, false),
        covered,
        before,
        after,
        examples: Vec::new(),
    }
}

/// The pictures whose probability of the target rose most, the most first.
fn telling<'p, 'a>(pairs: &'p [Pair<'a>], target: usize, most: usize) -> Vec<&'p Pair<'a>> {
    let rise = |pair: &Pair<'_>| pair.after[target] - pair.before[target];
    let mut order: Vec<&Pair<'_>> = pairs.iter().collect();
    order.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_by_what_it_changed() {
        let (cat, dog) = (vec![0.9, 0.1], vec![0.2, 0.8]);
        let pair = |at, before, after| Pair { at, before, after };
        let pairs = [
            pair(0, &cat, &dog),
            pair(1, &dog, &dog),
            pair(2, &dog, &cat),
            pair(3, &cat, &cat),
            pair(4, &cat, &dog),
        ];
        let found = tally(1, "dog", &pairs, 0.0625);
        let counts = [found.changed_to, found.already_equal, found.changed_away, found.neither];
        assert_eq!(counts, [2, 1, 1, 1]);
        assert!((found.before - 0.38).abs() < 1e-12 && (found.after - 0.52).abs() < 1e-12);
        let order: Vec<usize> = telling(&pairs, 1, 3).iter().map(|pair| pair.at).collect();
        assert_eq!(order, [0, 4, 1]);
        assert_eq!(best(&[0.5, 0.5]), 0);
    }

    #[test]
    fn eight_texts_stand_where_the_articles_pictures_have_them() {
        // Of 20 pixels in 288: left edges at 20, 70, 120 and 170, tops from 25 on in steps of 25.
        let found = places(20.0);
        assert_eq!(found[0], (20.0, 25.0));
        assert_eq!(found[3], (70.0, 100.0));
        assert_eq!(found[7], (170.0, 200.0));
        assert_eq!(spread((0..10).collect(), 4), [0, 2, 5, 7]);
        assert_eq!(spread(vec![1, 2], 4), [1, 2]);
    }
}
