//! Draws `zero_shot`: bars for each picture; accuracy, confusion matrix and mistakes for a data set.

use serde_json::{Map, Value};

use neuronotes_core::kind::zero_shot::{self, Outcome, Params, Survey};
use neuronotes_core::number::{self, percent};
use neuronotes_core::statistics::{part, wilson};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Bars, Cell, Matrix, Part, accuracy, bars, share};
use super::picture::GridItem;
use super::table::Table;

/// Maximum number of rows of the data table.
const MOST_ROWS: usize = 2_000;
/// Maximum number of classes in a matrix or a list of bars.
const MOST_SHOWN: usize = 24;

/// The drawing of `zero_shot`.
pub(super) static FIGURE: Figure = Figure { kind: &zero_shot::KIND, height, draw };

/// Bars beside each picture, or the statistics of a data set.
fn height(params: &Map<String, Value>) -> u32 {
    match typed(params).map_or(0, |params: Params| params.images.len() + params.figures.len()) {
        0 => 720,
        count => u32::try_from(count).map_or(0, |count| count.min(100) * 190),
    }
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let classes = outcome.classes.len();
    let wrong = || Err("the stored result does not fit its classes".to_owned());
    if outcome
        .images
        .iter()
        .any(|i| i.probabilities.len() != classes || i.similarities.len() != classes)
    {
        return wrong();
    }
    match &outcome.survey {
        None => pictures(context, &params, &outcome),
        Some(survey) => {
            let fits = |class: u32| (class as usize) < classes;
            let known =
                survey.examples.iter().flat_map(|e| e.truth.into_iter().chain([e.predicted]));
            let mut all = survey.confusion.iter().flat_map(|(a, b, _)| [*a, *b]).chain(known);
            if survey.predicted.len() != classes || !all.all(fits) {
                return wrong();
            }
            dataset(context, &outcome, survey)
        }
    }
}

/// Bars for each picture of the block.
fn pictures(
    context: &DrawContext<'_>,
    params: &Params,
    outcome: &Outcome,
) -> Result<Drawing, String> {
    let top = context.count("top").unwrap_or(outcome.classes.len());
    let kept = (MOST_ROWS / outcome.images.len().max(1)).clamp(1, outcome.classes.len().max(1));
    let mut parts = Vec::new();
    let mut rows = Vec::new();
    for (index, judged) in outcome.images.iter().enumerate() {
        let name = params.images.get(index).map(|digest| context.picture_name(&digest.hex()));
        let origin = judged.origin.as_ref().map(|origin| context.origin_name(origin));
        let name = name.or(origin);
        let name = name.unwrap_or_else(|| format!("picture {}", index + 1));
        let mut order: Vec<usize> = (0..outcome.classes.len()).collect();
        order.sort_by(|a, b| judged.probabilities[*b].total_cmp(&judged.probabilities[*a]));
        let bar = |class: &usize| {
            let probability = judged.probabilities[*class];
            share(&outcome.classes[*class], percent(probability), probability)
        };
        parts.push(Part::Bars(Bars {
            title: name.clone(),
            picture: Some(context.plain(&judged.picture, (judged.width, judged.height), &name)?),
            head: ["class".to_owned(), "probability".to_owned()],
            rows: order.iter().take(top).map(bar).collect(),
        }));
        rows.extend(order.iter().take(kept).map(|class| {
            let [cosine, probability] = [judged.similarities[*class], judged.probabilities[*class]]
                .map(|n| number::fixed(n, 4));
            vec![name.clone(), outcome.classes[*class].clone(), cosine, probability]
        }));
    }
    let mut note = offered(outcome);
    if kept < outcome.classes.len() {
        note += &format!("; the table has the first {kept} classes of each picture");
    }
    let table = Table::new(&["picture", "class", "cosine", "probability"], rows);
    Ok(Drawing::Parts { parts, table, note })
}

fn offered(outcome: &Outcome) -> String {
    format!(
        "{} classes; probabilities are the softmax of cosines times {}",
        number::thousands(outcome.classes.len() as u64),
        number::tick(outcome.logit_scale, 2)
    )
}

/// Images in the confusion matrix, by true class and correctness.
struct Counts {
    /// For each true class: correct, total.
    by_class: Vec<(u64, u64)>,
    right: u64,
    all: u64,
}

impl Counts {
    fn of(outcome: &Outcome, survey: &Survey) -> Self {
        let mut by_class = vec![(0, 0); outcome.classes.len()];
        for &(truth, predicted, images) in &survey.confusion {
            let counts = &mut by_class[truth as usize];
            counts.0 += if truth == predicted { images } else { 0 };
            counts.1 += images;
        }
        let sum = |pick: fn(&(u64, u64)) -> u64| by_class.iter().map(pick).sum();
        Self { right: sum(|c| c.0), all: sum(|c| c.1), by_class }
    }
}

fn dataset(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    survey: &Survey,
) -> Result<Drawing, String> {
    let counts = Counts::of(outcome, survey);
    let (mut parts, table, note) = match counts.all {
        0 => predictions(outcome, survey),
        _ => judged(outcome, survey, &counts),
    };
    let name = |class: u32| outcome.classes[class as usize].clone();
    let items = survey
        .examples
        .iter()
        .map(|example| {
            let shown = example.caption.clone().unwrap_or_else(|| example.key.clone());
            Ok(GridItem {
                picture: context.plain(
                    &example.picture,
                    (example.width, example.height),
                    &shown,
                )?,
                caption: match example.truth {
                    Some(truth) => format!("{} → {}", name(truth), name(example.predicted)),
                    None => format!("{shown} → {}", name(example.predicted)),
                },
                value: percent(example.probability),
                unit: None,
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    if !items.is_empty() {
        let title = match counts.all {
            0 => "Predictions with the highest probability",
            _ => "Mistakes with the highest probability",
        };
        parts.push(Part::Pictures { title: title.to_owned(), items });
    }
    Ok(Drawing::Parts { parts, table, note })
}

/// If true classes are unknown: how often each class is predicted.
fn predictions(outcome: &Outcome, survey: &Survey) -> (Vec<Part>, Table, String) {
    let mut order: Vec<usize> = (0..outcome.classes.len()).collect();
    order.sort_by_key(|class| std::cmp::Reverse(survey.predicted[*class]));
    let cells = |class: &usize| {
        let images = survey.predicted[*class];
        (outcome.classes[*class].clone(), images, part(images, survey.count))
    };
    let rows = order.iter().map(cells).collect::<Vec<_>>();
    let bars = bars(rows.iter().take(MOST_SHOWN).map(|(label, images, part)| {
        (label.clone(), *part, format!("{} ({})", number::thousands(*images), percent(*part)))
    }));
    let parts = vec![Part::bars("Images by predicted class", ["class", "images"], bars)];
    let row = |(label, images, part): (String, u64, f64)| {
        vec![label, number::thousands(images), percent(part)]
    };
    let rows = rows.into_iter().take(MOST_ROWS).map(row).collect();
    let table = Table::new(&["predicted class", "images", "share"], rows);
    let mut note = format!("{} images; {}", number::thousands(survey.count), offered(outcome));
    note += &strangers(survey, "no image's true class is among the classes");
    (parts, table, note)
}

/// The images that were left out, if any.
fn strangers(survey: &Survey, none: &str) -> String {
    if survey.outside == 0 {
        return String::new();
    }
    // Names with a handful of images each do not describe what was left out.
    let telling = |&&(_, count): &&(String, u64)| count * 20 >= survey.outside;
    let named = survey.strangers.iter().filter(telling);
    let some: Vec<String> = named.map(|(name, count)| format!("{name} ({count})")).collect();
    match some.is_empty() {
        true => format!("; {none}"),
        false => format!("; {none}, most often {}", some.join(", ")),
    }
}

/// If true classes are known: accuracy, also by class, and confusions.
fn judged(outcome: &Outcome, survey: &Survey, counts: &Counts) -> (Vec<Part>, Table, String) {
    let classes = &outcome.classes;
    let mut rows: Vec<Bar> = vec![accuracy("all classes", counts.right, counts.all)];
    let present = || (0..classes.len()).filter(|class| counts.by_class[*class].1 > 0);
    rows.extend(present().take(MOST_SHOWN).map(|class| {
        let (right, all) = counts.by_class[class];
        accuracy(&classes[class], right, all)
    }));
    let title = "Accuracy by class, with 95 % intervals";
    let mut parts = vec![Part::bars(title, ["class", "accuracy"], rows)];
    parts.push(match classes.len() <= MOST_SHOWN {
        true => Part::Matrix(matrix(classes, survey)),
        false => mistakes(classes, survey, counts),
    });
    let mut table: Vec<Vec<String>> = present()
        .map(|class| {
            let (right, all) = counts.by_class[class];
            let (low, high) = wilson(right, all);
            let name = classes[class].clone();
            let interval = format!("{} to {}", percent(low), percent(high));
            vec![name.clone(), name, right.to_string(), percent(part(right, all)), interval]
        })
        .collect();
    table.extend(confusions(survey).into_iter().map(|(truth, predicted, images)| {
        let all = counts.by_class[truth as usize].1;
        let [is, called] = [truth, predicted].map(|class| classes[class as usize].clone());
        vec![is, called, images.to_string(), percent(part(images, all)), String::new()]
    }));
    table.truncate(MOST_ROWS);
    let head = ["class", "predicted as", "images", "of the class", "95 % interval"];
    let table = Table::new(&head, table);
    (parts, table, sentence(outcome, survey, counts))
}

fn sentence(outcome: &Outcome, survey: &Survey, counts: &Counts) -> String {
    let rate = |name: &str, hits: u64| {
        let (low, high) = wilson(hits, counts.all);
        let rate = percent(part(hits, counts.all));
        format!("{name} {rate} (95 % interval {} to {})", percent(low), percent(high))
    };
    let classes = outcome.classes.len();
    let mut note = format!(
        "{} images of {classes} classes; {}",
        number::thousands(counts.all),
        rate("top 1", counts.right)
    );
    if classes > 5 {
        note += &format!(", {}", rate("top 5", survey.top5));
    }
    note += &format!("; by chance {}", percent(1.0 / classes.max(1) as f64));
    if classes > 5 {
        note += &format!(" and {}", percent(5.0 / classes as f64));
    }
    let left = number::thousands(survey.outside);
    note += &strangers(survey, &format!("{left} images have another true class"));
    if survey.unlabelled > 0 {
        let count = number::thousands(survey.unlabelled);
        note += &format!("; {count} images have no label or caption");
    }
    note
}

fn matrix(classes: &[String], survey: &Survey) -> Matrix {
    let mut images = vec![vec![0u64; classes.len()]; classes.len()];
    for &(truth, predicted, count) in &survey.confusion {
        images[truth as usize][predicted as usize] += count;
    }
    let cells = |row: &Vec<u64>| {
        let all = row.iter().sum();
        let value = |count: u64| if count == 0 { String::new() } else { number::thousands(count) };
        row.iter().map(|&count| Cell { value: value(count), share: part(count, all) }).collect()
    };
    Matrix {
        title: "Confusion matrix".to_owned(),
        down: "class".to_owned(),
        across: "predicted as".to_owned(),
        names: classes.to_vec(),
        rows: images.iter().map(cells).collect(),
    }
}

/// Off the diagonal, the most frequent first.
fn confusions(survey: &Survey) -> Vec<(u32, u32, u64)> {
    let mut all: Vec<_> = survey.confusion.iter().copied().filter(|(a, b, _)| a != b).collect();
    all.sort_by_key(|&(truth, predicted, images)| (std::cmp::Reverse(images), truth, predicted));
    all
}

/// The most frequent confusions, if a matrix is too large.
fn mistakes(classes: &[String], survey: &Survey, counts: &Counts) -> Part {
    let row = |(truth, predicted, images): (u32, u32, u64)| {
        let all = counts.by_class[truth as usize].1;
        let label = format!("{} → {}", classes[truth as usize], classes[predicted as usize]);
        share(&label, format!("{images} of {all}"), part(images, all))
    };
    let rows = confusions(survey).into_iter().take(MOST_SHOWN / 2).map(row).collect();
    Part::bars("The most frequent mistakes", ["true class and predicted class", "images"], rows)
}

#[cfg(test)]
mod tests;
