//! Groups of pictures: labels, captions, keys, data sets, files or words in; for each picture a row of a place's units out.
//!
//! A row is the activations of a layer's units or a dictionary's features, pooled over positions; at the embedding it is scaled to length 1. Rows of data sets come
//! from stored scans, those of a few pictures from a pass.

use std::collections::BTreeSet;

use neuronotes_core::dataset::{DatasetRef, Said, Sample};
use neuronotes_core::kind::group::{self, Group};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::spoiled::{self, Spoiled};
use tch::{Kind, Tensor};

use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::dataset::drawn_words;
use crate::failure::Failure;
use crate::fit::split::{self, Split};
use crate::pass::Pass;
use crate::picture::Picture;
use crate::readout::Readout;
use crate::table::matrix::{Columns, Matrix};
use crate::table::{self, embeddings, unsound};
use crate::workbench::Workbench;

/// The request's own data set at a layer.
#[derive(Debug)]
pub(crate) struct Own(pub Matrix);

/// The pictures of a group at a layer.
#[derive(Debug)]
pub(crate) struct Members {
    /// `[images, units]` in single precision, on the CPU.
    pub rows: Tensor,
    /// Their places in the request's own data set, if the group is a part of it.
    pub own: Vec<usize>,
    /// Their captions, if the group is a part of it; each picture without one has a text of its own.
    pub captions: Vec<String>,
    /// The units that are left out because a number of theirs is NaN or infinite, in order. Their columns are zero.
    pub spoiled: Vec<Spoiled>,
}

impl Own {
    /// The request's own data set at a layer, with captions and labels, without units that are NaN or infinite for a picture.
    ///
    /// # Errors
    /// If the request names no data set, uses no scans of it, or nothing of it can be read.
    pub(crate) fn read(
        bench: &mut Workbench<'_>,
        at: &Readout,
        pool: Pool,
    ) -> Result<Self, Failure> {
        let dataset = bench.dataset()?;
        let mut matrix = read(bench, dataset, at, pool)?;
        matrix.tell(bench, dataset)?;
        Ok(Self(matrix))
    }

    /// The pictures at these places.
    fn at(&self, places: Vec<usize>) -> Members {
        let Matrix { rows, samples, shards, spoiled } = &self.0;
        let index: Vec<i64> = places.iter().map(|&place| place as i64).collect();
        // A key alone may be in several shards.
        let alone = |place: usize| format!("{}\n{}", shards[place], samples[place].key);
        let caption =
            |&place: &usize| samples[place].caption.clone().unwrap_or_else(|| alone(place));
        Members {
            rows: rows.index_select(0, &Tensor::from_slice(&index)),
            captions: places.iter().map(caption).collect(),
            own: places,
            spoiled: spoiled.clone(),
        }
    }

    /// All pictures but these.
    ///
    /// # Errors
    /// If there are no others.
    pub(crate) fn others(&self, than: &[usize]) -> Result<Members, Failure> {
        Ok(self.at(besides(self.0.samples.len(), than)?))
    }

    /// The places of the pictures of labels, captions or keys.
    ///
    /// # Errors
    /// If no picture has one of them.
    fn places(&self, group: &Group) -> Result<Vec<usize>, Failure> {
        places(&self.0.samples, group)
    }
}

/// The pictures of a group at a layer; `own` is the request's own data set there.
///
/// # Errors
/// If no picture has one of the labels, captions or keys, or a picture cannot be read or drawn.
pub(crate) fn members(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    (at, pool): (&Readout, Pool),
    group: &Group,
    own: Option<&Own>,
) -> Result<Members, Failure> {
    let (mut pictures, mut names) = (Vec::new(), Vec::new());
    match group {
        Group::Labels(_) | Group::Captions(_) | Group::Keys(_) => {
            let own = own.ok_or_else(|| Failure::new("the request names no data set"))?;
            return Ok(own.at(own.places(group)?));
        }
        Group::Dataset(digest) => {
            let dataset = bench.named_dataset(digest)?;
            let content = dataset.pictures().content();
            let mine = bench.request.dataset.as_ref().map(|mine| mine.pictures().content());
            return Ok(match own.filter(|_| mine == Some(content)) {
                Some(own) => own.at((0..own.0.samples.len()).collect()),
                None => {
                    let Matrix { rows, spoiled, .. } = read(bench, dataset, at, pool)?;
                    Members::apart(rows, spoiled)
                }
            });
        }
        Group::Images(digests) => {
            for (place, digest) in digests.iter().enumerate() {
                let malformed = |why| Failure::new(format!("the parameters are malformed ({why})"));
                pictures.push(bench.picture(digest.parse().map_err(malformed)?)?);
                // Paths are no part of the key.
                names.push(format!("images[{place}]"));
            }
        }
        Group::Words(words) => {
            let shard = drawn_words(words, clip.architecture.image_size);
            for (row, word) in words.iter().enumerate() {
                let cannot = |why: String| Failure::undrawn(word, why);
                pictures.push(shard.picture(row).map_err(cannot)?);
                names.push(word.clone());
            }
        }
    }
    let rows = looked_at(bench, clip, (at, pool), &pictures)?;
    let spoiled = cleaned(&rows, &names)?;
    if let Some(first) = spoiled.first().filter(|_| spoiled.len() == at.units()) {
        return Err(unsound(at.name(), first));
    }
    Ok(Members::apart(scaled(rows, at.is_scaled())?, spoiled))
}

/// The pictures of two groups without common pictures; the second is all other pictures of the data set if it is left out.
///
/// # Errors
/// If the groups have a picture in common, the second one is missing, or one is empty.
pub(crate) fn two(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    (at, pool): (&Readout, Pool),
    (positive, negative): (&Group, Option<&Group>),
    own: Option<&Own>,
) -> Result<(Members, Members), Failure> {
    let mut positive = members(bench, clip, (at, pool), positive, own)?;
    let mut negative = match (negative, own) {
        (Some(negative), own) => members(bench, clip, (at, pool), negative, own)?,
        (None, Some(own)) => own.others(&positive.own)?,
        (None, None) => return Err(group::no_others().into()),
    };
    if let Some(own) = own {
        apart(&own.0.samples, &positive.own, &negative.own)?;
    }
    leave_out(&mut [&mut positive, &mut negative], at.is_scaled())?;
    Ok((positive, negative))
}

/// Leaves out of all groups the units that are left out of one, so that no unit is compared with nothing.
///
/// # Errors
/// If the embedding of a picture is zero without them.
pub(crate) fn leave_out(groups: &mut [&mut Members], is_scaled: bool) -> Result<(), Failure> {
    let all = spoiled::together(groups.iter().map(|group| &*group.spoiled));
    for group in groups {
        if group.spoiled == all {
            continue;
        }
        for one in &all {
            let _ = group.rows.f_select(1, one.unit.into())?.f_fill_(0.0)?;
        }
        if is_scaled {
            group.rows = scaled(group.rows.shallow_clone(), true)?;
        }
        group.spoiled.clone_from(&all);
    }
    Ok(())
}

/// Sets the columns of `[pictures, units]` to zero that have a number that is NaN or infinite. Returns these units, each with its
/// first picture.
fn cleaned(rows: &Tensor, names: &[String]) -> Result<Vec<Spoiled>, Failure> {
    if rows.f_isfinite()?.f_all()?.f_int64_value(&[])? == 1 {
        return Ok(vec![]);
    }
    let units = rows.size()[1] as usize;
    let numbers = Vec::<f32>::try_from(rows.f_to_kind(Kind::Float)?.f_contiguous()?.f_view(-1)?)?;
    let odd = numbers.iter().enumerate().filter(|(_, number)| !number.is_finite());
    let all: Vec<Spoiled> =
        odd.map(|(at, number)| table::spoiled(at % units, &names[at / units], *number)).collect();
    let all = spoiled::together([&*all]);
    for one in &all {
        let _ = rows.f_select(1, one.unit.into())?.f_fill_(0.0)?;
    }
    Ok(all)
}

/// The places of the pictures of labels, captions or keys among those of a data set.
///
/// # Errors
/// If no picture has one of them.
pub(crate) fn places(samples: &[Sample], group: &Group) -> Result<Vec<usize>, Failure> {
    // A label that no picture has is a mistake.
    if let Some((_, problem)) = group.missing(&Said::of(samples)).into_iter().next() {
        return Err(problem.into());
    }
    let places = samples.iter().enumerate().filter(|(_, sample)| group.holds(sample));
    Ok(places.map(|(place, _)| place).collect())
}

/// The places of all pictures but these.
///
/// # Errors
/// If there are no others.
pub(crate) fn besides(count: usize, than: &[usize]) -> Result<Vec<usize>, Failure> {
    let than: BTreeSet<usize> = than.iter().copied().collect();
    let others: Vec<usize> = (0..count).filter(|place| !than.contains(place)).collect();
    match others.is_empty() {
        false => Ok(others),
        true => Err(group::all_of_it().into()),
    }
}

/// Checks that two groups, by their places, have no picture in common.
///
/// # Errors
/// If they have one: names it.
pub(crate) fn apart(
    samples: &[Sample],
    positive: &[usize],
    negative: &[usize],
) -> Result<(), Failure> {
    let negative: BTreeSet<usize> = negative.iter().copied().collect();
    let Some(both) = positive.iter().find(|place| negative.contains(place)) else { return Ok(()) };
    let key = &samples[*both].key;
    Err(Failure::new(format!("the picture `{key}` is in both groups")).hint(group::APART))
}

impl Members {
    /// Rows to train on and rows that are held out: a fraction of the pictures, by chance, of one caption together if
    /// `by_caption`. With a fraction of 0 none are held out.
    pub(crate) fn divided(&self, fraction: f64, by_caption: bool, seed: u64) -> (Tensor, Tensor) {
        let Split { train, held_out } = self.split(fraction, by_caption, seed);
        let take = |places: &[usize]| {
            let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
            self.rows.index_select(0, &Tensor::from_slice(&places))
        };
        (take(&train), take(&held_out))
    }

    /// The same as places among its rows.
    pub(crate) fn split(&self, fraction: f64, by_caption: bool, seed: u64) -> Split {
        let count = self.captions.len();
        match (fraction > 0.0, by_caption) {
            (false, _) => Split { train: (0..count).collect(), held_out: vec![] },
            (true, true) => split::by_group(&self.captions, fraction, seed),
            (true, false) => split::by_class(&vec![0; count], fraction, seed),
        }
    }

    /// Pictures that are not of the request's own data set.
    fn apart(rows: Tensor, spoiled: Vec<Spoiled>) -> Self {
        let captions = (0..rows.size()[0]).map(|row| row.to_string()).collect();
        Self { rows, own: vec![], captions, spoiled }
    }
}

/// A data set at a layer, without captions and labels.
fn read(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    at: &Readout,
    pool: Pool,
) -> Result<Matrix, Failure> {
    let matrix = Matrix::read(bench, dataset, Columns::Units(&at.place, pool))?;
    Ok(Matrix { rows: scaled(matrix.rows, at.is_scaled())?, ..matrix })
}

/// The activations of pictures, pooled over positions: `[pictures, units]`.
fn looked_at(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    (at, pool): (&Readout, Pool),
    pictures: &[Picture],
) -> Result<Tensor, Failure> {
    let stages = [at.layer.stage];
    let mut rows = Vec::new();
    Pass::new(clip, &stages, "looking at pictures").run_all(
        pictures,
        bench.monitor,
        |_, found| {
            let units = by_unit(found.get(at.layer.stage)?); // [n, units, positions]
            let (mean, most) = at.pooled(&units); // [n, units] each
            let pooled = if pool == Pool::Max { most } else { mean };
            rows.push(pooled.to_device(tch::Device::Cpu));
            Ok(())
        },
    )?;
    Ok(Tensor::cat(&rows, 0))
}

/// The embeddings of a data set's images, scaled to length 1, in the order of its scans: `[images, width]`.
///
/// # Errors
/// If the request uses no scans of that data set, or an embedding is zero or not finite.
pub(crate) fn embedding_rows(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
) -> Result<Tensor, Failure> {
    let mut parts = Vec::new();
    for shard in embeddings(bench, dataset, None)? {
        let shape = [shard.samples.len() as i64, shard.columns as i64];
        parts.push(Tensor::from_slice(&shard.embeddings).f_view(shape)?);
    }
    scaled(Tensor::f_cat(&parts, 0)?, true)
}

/// Rows as they count: at the embedding scaled to length 1, elsewhere as they are.
pub(crate) fn scaled(rows: Tensor, is_scaled: bool) -> Result<Tensor, Failure> {
    if rows.isfinite().all().int64_value(&[]) != 1 {
        return Err(Failure::new("activations are not finite"));
    }
    if !is_scaled {
        return Ok(rows);
    }
    let lengths = rows.square().sum_dim_intlist([1i64].as_slice(), true, Kind::Float).sqrt();
    if lengths.min().double_value(&[]) <= 0.0 {
        return Err(Failure::new("the embedding of a picture is zero"));
    }
    Ok(rows / lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Own {
        let sample = |key: &str, label: Option<&str>, caption: Option<&str>| Sample {
            key: key.to_owned(),
            caption: caption.map(str::to_owned),
            label: label.map(str::to_owned),
        };
        let samples = vec![
            sample("a", Some("animal"), Some("a cat")),
            sample("b", Some("plant"), Some("a tree")),
            sample("a", None, Some("a black cat")),
            sample("d", Some("animal"), None),
        ];
        let rows = Tensor::from_slice(&[1.0f32, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 4.0]).view([4, 2]);
        Own(Matrix { rows, samples, shards: vec![0, 0, 1, 1], spoiled: vec![] })
    }

    #[test]
    fn units_that_are_left_out_of_one_group_are_left_out_of_all() {
        let table = |numbers: [f32; 6]| Tensor::from_slice(&numbers).view([2, 3]);
        let names = ["one", "two"].map(str::to_owned);
        let (nan, inf) = (f32::NAN, f32::INFINITY);
        let group = |numbers: [f32; 6]| {
            let rows = table(numbers);
            let spoiled = cleaned(&rows, &names).expect("numbers");
            Members::apart(rows, spoiled)
        };
        let (mut first, mut other) =
            (group([1.0, 2.0, inf, 3.0, 4.0, nan]), group([5.0, 6.0, 7.0, nan, 8.0, 9.0]));
        assert_eq!(first.spoiled, [table::spoiled(2, "one", inf)]);
        assert_eq!(other.spoiled, [table::spoiled(0, "two", nan)]);
        leave_out(&mut [&mut first, &mut other], false).expect("groups");
        assert_eq!(first.spoiled, [table::spoiled(0, "two", nan), table::spoiled(2, "one", inf)]);
        assert_eq!(first.spoiled, other.spoiled);
        let numbers = |group: &Members| Vec::<f32>::try_from(group.rows.view(-1)).expect("rows");
        assert_eq!(numbers(&first), [0.0, 2.0, 0.0, 0.0, 4.0, 0.0]);
        assert_eq!(numbers(&other), [0.0, 6.0, 0.0, 0.0, 8.0, 0.0]);
    }

    #[test]
    fn labels_and_captions_select_rows_and_the_others_are_the_rest() {
        let own = own();
        let of = |group: Group| own.places(&group).map(|places| own.at(places));
        let animals = of(Group::Labels(vec!["animal".into()])).expect("two");
        assert_eq!(animals.own, [0, 3]);
        assert_eq!(
            Vec::<f32>::try_from(animals.rows.view(-1)).expect("rows"),
            [1.0, 0.0, 3.0, 4.0]
        );
        let cats = of(Group::Captions(vec!["cat".into()])).expect("two");
        assert_eq!((&*cats.own, &*cats.captions[0]), ([0, 2].as_slice(), "a cat"));
        let others = own.others(&cats.own).expect("two");
        assert_eq!((others.own, &*others.captions[1]), (vec![1, 3], "1\nd"));
        assert!(own.others(&[0, 1, 2, 3]).is_err());
        let keys = of(Group::Keys(vec!["a".into()])).expect("two");
        assert_eq!(keys.own, [0, 2], "the key is in two shards");
        let common =
            apart(&own.0.samples, &keys.own, &animals.own).expect_err("in both").to_string();
        assert!(common.contains("the picture `a` is in both groups"), "{common}");
        assert_eq!(apart(&own.0.samples, &[0, 2], &[1, 3]), Ok(()));
        let slip = of(Group::Labels(vec!["animal".into(), "plants".into()]));
        let said = slip.expect_err("a slip").to_string();
        assert!(said.contains("has the label `plants`"), "{said}");
        let none = of(Group::Captions(vec!["house".into()])).expect_err("none").to_string();
        assert!(none.contains("a caption with the words `house`"), "{none}");
    }

    #[test]
    fn rows_are_scaled_at_the_embedding_alone() {
        let rows = || Tensor::from_slice(&[3.0f32, 4.0]).view([1, 2]);
        let numbers = |rows: Tensor| Vec::<f32>::try_from(rows.view(-1)).expect("numbers");
        assert_eq!(numbers(scaled(rows(), true).expect("rows")), [0.6, 0.8]);
        assert_eq!(numbers(scaled(rows(), false).expect("rows")), [3.0, 4.0]);
        assert!(scaled(rows() * 0.0, true).is_err() && scaled(rows() / 0.0, true).is_err());
    }
}
