//! Measures `sparse_code`: texts or pictures as short sums of units of a layer, or of words.

mod dictionary;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Origin;
use neuronotes_core::kind::sparse_code::{
    Chance, Coded, Limit, MOST_ITEMS, Method, Objective, Outcome, Params, Sign, Weighed, cleaned,
};
use neuronotes_core::kind::text_rank::Shown;
use neuronotes_core::model::Place;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::clip::Clip;
use crate::dataset::drawn_words;
use crate::failure::Failure;
use crate::fit::lasso::{self, Columns};
use crate::fit::pursuit;
use crate::gallery::{Gallery, pictures_of};
use crate::monitor::Progress;
use crate::picture::Picture;
use crate::table::embeddings;
use crate::vector::{Prompts, Row, add, dot, middle, pictures, stored_middle, unit, without};
use crate::workbench::Workbench;
use dictionary::Dictionary;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[])?;
    let items = items(bench, &clip, &params)?;
    if items.is_empty() || items.len() > MOST_ITEMS {
        let message = format!(
            "there are {} texts or pictures; at most {MOST_ITEMS} are allowed",
            items.len()
        );
        return Err(Failure::new(message).hint("use several blocks"));
    }
    let sums = match &params.layer {
        Some(place) => of_units(&clip, place, &params, &items)?,
        None => of_words(bench, &clip, &params, &items)?,
    };
    let columns = sums.dictionary.columns()?;
    let mut coded = Vec::new();
    for (item, target) in items.into_iter().zip(&sums.targets) {
        coded.push(code(bench, &params, &columns, item, target)?);
    }
    compare(bench, &params, &sums, &mut coded)?;
    let (rows, columns) = (columns.rows() as u64, columns.count() as u64);
    bench.record.set_result(bench.store(), &Outcome { rows, columns, items: coded })?;
    Ok(())
}

/// A text or a picture.
struct Item {
    text: Option<String>,
    picture: Option<Shown>,
    /// Unit vectors: of each prompt, and last of all of them together; of a picture one.
    rows: Vec<Row>,
}

/// The texts or pictures of the block.
fn items(bench: &mut Workbench<'_>, clip: &Clip, params: &Params) -> Result<Vec<Item>, Failure> {
    if !params.texts.is_empty() {
        return texts(bench, clip, params);
    }
    let mut found = Vec::new();
    for digest in &params.images {
        let picture = bench.picture(*digest)?;
        found.push(Seen { word: None, digest: Some(*digest), origin: None, picture });
    }
    for key in &params.figures {
        for (origin, picture) in pictures_of(bench, *key)? {
            found.push(Seen { word: None, digest: None, origin: Some(origin), picture });
        }
    }
    let drawn = drawn_words(&params.words, clip.architecture.image_size);
    for (row, word) in params.words.iter().enumerate() {
        let cannot = |why: String| Failure::undrawn(word, why);
        let picture = drawn.picture(row).map_err(cannot)?;
        found.push(Seen { word: Some(word.clone()), digest: None, origin: None, picture });
    }
    let all: Vec<Picture> = found.iter().map(|seen| seen.picture.clone()).collect();
    // Alone, so that the same picture has the same code in every figure.
    let rows = pictures(clip, &all, true, bench.monitor)?;
    let mut gallery = Gallery::default();
    let mut items = Vec::new();
    for (Seen { word, digest, origin, picture }, row) in found.into_iter().zip(rows) {
        let stored = gallery.add(bench, picture)?;
        let (width, height) = (stored.width, stored.height);
        let picture =
            Shown { word: word.clone(), digest, origin, picture: stored.picture, width, height };
        items.push(Item { text: word, picture: Some(picture), rows: vec![row] });
    }
    Ok(items)
}

/// A picture, and where it is from.
struct Seen {
    word: Option<String>,
    digest: Option<Digest>,
    origin: Option<Origin>,
    picture: Picture,
}

/// The texts of the block, each in each template.
fn texts(bench: &mut Workbench<'_>, clip: &Clip, params: &Params) -> Result<Vec<Item>, Failure> {
    let groups: Vec<&[String]> = params.texts.iter().map(std::slice::from_ref).collect();
    let mut of_templates = Vec::new();
    for template in &params.templates {
        let template = std::slice::from_ref(template);
        let prompts = Prompts { templates: template, truncate: params.truncate };
        of_templates.push(prompts.encode(clip, &groups, bench.monitor)?);
    }
    let item = |(at, text): (usize, &String)| {
        let mut rows: Vec<Row> = of_templates.iter().map(|rows| rows[at].clone()).collect();
        rows.push(unit(middle(&rows), &format!("the text `{text}`"))?);
        Ok(Item { text: Some(text.clone()), picture: None, rows })
    };
    params.texts.iter().enumerate().map(item).collect()
}

impl Item {
    /// The rows of a contrast: each prompt, or the picture.
    fn samples(&self) -> &[Row] {
        if self.picture.is_some() { &self.rows } else { &self.rows[..self.rows.len() - 1] }
    }

    /// All of it as one unit vector.
    fn whole(&self) -> &Row {
        &self.rows[self.rows.len() - 1]
    }

    fn name(&self) -> String {
        self.text.as_ref().map_or_else(|| "a picture".to_owned(), |text| format!("`{text}`"))
    }
}

/// The regressions of all items.
struct Sums {
    dictionary: Dictionary,
    targets: Vec<Target>,
}

/// What the sum of an item is fitted to.
struct Target {
    y: Row,
    /// The embedding, and what was subtracted from it, if the sum is to rebuild it.
    embedding: Option<(Row, Option<Row>)>,
}

/// Sums of units: the effects of a layer's units on the embedding are the columns, or their products with the samples are.
fn of_units(clip: &Clip, place: &Place, params: &Params, items: &[Item]) -> Result<Sums, Failure> {
    let effects = clip.effects(&clip.layer(place.layer())?)?; // [units, embedding]
    match params.objective() {
        Objective::Contrast => {
            let owners: Vec<usize> = items
                .iter()
                .enumerate()
                .flat_map(|(at, item)| item.samples().iter().map(move |_| at))
                .collect();
            let samples = matrix(items.iter().flat_map(Item::samples))?; // [samples, embedding]
            let dictionary = Dictionary::new(&effects, Some(samples))?;
            let target = |at: usize| {
                let mut y: Row = owners.iter().map(|own| f64::from(u8::from(*own == at))).collect();
                let mean = y.iter().sum::<f64>() / y.len() as f64;
                y.iter_mut().for_each(|y| *y -= mean);
                Target { y, embedding: None }
            };
            Ok(Sums { dictionary, targets: (0..items.len()).map(target).collect() })
        }
        Objective::Rebuild => {
            let wholes: Vec<Row> = items.iter().map(|item| item.whole().clone()).collect();
            let mean = params.center.then(|| middle(&wholes));
            let dictionary = Dictionary::new(&effects, None)?;
            Ok(Sums { dictionary, targets: targets(items, mean.as_ref())? })
        }
    }
}

/// Sums of words, as in SpLiCE.
fn of_words(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    params: &Params,
    items: &[Item],
) -> Result<Sums, Failure> {
    let bare = ["{}".to_owned()];
    let prompts = Prompts { templates: &bare, truncate: params.truncate };
    let groups: Vec<&[String]> = params.vocabulary.iter().map(std::slice::from_ref).collect();
    let mut words = prompts.encode(clip, &groups, bench.monitor)?;
    let of_words = middle(&words);
    if params.center {
        for (row, word) in words.iter_mut().zip(&params.vocabulary) {
            let what = format!("the word `{word}`, without the words' mean,");
            *row = without(std::mem::take(row), &of_words, &what)?;
        }
    }
    let mean = match (params.center, params.texts.is_empty()) {
        (false, _) => None,
        (true, false) => Some(of_words),
        (true, true) => {
            let dataset = bench.dataset()?;
            let shards = embeddings(bench, dataset, None)?;
            Some(stored_middle(&shards, &format!("a picture of `{}`", dataset.name))?)
        }
    };
    let dictionary = Dictionary::new(&matrix(&words)?, None)?;
    Ok(Sums { dictionary, targets: targets(items, mean.as_ref())? })
}

/// Each item without a mean, as what its sum rebuilds.
fn targets(items: &[Item], mean: Option<&Row>) -> Result<Vec<Target>, Failure> {
    let target = |item: &Item| {
        let whole = item.whole().clone();
        let y = match mean {
            Some(mean) => {
                without(whole.clone(), mean, &format!("{}, without the mean,", item.name()))?
            }
            None => whole.clone(),
        };
        Ok(Target { y, embedding: Some((whole, mean.cloned())) })
    };
    items.iter().map(target).collect()
}

/// Rows as a matrix `[rows, columns]`, in double precision on the CPU.
fn matrix<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<Tensor, Failure> {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let columns = rows.first().map_or(0, |row| row.len()) as i64;
    let flat: Vec<f64> = rows.iter().flat_map(|row| row.iter().copied()).collect();
    Ok(Tensor::from_slice(&flat).f_view([rows.len() as i64, columns])?)
}

/// Finds the sum of one item.
fn code(
    bench: &mut Workbench<'_>,
    params: &Params,
    columns: &Columns,
    item: Item,
    target: &Target,
) -> Result<Coded, Failure> {
    let found = found(bench, params, columns, params.limit(), target)?;
    let sum = columns.sum(&found.terms)?;
    let left: Row = target.y.iter().zip(&sum).map(|(y, sum)| y - sum).collect();
    let term = |&(at, coefficient): &(usize, f64)| match params.vocabulary.get(at) {
        Some(word) if params.layer.is_none() => Weighed::word(word, coefficient),
        _ => Weighed::unit(u32::try_from(at).unwrap_or(u32::MAX), coefficient),
    };
    let terms: Vec<Weighed> = found.terms.iter().map(term).collect();
    Ok(Coded {
        text: item.text,
        picture: item.picture,
        cleaned: params.layer.is_some().then(|| cleaned(&terms, &params.drop)),
        terms,
        cosine: target.cosine(&sum),
        alone: target.alone(),
        chance: None,
        residual: dot(&left, &left).sqrt() / dot(&target.y, &target.y).sqrt(),
        penalty: found.penalty,
        gap: found.gap,
    })
}

/// The terms of a sum, the largest coefficients first.
struct Found {
    terms: Vec<(usize, f64)>,
    /// λ and the duality gap, for a lasso.
    penalty: Option<f64>,
    gap: Option<f64>,
}

fn found(
    bench: &mut Workbench<'_>,
    params: &Params,
    columns: &Columns,
    limit: Limit,
    target: &Target,
) -> Result<Found, Failure> {
    bench.monitor.check()?;
    let positive = params.sign() == Sign::Positive;
    let rows = columns.rows() as f64;
    let (mut terms, penalty, gap) = match (params.method, limit) {
        (Method::Pursuit, Limit::Terms(most)) => {
            (pursuit::fit(columns, &target.y, most)?, None, None)
        }
        (Method::Pursuit, Limit::Penalty(_)) => {
            return Err(Failure::new("a pursuit has no penalty").hint("use `terms`"));
        }
        (Method::Lasso, limit) => {
            let fit = match limit {
                Limit::Terms(most) => {
                    let monitor = &mut *bench.monitor;
                    lasso::at_most(columns, &target.y, most, positive, &mut || monitor.check())?
                }
                // scikit-learn's objective is SpLiCE's, divided by twice the number of rows.
                Limit::Penalty(penalty) => {
                    lasso::fit(columns, &target.y, penalty / (2.0 * rows), positive, &[])?
                }
            };
            (fit.terms, Some(fit.penalty * 2.0 * rows), Some(fit.gap))
        }
    };
    terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    Ok(Found { terms, penalty, gap })
}

/// Finds sums of at most as many terms in random dictionaries, and notes how well these fit.
fn compare(
    bench: &mut Workbench<'_>,
    params: &Params,
    sums: &Sums,
    coded: &mut [Coded],
) -> Result<(), Failure> {
    let count = params.random.unwrap_or_default();
    let mut rng = ChaCha8Rng::seed_from_u64(params.seed.unwrap_or_default().into());
    let mut cosines = vec![Vec::new(); coded.len()];
    for done in 0..count {
        bench.monitor.progress(&Progress {
            step: done.into(),
            total: count.into(),
            ..Progress::beginning("sums of random terms")
        });
        let columns = sums.dictionary.random(&mut rng)?;
        for ((coded, target), cosines) in coded.iter().zip(&sums.targets).zip(&mut cosines) {
            let limit = Limit::Terms(coded.terms.len());
            let terms = found(bench, params, &columns, limit, target)?.terms;
            cosines.push(target.cosine(&columns.sum(&terms)?));
        }
    }
    for (coded, cosines) in coded.iter_mut().zip(cosines) {
        coded.chance = Chance::of(&cosines);
    }
    Ok(())
}

impl Target {
    /// The cosine of a sum, its mean added again, with the embedding; or with what the sum was fitted to.
    fn cosine(&self, sum: &[f64]) -> f64 {
        match &self.embedding {
            Some((whole, Some(mean))) => cosine(&rebuilt(sum, mean), whole),
            _ => cosine(sum, &self.y),
        }
    }

    /// The cosine of the mean alone with the embedding.
    fn alone(&self) -> Option<f64> {
        let (whole, mean) = self.embedding.as_ref()?;
        mean.as_ref().map(|mean| cosine(mean, whole))
    }
}

/// A sum of centred vectors with the mean added again: normalised before, as SpLiCE does.
fn rebuilt(sum: &[f64], mean: &[f64]) -> Row {
    let length = dot(sum, sum).sqrt();
    let mut row = mean.to_vec();
    if length > 0.0 {
        add(&mut row, sum, 1.0 / length);
    }
    row
}

/// The cosine of two vectors; zero if one of them is.
fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_normalised_before_its_mean_is_added() {
        assert_eq!(rebuilt(&[0.0, 4.0], &[1.0, 0.0]), [1.0, 1.0]);
        assert_eq!(rebuilt(&[0.0, 0.0], &[1.0, 0.0]), [1.0, 0.0]);
        assert!((cosine(&[1.0, 1.0], &[0.0, 2.0]) - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[0.0, 2.0]), 0.0);
    }
}
