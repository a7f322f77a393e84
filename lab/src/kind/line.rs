//! Lines of a stored probe: the probe that a request uses in; its classes, their weights, and the direction of each out.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::probe::{self, Line, Outcome, Params, WEIGHTS};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use safetensors::{Dtype, SafeTensors};

use crate::failure::Failure;
use crate::vector::{Row, dot};
use crate::workbench::Workbench;

/// The probe that a request uses as its `probe`.
#[derive(Debug)]
pub(crate) struct Probe<'a> {
    /// What it was asked for with.
    pub params: Params,
    /// The data set that it was fitted to.
    pub dataset: &'a DatasetRef,
    /// Its lines.
    pub lines: Lines,
}

/// The lines of a probe, as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lines {
    /// The classes, with their largest weights.
    pub classes: Vec<Line>,
    /// All weights of each class, in units of each unit's standard deviation.
    pub weights: Vec<Row>,
    /// The bias of each class.
    pub bias: Row,
    /// The mean of each unit over the images that the probe was fitted to.
    pub mean: Row,
    /// Its standard deviation over these; a unit whose deviation is zero has no part in any class.
    pub sd: Row,
}

impl<'a> Probe<'a> {
    /// The probe that a request uses as its `probe`.
    ///
    /// # Errors
    /// If the request uses none, or its result cannot be measured or read.
    pub(crate) fn of(bench: &mut Workbench<'a>) -> Result<Self, Failure> {
        let request: &'a Request = bench.request;
        let used = request.used("probe").next();
        let used = used.ok_or_else(|| Failure::new("the request does not use its probe"))?;
        if used.kind != probe::KIND.name {
            return Err(Failure::new(format!("`probe` names a `{}`", used.kind)));
        }
        let params: Params = probe::KIND.params(&used.params).map_err(Failure::new)?;
        let dataset = used.dataset.as_ref();
        let dataset = dataset.ok_or_else(|| Failure::new("the probe names no data set"))?;
        let lines = bench.result(used, Lines::read)?;
        Ok(Self { params, dataset, lines })
    }
}

impl Lines {
    /// Reads the lines of a probe; `Ok(None)` if a blob is missing or damaged.
    fn read(store: &Store, record: &Record) -> Result<Option<Self>, Failure> {
        let file = record.outputs.get(WEIGHTS);
        let file = file.ok_or_else(|| Failure::new(format!("the probe has no `{WEIGHTS}`")))?;
        let outcome: Option<Outcome> = record.result(store);
        let (Some(outcome), Some(file)) = (outcome, store.blob(&file.digest)) else {
            return Ok(None);
        };
        Self::of_file(outcome.classes, &file).map(Some)
    }

    /// The lines of these classes in a file of weights.
    fn of_file(classes: Vec<Line>, file: &[u8]) -> Result<Self, Failure> {
        let malformed = |why: &dyn std::fmt::Display| {
            Failure::new(format!("the probe's weights are malformed ({why})"))
        };
        let tensors = SafeTensors::deserialize(file).map_err(|why| malformed(&why))?;
        let read = |name: &str, shape: &[usize]| {
            let view = tensors.tensor(name).map_err(|why| malformed(&why))?;
            if view.dtype() != Dtype::F32 || view.shape() != shape {
                let (found, dtype) = (view.shape(), view.dtype());
                return Err(malformed(&format!("`{name}` is {dtype:?} {found:?}, not {shape:?}")));
            }
            let (numbers, _) = view.data().as_chunks::<4>();
            Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes).into()).collect::<Row>())
        };
        let count = classes.len();
        let sd = tensors.tensor("sd").map_err(|why| malformed(&why))?;
        let units = sd.shape().first().copied().unwrap_or_default();
        if count == 0 || units == 0 {
            return Err(malformed(&"they are empty"));
        }
        let weights = read("weights", &[count, units])?;
        Ok(Self {
            weights: weights.chunks_exact(units).map(<[f64]>::to_vec).collect(),
            bias: read("bias", &[count])?,
            mean: read("mean", &[units])?,
            sd: read("sd", &[units])?,
            classes,
        })
    }

    /// The place of the class of a name.
    ///
    /// # Errors
    /// If the probe has no such class.
    pub(crate) fn class(&self, name: &str) -> Result<usize, Failure> {
        let names: Vec<&str> = self.classes.iter().map(|line| line.label.as_str()).collect();
        Ok(probe::class_named(&names, name)?)
    }

    /// The logits of some classes for one image: a row of the units' pooled activations to a number each.
    pub(crate) fn logits(&self, row: &[f64], classes: &[usize]) -> Row {
        let numbers = row.iter().zip(&self.mean).zip(&self.sd);
        let standard: Row =
            numbers.map(|((x, mean), sd)| if *sd > 0.0 { (x - mean) / sd } else { 0.0 }).collect();
        classes.iter().map(|&at| self.bias[at] + dot(&self.weights[at], &standard)).collect()
    }

    /// The gradient of a class's logit in the activations of the units: its weights, each divided by the unit's standard
    /// deviation. Not scaled to length 1.
    pub(crate) fn direction(&self, class: usize) -> Row {
        let scaled = |(weight, sd): (&f64, &f64)| if *sd > 0.0 { weight / sd } else { 0.0 };
        self.weights[class].iter().zip(&self.sd).map(scaled).collect()
    }
}

#[cfg(test)]
pub(crate) mod golden {
    //! A fitted regression and its answers, which `tests/reference/lines.py` computes.

    use std::path::Path;

    use safetensors::tensor::TensorView;
    use serde_json::Value;

    use super::*;

    /// The golden file.
    pub(crate) fn read() -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lines.json");
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
    }

    /// The numbers of a field.
    pub(crate) fn numbers(value: &Value) -> Row {
        let items = value.as_array().expect("a list").iter();
        items.map(|number| number.as_f64().expect("a number")).collect()
    }

    /// A class of that name.
    fn line(label: &str) -> Line {
        let (train, of, right, bias, terms) = (3, 1, 1, 0.0, 2);
        Line { label: label.to_owned(), train, of, right, bias, terms, weights: vec![] }
    }

    /// A file of these tensors.
    fn file(tensors: &[(&str, Vec<usize>, Row)]) -> Vec<u8> {
        let bytes = tensors.iter().map(|(name, shape, numbers)| {
            let bytes = numbers.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect::<Vec<u8>>();
            (*name, shape.clone(), bytes)
        });
        let bytes: Vec<_> = bytes.collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor"))
        });
        safetensors::serialize(views, None).expect("a file")
    }

    /// The lines of a file with these weights, biases, means and deviations.
    pub(crate) fn lines(
        labels: &[&str],
        [weights, bias, mean, sd]: [Row; 4],
    ) -> Result<Lines, Failure> {
        let (classes, units) = (bias.len(), sd.len());
        let file = file(&[
            ("weights", vec![classes, units], weights),
            ("bias", vec![classes], bias),
            ("mean", vec![units], mean),
            ("sd", vec![units], sd),
        ]);
        Lines::of_file(labels.iter().map(|label| line(label)).collect(), &file)
    }

    /// The lines of the golden regression, whose classes are called a, b, c and d.
    pub(crate) fn golden_lines() -> Lines {
        let known = read();
        let parts = ["weights", "bias", "mean", "sd"].map(|name| numbers(&known[name]));
        lines(&["a", "b", "c", "d"], parts).expect("lines")
    }
}

#[cfg(test)]
mod tests {
    use super::golden::{golden_lines, lines};
    use super::*;

    #[test]
    fn a_line_is_the_gradient_of_the_logit_of_its_class() {
        let lines = golden_lines();
        let units = lines.sd.len();
        let at: Row = lines.mean.iter().map(|mean| mean + 0.5).collect();
        for class in 0..4 {
            let direction = lines.direction(class);
            for unit in 0..units {
                let mut there = at.clone();
                there[unit] += 1.0;
                let logit = |row: &[f64]| lines.logits(row, &[class])[0];
                let rise = logit(&there) - logit(&at);
                assert!((rise - direction[unit]).abs() < 1e-9, "{class} {unit}");
            }
        }
        let constant = lines.sd.iter().position(|sd| *sd == 0.0).expect("a constant unit");
        assert!((0..4).all(|class| lines.direction(class)[constant] == 0.0));
    }

    #[test]
    fn classes_are_found_and_a_file_that_does_not_fit_its_classes_is_malformed() {
        let parts = || [vec![1.0, -2.0], vec![0.5], vec![0.0, 1.0], vec![2.0, 0.5]];
        let one = lines(&["Cat"], parts()).expect("lines");
        assert_eq!((one.class("cat").expect("a class"), one.direction(0)), (0, vec![0.5, -4.0]));
        assert!(one.class("cats").expect_err("none").to_string().contains("no class `cats`"));
        let said = |found: Result<Lines, Failure>| found.expect_err("malformed").to_string();
        let two = said(lines(&["cat", "dog"], parts()));
        assert!(two.contains("the probe's weights are malformed (`weights` is F32"), "{two}");
        assert!(said(Lines::of_file(vec![], b"no file")).contains("are malformed"));
    }
}
