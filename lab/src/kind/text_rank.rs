//! Measures `text_rank`: texts ranked by their cosine with a direction.

use neuronotes_core::kind::term::Source;
use neuronotes_core::kind::text_rank::{MOST_SHOWN, Order, Outcome, Params, Ranked, Shown};

use super::term::{TermPicture, of_source};
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::readout::Readout;
use crate::table::summary;
use crate::vector::{Prompts, Row, add, dot, middle, unit, without};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[])?;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.texts.iter().map(std::slice::from_ref).collect();
    let mut texts = prompts.encode(&clip, &groups, bench.monitor)?;
    let common = match params.center {
        true => Some(middle(&texts)),
        false => None,
    };
    if let Some(common) = &common {
        for (row, text) in texts.iter_mut().zip(&params.texts) {
            *row = without_mean(std::mem::take(row), common, text)?;
        }
    }
    let mut shown = Exhibits::default();
    let embedding = Readout::of_layer(clip.architecture.embedding_layer());
    let mut direction = vec![0.0; clip.architecture.embedding as usize];
    for term in &params.direction {
        let row = match &term.of {
            Source::Text(text) => {
                let group = std::slice::from_ref(text);
                let row = prompts.encode(&clip, &[group], bench.monitor)?.remove(0);
                match &common {
                    Some(common) => without_mean(row, common, text)?,
                    None => row,
                }
            }
            source => of_source(bench, &clip, &embedding, source, &mut |bench, seen| {
                shown.add(bench, seen)
            })?,
        };
        add(&mut direction, &row, term.weight);
    }
    let direction = unit(direction, "the sum")?;
    let cosines: Vec<f64> = texts.iter().map(|row| dot(row, &direction)).collect();
    let summary = summary(&cosines);
    let outcome = Outcome {
        count: texts.len() as u64,
        mean: summary.mean,
        sd: summary.sd,
        ranked: ranked(&params.texts, &cosines, params.order, params.top as usize),
        pictures: shown.pictures,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// A text's direction after subtracting the mean of all texts.
fn without_mean(row: Row, common: &[f64], text: &str) -> Result<Row, Failure> {
    without(row, common, &format!("the text `{text}`, without the texts' mean,"))
}

/// The first `top` texts in order; of equal ones the earlier goes first.
fn ranked(texts: &[String], cosines: &[f64], order: Order, top: usize) -> Vec<Ranked> {
    let mut places: Vec<usize> = (0..texts.len()).collect();
    places.sort_by(|&a, &b| match order {
        Order::Nearest => cosines[b].total_cmp(&cosines[a]),
        Order::Farthest => cosines[a].total_cmp(&cosines[b]),
    });
    places
        .into_iter()
        .take(top)
        .map(|at| Ranked { text: texts[at].clone(), cosine: cosines[at] })
        .collect()
}

/// The pictures of the direction that are shown.
#[derive(Debug, Default)]
struct Exhibits {
    gallery: Gallery,
    pictures: Vec<Shown>,
}

impl Exhibits {
    fn add(&mut self, bench: &mut Workbench<'_>, seen: &TermPicture<'_>) -> Result<(), Failure> {
        if self.pictures.len() < MOST_SHOWN {
            let stored = self.gallery.add(bench, seen.picture.clone())?;
            self.pictures.push(Shown {
                word: seen.word.map(str::to_owned),
                digest: seen.digest,
                origin: seen.origin.clone(),
                picture: stored.picture,
                width: stored.width,
                height: stored.height,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_list_keep_its_order_where_texts_are_equal() {
        let texts = ["a", "b", "c", "d"].map(str::to_owned);
        let names = |order, top| -> Vec<String> {
            let all = ranked(&texts, &[0.1, 0.3, 0.1, -0.2], order, top);
            all.into_iter().map(|ranked| ranked.text).collect()
        };
        assert_eq!(names(Order::Nearest, 9), ["b", "a", "c", "d"]);
        assert_eq!(names(Order::Farthest, 2), ["d", "a"]);
    }

    #[test]
    fn the_mean_of_unit_vectors_is_taken_away() {
        let rows = [vec![1.0, 0.0], vec![0.0, 1.0]];
        let common = middle(&rows);
        assert_eq!(common, [0.5, 0.5]);
        let left = without_mean(rows[0].clone(), &common, "a").expect("a direction");
        assert!((left[0] + left[1]).abs() < 1e-12 && left[0] > 0.7, "{left:?}");
        assert!(without_mean(vec![0.5, 0.5], &common, "a").is_err());
    }
}
