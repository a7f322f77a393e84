//! Measures `text_span`: what attention heads add to the embeddings of a data set's images, and the texts along which that
//! varies most.

use neuronotes_core::kind::text_span::{Chosen, DRAWS, Draws, Example, Head, Outcome, Params};
use neuronotes_core::model::{BlockTap, Stage};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use crate::clip::Clip;
use crate::clip::activations::Activations;
use crate::clip::terms::Part;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::feed::Pictures;
use crate::fit::span::{Candidates, Chosen as Found, Span};
use crate::gallery::Gallery;
use crate::monitor::{Monitor, Progress};
use crate::pass::Pass;
use crate::vector::{Prompts, Row};
use crate::workbench::Workbench;

/// The most numbers that are kept of what heads add: 4 GiB.
const MOST_NUMBERS: u64 = 1 << 30;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let stage = clip.layer(params.layer.layer())?.stage;
    let parts = params.heads.iter().map(|head| part(stage, *head));
    let parts: Vec<Part> = parts.collect::<Option<_>>().ok_or_else(|| {
        let layer = params.layer.layer();
        Failure::new(format!("no attention heads write into the embedding at `{layer}`"))
    })?;
    let dataset = bench.dataset()?;
    let shards: Vec<Box<dyn Shard>> =
        (0..dataset.shards.len()).map(|at| bench.shard(dataset, at)).collect::<Result<_, _>>()?;
    let rows = shards.iter().enumerate().flat_map(|(at, shard)| {
        (0..shard.samples().len()).map(move |row| (at, shard.as_ref(), row))
    });
    let rows: Vec<(usize, &dyn Shard, usize)> = rows.collect();
    fits(rows.len(), parts.len(), &clip)?;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let groups: Vec<&[String]> = params.texts.iter().map(std::slice::from_ref).collect();
    let texts = prompts.encode(&clip, &groups, bench.monitor)?;
    let texts = Tensor::from_slice(&texts.concat()).view([texts.len() as i64, -1]);
    let pictures: Vec<(&dyn Shard, usize)> =
        rows.iter().map(|&(_, shard, row)| (shard, row)).collect();
    let added = Added::of(&clip, &parts, &pictures[..], bench.monitor)?;
    let count = added.seen.len();
    if count == 0 {
        return Err(Failure::new("no picture of the data set can be read"));
    }
    if count <= params.top as usize {
        let message = format!(
            "`top` is {}, but what a head adds to {count} pictures varies along at most {} directions",
            params.top,
            count - 1
        );
        return Err(Failure::new(message).hint("set a smaller `top`, or use more pictures"));
    }
    let mut gallery = Gallery::default();
    let mut heads = Vec::new();
    for (at, &head) in params.heads.iter().enumerate() {
        bench.monitor.check()?;
        bench.monitor.progress(&Progress {
            stage: "choosing texts",
            step: at as u64,
            total: params.heads.len() as u64,
            unit: "head",
            picture: None,
        });
        let contributions = added.of_head(at);
        let span = Span::of(&contributions, params.rank as usize)?;
        let candidates = span.inside(&texts)?;
        let top = params.top as usize;
        let mut chosen = Vec::new();
        for found in span.choose(&candidates, top) {
            let deviations = span.deviations(&contributions, &found)?;
            let mut examples = Vec::new();
            for place in strongest(&deviations, params.examples as usize) {
                let (index, shard, row) = rows[added.seen[place]];
                let key = &shard.samples()[row].key;
                let (stored, said) = gallery.add_sample(bench, index, key)?;
                examples.push(Example {
                    key: said.key,
                    caption: said.caption,
                    deviations: deviations[place],
                    picture: stored.picture,
                    width: stored.width,
                    height: stored.height,
                });
            }
            let Found { at, explained, .. } = found;
            chosen.push(Chosen { text: params.texts[at].clone(), explained, examples });
        }
        let [random_texts, random_directions] =
            baselines(&span, &candidates, params.texts.len(), top, (params.seed, head));
        heads.push(Head {
            head,
            variance: span.variance(),
            rank: span.rank() as u32,
            texts: chosen,
            components: span.components(top),
            random_texts,
            random_directions,
        });
    }
    let outcome = Outcome {
        count: count as u64,
        skipped: (rows.len() - count) as u64,
        variance: added.variance(),
        gap: added.gap,
        heads,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The part of the network that a head at a stage is.
fn part(stage: Stage, head: u32) -> Option<Part> {
    match stage {
        Stage::Embedding => Some(Part::PoolHead(head)),
        Stage::Residual { block, tap: BlockTap::Attention } => Some(Part::Head { block, head }),
        _ => None,
    }
}

/// Checks that what the heads add to that many images can be kept.
fn fits(images: usize, heads: usize, clip: &Clip) -> Result<(), Failure> {
    let each = heads as u64 * u64::from(clip.architecture.embedding);
    let most = MOST_NUMBERS / each.max(1);
    if images as u64 <= most {
        return Ok(());
    }
    let message = format!(
        "what {heads} heads add to {images} images takes more than {} GiB of memory",
        (MOST_NUMBERS * 4) >> 30
    );
    Err(Failure::new(message).hint(format!(
        "name fewer `heads`, each in a block of its own if need be, or use at most {most} images"
    )))
}

/// What heads add to the embeddings of images, divided by the embedding's length.
struct Added {
    /// Of each head: `[images, embedding]`.
    heads: Vec<Vec<f32>>,
    /// The places of the images that could be read.
    seen: Vec<usize>,
    /// The sum of all embeddings, each scaled to length 1.
    sum: Row,
    /// The greatest difference between a coordinate of the sum of all terms and of an embedding, relative to its length.
    gap: f64,
}

impl Added {
    /// Shows pictures to the model.
    fn of<P: Pictures + ?Sized>(
        clip: &Clip,
        parts: &[Part],
        pictures: &P,
        monitor: &mut dyn Monitor,
    ) -> Result<Self, Failure> {
        let width = clip.architecture.embedding as usize;
        let heads = vec![Vec::new(); parts.len()];
        let mut all = Self { heads, seen: Vec::new(), sum: vec![0.0; width], gap: 0.0 };
        let stages = clip.term_stages();
        let pass = Pass::new(clip, &stages, "looking at what heads add");
        pass.run(pictures, monitor, |places, found| all.add(clip, parts, places, found))?;
        Ok(all)
    }

    /// Adds a batch; adds nothing if memory runs out.
    fn add(
        &mut self,
        clip: &Clip,
        parts: &[Part],
        places: &[usize],
        found: &Activations,
    ) -> Result<(), Failure> {
        let embeddings = found.get(Stage::Embedding)?.f_to_kind(Kind::Float)?; // [n, e]
        let lengths = embeddings.norm_scalaropt_dim(2, [1i64].as_slice(), true); // [n, 1]
        // What the terms add along a direction is not asked for.
        let nowhere = Tensor::f_zeros([embeddings.size()[1]], (Kind::Float, clip.device))?;
        let terms = clip.terms_at(found, &nowhere)?.terms;
        let mut left = embeddings.shallow_clone();
        let mut new = Vec::new();
        for term in &terms {
            left = left.f_sub(&term.vector)?;
        }
        for part in parts {
            let term = terms.iter().find(|term| term.part == *part);
            let term = term.ok_or_else(|| Failure::new("the model has no such head"))?;
            new.push(numbers(&term.vector.f_div(&lengths)?)?);
        }
        let gap = (left / &lengths).abs().max().f_double_value(&[])?;
        let unit = embeddings.f_div(&lengths)?.f_to_kind(Kind::Double)?;
        let unit = unit.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let unit = Vec::<f64>::try_from(unit)?;
        self.heads.iter_mut().zip(new).for_each(|(all, new)| all.extend(new));
        self.sum.iter_mut().zip(unit).for_each(|(sum, x)| *sum += x);
        self.seen.extend(places);
        self.gap = self.gap.max(gap);
        Ok(())
    }

    /// Of one head, by its place: `[images, embedding]`.
    fn of_head(&self, at: usize) -> Tensor {
        Tensor::from_slice(&self.heads[at]).view([self.seen.len() as i64, -1])
    }

    /// The variance of the embeddings, each scaled to length 1: 1 minus the squared length of their mean.
    fn variance(&self) -> f64 {
        let count = self.seen.len().max(1) as f64;
        1.0 - self.sum.iter().map(|sum| (sum / count).powi(2)).sum::<f64>()
    }
}

/// All numbers of a tensor.
fn numbers(tensor: &Tensor) -> Result<Vec<f32>, Failure> {
    let flat = tensor.f_to_device(Device::Cpu)?.f_contiguous()?.f_view(-1)?;
    Ok(Vec::try_from(flat)?)
}

/// The places of the largest numbers; of equal ones the first.
fn strongest(numbers: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
    order.truncate(most);
    order
}

/// What random texts explain, and what directions that are chosen among as many random ones as there are texts.
fn baselines(
    span: &Span,
    candidates: &Candidates,
    texts: usize,
    top: usize,
    (seed, head): (u64, u32),
) -> [Draws; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Each head has draws of its own, whichever others are asked for.
    rng.set_stream(head.into());
    let (mut of_texts, mut of_directions) = (Vec::new(), Vec::new());
    for _ in 0..DRAWS {
        let some = rand::seq::index::sample(&mut rng, texts, top.min(texts)).into_vec();
        of_texts.push(span.together(candidates, &some));
        let random = span.random(texts, &mut rng);
        let chosen = span.choose(&random, top);
        of_directions.push(chosen.iter().map(|chosen| chosen.explained).sum());
    }
    [of_texts, of_directions].map(|draws: Vec<f64>| Draws {
        mean: draws.iter().sum::<f64>() / draws.len() as f64,
        low: draws.iter().copied().fold(f64::INFINITY, f64::min),
        high: draws.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use neuronotes_core::model::Conventions;

    use super::*;
    use crate::clip::Loading;
    use crate::monitor::Silent;
    use crate::picture::Picture;

    fn network(name: &str) -> Clip {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        let loading = Loading::new(Device::Cpu, Conventions::default());
        Clip::load(&path.join("weights.safetensors"), loading).expect("a model")
    }

    /// Pictures with some structure, each another.
    fn pictures(count: u32) -> Vec<Picture> {
        let colour = |at: u32, x: u32, y: u32| {
            [0, 1, 2].map(|band| {
                let wave = (x * (at % 5 + 1) + y * (at % 3 + band)) as f32 * 0.15 + at as f32;
                (127.0 + 120.0 * wave.sin()) as u8
            })
        };
        let picture = |at| image::RgbImage::from_fn(40, 40, |x, y| image::Rgb(colour(at, x, y)));
        (0..count).map(|at| Picture::from(picture(at))).collect()
    }

    #[test]
    fn what_heads_add_is_their_term_of_each_embedding_in_either_family() {
        for (name, layer) in [
            ("clip_resnet", "visual.attnpool"),
            ("clip_vit", "visual.transformer.resblocks.1.attn"),
        ] {
            let clip = network(name);
            let stage = clip.layer(layer).expect("a layer").stage;
            let sizes = clip.architecture.heads();
            let (_, heads) = sizes.iter().find(|(known, _)| known.stage == stage).expect("heads");
            let parts: Vec<Part> = (0..*heads).filter_map(|head| part(stage, head)).collect();
            assert_eq!(parts.len(), *heads as usize);
            let pictures = pictures(40);
            let added =
                Added::of(&clip, &parts, &pictures[..], &mut Silent).expect("contributions");
            assert_eq!(added.seen.len(), 40, "in two batches");
            assert!(added.gap < 1e-5, "{name}: {}", added.gap);
            assert!((0.0..1.0).contains(&added.variance()), "{name}: {}", added.variance());
            // The last picture, alone.
            let side = clip.architecture.image_size;
            let last = crate::clip::preprocess::prepare(pictures[39].clone(), side);
            let input = clip.input(last.expect("a picture").as_raw(), 1).expect("an input");
            let nowhere = Tensor::zeros([24], (Kind::Float, Device::Cpu));
            let terms = clip.terms(&input, &nowhere).expect("terms").terms;
            let length = clip.encode_images(&input).expect("an embedding").norm();
            for (at, part) in parts.iter().enumerate() {
                let term = terms.iter().find(|term| term.part == *part).expect("a term");
                let expected = (&term.vector / &length).squeeze_dim(0);
                let found = added.of_head(at).get(39);
                let apart = (found - expected).abs().max().double_value(&[]);
                assert!(apart < 1e-5, "{name} {part:?}: {apart}");
            }
        }
    }

    #[test]
    fn a_head_that_was_made_to_write_a_text_gets_that_text() {
        let clip = network("clip_vit");
        let stage = clip.layer("visual.transformer.resblocks.1.attn").expect("a layer").stage;
        let parts: Vec<Part> = (0..2).filter_map(|head| part(stage, head)).collect();
        let pictures = pictures(60);
        let added = Added::of(&clip, &parts, &pictures[..], &mut Silent).expect("contributions");
        for head in 0..2 {
            let rows = added.of_head(head);
            let centred =
                rows.to_kind(Kind::Double) - rows.mean_dim([0i64].as_slice(), true, Kind::Double);
            let (_, values, directions) = centred.svd(true, true);
            let values = Vec::<f64>::try_from(values.square()).expect("numbers");
            // Among random texts, one is what the head writes most: its first principal component.
            let first = directions.select(1, 0);
            let mut rng = ChaCha8Rng::seed_from_u64(head as u64);
            let others: Vec<f64> = {
                use rand::Rng as _;
                (0..30 * 24).map(|_| rng.sample::<f64, _>(rand_distr::StandardNormal)).collect()
            };
            let others = Tensor::from_slice(&others).view([30, 24]);
            let others = &others / others.norm_scalaropt_dim(2, [1i64].as_slice(), true);
            let texts = Tensor::cat(&[&others, &first.unsqueeze(0)], 0);
            let span = Span::of(&rows, 80).expect("a span");
            let chosen = span.choose(&span.inside(&texts).expect("candidates"), 3);
            assert_eq!(chosen[0].at, 30, "head {head}");
            let expected = values[0] / values.iter().sum::<f64>();
            assert!((chosen[0].explained - expected).abs() < 1e-4, "{}", chosen[0].explained);
            assert!((span.components(1) - expected).abs() < 1e-4);
        }
    }

    #[test]
    fn draws_are_repeated_by_their_seed_and_those_of_a_head_are_its_own() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let all: Vec<f64> = {
            use rand::Rng as _;
            (0..50 * 6).map(|_| rng.sample::<f64, _>(rand_distr::StandardNormal)).collect()
        };
        let rows = Tensor::from_slice(&all).view([50, 6]);
        let span = Span::of(&rows, 80).expect("a span");
        let texts = span.inside(&rows.narrow(0, 0, 20)).expect("candidates");
        let drawn = |of| baselines(&span, &texts, 20, 2, of);
        assert_eq!(drawn((0, 1)), drawn((0, 1)));
        assert_ne!(drawn((0, 1)), drawn((0, 2)));
        assert_ne!(drawn((0, 1)), drawn((1, 1)));
        for draws in drawn((0, 1)) {
            assert!(draws.low <= draws.mean && draws.mean <= draws.high);
            assert!(draws.low > 0.0 && draws.high <= span.components(2) + 1e-12);
        }
    }

    #[test]
    fn more_than_memory_should_hold_is_refused_with_what_would_fit() {
        let clip = network("clip_resnet");
        assert!(fits(1_000_000, 4, &clip).is_ok());
        let error = fits(20_000_000, 4, &clip).expect_err("too many images");
        assert!(error.to_string().contains("more than 4 GiB"), "{error}");
    }
}
