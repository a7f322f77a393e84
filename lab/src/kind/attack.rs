//! Measures `attack`: pictures classified without a text, and with a text written over them.

mod judge;

use std::collections::BTreeSet;

use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::kind::attack::{
    Answers, Attack, Example, FIRST, Outcome, PLACES, Params, Probed, STEP,
};
use neuronotes_core::kind::class::Class;
use neuronotes_core::kind::zero_shot::Truth;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::line::Probe;
use super::probe::task::Task;
use crate::clip::preprocess::prepare;
use crate::dataset::{Letters, Shard, letters};
use crate::failure::Failure;
use crate::feed::Pictures;
use crate::gallery::Gallery;
use crate::picture::Picture;
use crate::table::matrix::{Columns, Matrix};
use crate::vector::{Prompts, Row};
use crate::workbench::Workbench;
use judge::{Answer, Judge, Probing};

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let probe = params.probe.as_ref().map(|_| Probe::of(bench)).transpose()?;
    let layers: Vec<&str> = probe.iter().map(|probe| probe.params.layer.layer()).collect();
    let clip = bench.clip(&layers)?;
    let side = clip.architecture.image_size;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.classes.iter().map(|class| &*class.names).collect();
    let directions = prompts.encode(&clip, &groups, bench.monitor)?;
    let names = params.classes.iter().map(|class| &class.label);
    let probing = probe.as_ref().map(|probe| Probing::of(bench, &clip, probe, names));
    let probing = probing.transpose()?;
    let judge = Judge {
        clip: &clip,
        directions: &directions,
        scale: clip.logit_scale(),
        probing: probing.as_ref(),
    };
    let dataset = bench.dataset()?;
    let fitted = probe.as_ref().map(|probe| fitted(bench, probe, dataset)).transpose()?;
    let shards: Vec<Box<dyn Shard>> =
        (0..dataset.shards.len()).map(|at| bench.shard(dataset, at)).collect::<Result<_, _>>()?;
    let all = shards.iter().enumerate().flat_map(|(at, shard)| {
        (0..shard.samples().len()).map(move |row| (shard.as_ref(), row, at))
    });
    let all: Vec<(&dyn Shard, usize, usize)> = spread(all.collect(), params.images as usize);
    let places: Vec<usize> = all.iter().map(|(_, _, shard)| *shard).collect();
    let all: Vec<(&dyn Shard, usize)> = all.iter().map(|&(shard, row, _)| (shard, row)).collect();
    let clean = Written { rows: &all, side, letters: None };
    let before = judge.all(bench, &clean, "classifying pictures without a text")?;
    if before.iter().all(Option::is_none) {
        return Err(Failure::new("no picture of the data set can be read"));
    }
    let (mut right, mut of) = (0, 0);
    let mut probed = fitted.as_ref().map(|_| Probed { right: 0, fitted: 0 });
    for ((&(shard, row), judged), place) in all.iter().zip(&before).zip(places) {
        let Some(judged) = judged else { continue };
        let sample = &shard.samples()[row];
        let class = truth(&params, sample);
        of += u64::from(class.is_some());
        right += u64::from(class == Some(best(&judged.texts)));
        if let (Some(probed), Some(answer)) = (&mut probed, &judged.probe) {
            probed.right += u64::from(class == Some(best(answer)));
            let key = (place, sample.key.clone());
            probed.fitted += u64::from(fitted.as_ref().is_some_and(|all| all.contains(&key)));
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
            let texts: Vec<Two<'_>> = pairs.iter().map(Pair::texts).collect();
            let probe: Option<Vec<Two<'_>>> = pairs.iter().map(Pair::probe).collect();
            let answers = tally(target, &texts);
            let mut attack = Attack {
                target: target as u32,
                text: text.clone(),
                changed_to: answers.changed_to,
                already_equal: answers.already_equal,
                changed_away: answers.changed_away,
                neither: answers.neither,
                covered,
                before: answers.before,
                after: answers.after,
                examples: Vec::new(),
                probe: probing.as_ref().zip(probe).map(|(_, pairs)| tally(target, &pairs)),
            };
            for pair in telling(&pairs, target, params.examples as usize) {
                let (shard, row) = all[pair.at];
                let picture = written.picture(pair.at).map_err(Failure::new)?;
                let stored = gallery.add(bench, picture)?;
                let Sample { key, caption, .. } = &shard.samples()[row];
                attack.examples.push(Example {
                    caption: caption.as_ref().unwrap_or(key).clone(),
                    was: best(&pair.before.texts) as u32,
                    is: best(&pair.after.texts) as u32,
                    before: pair.before.texts[target],
                    after: pair.after.texts[target],
                    probe: pair.probe().map(|(was, is)| (best(was) as u32, best(is) as u32)),
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
        probe: probed,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The images that a probe was fitted to, by their shard and key, if they are those of this data set.
fn fitted(
    bench: &mut Workbench<'_>,
    probe: &Probe<'_>,
    dataset: &DatasetRef,
) -> Result<BTreeSet<(usize, String)>, Failure> {
    if probe.dataset.pictures().content() != dataset.pictures().content() {
        return Ok(BTreeSet::new());
    }
    let columns = Columns::Units(&probe.params.layer, probe.params.pool);
    let mut matrix = Matrix::read(bench, probe.dataset, columns)?;
    matrix.tell(bench, probe.dataset)?;
    let task = Task::of(&probe.params, &matrix.samples)?;
    let place = |row: usize| (matrix.shards[row], matrix.samples[row].key.clone());
    Ok(task.train().0.into_iter().map(place).collect())
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

/// The answers to a picture without and with the text.
struct Pair<'a> {
    at: usize,
    before: &'a Answer,
    after: &'a Answer,
}

/// The probabilities of the classes for a picture without and with the text.
type Two<'a> = (&'a Row, &'a Row);

impl Pair<'_> {
    fn texts(&self) -> Two<'_> {
        (&self.before.texts, &self.after.texts)
    }

    fn probe(&self) -> Option<Two<'_>> {
        Some((self.before.probe.as_ref()?, self.after.probe.as_ref()?))
    }
}

/// Counts what a text did to answers.
fn tally(target: usize, pairs: &[Two<'_>]) -> Answers {
    let count = |was: bool, is: bool| {
        let fits = |(before, after): &&Two<'_>| {
            (best(before) == target) == was && (best(after) == target) == is
        };
        pairs.iter().filter(fits).count() as u64
    };
    let all = pairs.len().max(1) as f64;
    Answers {
        changed_to: count(false, true),
        already_equal: count(true, true),
        changed_away: count(true, false),
        neither: count(false, false),
        before: pairs.iter().map(|(before, _)| before[target]).sum::<f64>() / all,
        after: pairs.iter().map(|(_, after)| after[target]).sum::<f64>() / all,
    }
}

/// The pictures whose probability of the target rose most, the most first.
fn telling<'p, 'a>(pairs: &'p [Pair<'a>], target: usize, most: usize) -> Vec<&'p Pair<'a>> {
    let rise = |pair: &Pair<'_>| pair.after.texts[target] - pair.before.texts[target];
    let mut order: Vec<&Pair<'_>> = pairs.iter().collect();
    order.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::super::line::golden;
    use super::judge::answer;
    use super::*;

    #[test]
    fn a_text_is_counted_by_what_it_changed() {
        let answer = |texts: [f64; 2]| Answer { texts: texts.to_vec(), probe: None };
        let (cat, dog) = (answer([0.9, 0.1]), answer([0.2, 0.8]));
        let pair = |at, before, after| Pair { at, before, after };
        let pairs = [
            pair(0, &cat, &dog),
            pair(1, &dog, &dog),
            pair(2, &dog, &cat),
            pair(3, &cat, &cat),
            pair(4, &cat, &dog),
        ];
        let texts: Vec<Two<'_>> = pairs.iter().map(Pair::texts).collect();
        let found = tally(1, &texts);
        let counts = [found.changed_to, found.already_equal, found.changed_away, found.neither];
        assert_eq!(counts, [2, 1, 1, 1]);
        assert!((found.before - 0.38).abs() < 1e-12 && (found.after - 0.52).abs() < 1e-12);
        let order: Vec<usize> = telling(&pairs, 1, 3).iter().map(|pair| pair.at).collect();
        assert_eq!(order, [0, 4, 1]);
        assert!(pairs[0].probe().is_none());
        assert_eq!(best(&[0.5, 0.5]), 0);
    }

    #[test]
    fn answers_of_a_probe_are_those_of_numpy() {
        let known = golden::read();
        let lines = golden::golden_lines();
        let choice: Vec<usize> =
            golden::numbers(&known["choice"]).into_iter().map(|class| class as usize).collect();
        let answers = |rows: &str, probabilities: &str| -> Vec<Row> {
            let rows = golden::numbers(&known[rows]);
            let found = rows.chunks_exact(lines.sd.len()).map(|row| answer(&lines, row, &choice));
            let found: Vec<Row> = found.collect();
            for (found, numpy) in found.concat().iter().zip(golden::numbers(&known[probabilities]))
            {
                assert!((found - numpy).abs() < 1e-9, "{found} {numpy}");
            }
            found
        };
        let (before, after) = (answers("rows", "before"), answers("shifted", "after"));
        let pairs: Vec<Two<'_>> = before.iter().zip(&after).collect();
        let target = known["target"].as_u64().expect("a class") as usize;
        let found = tally(target, &pairs);
        for (count, name) in [
            (found.changed_to, "changed_to"),
            (found.already_equal, "already_equal"),
            (found.changed_away, "changed_away"),
            (found.neither, "neither"),
        ] {
            assert_eq!(known[name], count, "{name}");
            assert!(count > 0, "{name}");
        }
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
