//! The numbers that an expression names, as prose may repeat them.

use super::expression::{Expression, Quantity, Test};
use super::reference::{Reference, Step};

impl Expression {
    /// The numbers that it names, as written: those compared with, how many items of a list have to pass, the ends of slices,
    /// and numbers in its texts. An index names none: `top[0]` is the first. For `80%`, 80 and 0.8.
    pub fn numbers(&self) -> Vec<f64> {
        let mut found = Vec::new();
        self.add_numbers(&mut found);
        found
    }

    fn add_numbers(&self, found: &mut Vec<f64>) {
        match self {
            Self::Number { written, percent } => add(*written, *percent, found),
            Self::Text(text) => add_text(text, found),
            Self::Flag(_) => {}
            Self::Value(reference) => add_steps(reference, found),
            Self::List(all) | Self::And(all) | Self::Or(all) => {
                all.iter().for_each(|one| one.add_numbers(found));
            }
            Self::Minus(one) | Self::Not(one) => one.add_numbers(found),
            Self::Computed(left, _, right) => {
                left.add_numbers(found);
                right.add_numbers(found);
            }
            Self::Count(of, test) => {
                of.add_numbers(found);
                test.iter().for_each(|test| test.add_numbers(found));
            }
            Self::Compared(left, test) => {
                left.add_numbers(found);
                test.add_numbers(found);
            }
            Self::Counted(quantity, of, test) => {
                match quantity {
                    Quantity::AtLeast(n, percent)
                    | Quantity::AtMost(n, percent)
                    | Quantity::Exactly(n, percent) => add(*n, *percent, found),
                    Quantity::All | Quantity::Any | Quantity::None => {}
                }
                of.add_numbers(found);
                test.iter().for_each(|test| test.add_numbers(found));
            }
        }
    }
}

impl Test {
    fn add_numbers(&self, found: &mut Vec<f64>) {
        match self {
            Self::Order(_, right) | Self::Among(right, _) => right.add_numbers(found),
            Self::Between(from, to, _) => {
                from.add_numbers(found);
                to.add_numbers(found);
            }
            Self::Like(..) => {}
            Self::Within(by, percent, of) => {
                add(*by, *percent, found);
                of.add_numbers(found);
            }
        }
    }
}

fn add(written: f64, percent: bool, found: &mut Vec<f64>) {
    found.push(written);
    if percent {
        found.push(written / 100.0);
    }
}

fn add_text(text: &str, found: &mut Vec<f64>) {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    found.extend(words.filter_map(|word| word.trim_matches('.').parse::<f64>().ok()));
}

fn add_steps(reference: &Reference, found: &mut Vec<f64>) {
    for (step, _) in &reference.steps {
        match step {
            Step::Slice(from, to) => {
                found.extend([from, to].into_iter().flatten().map(|at| at.unsigned_abs() as f64));
            }
            Step::Where(pairs) => pairs.iter().for_each(|(_, value)| add_text(value, found)),
            Step::Field(_) | Step::At(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::claim::condition;

    #[test]
    fn numbers_are_those_that_are_written_and_indices_are_none() {
        for (text, numbers) in [
            ("top[0].activation > 5", vec![5.0]),
            ("at least 8 of top[:10].label in hands", vec![8.0, 10.0]),
            ("count of top[-3:].label in [\"24 h\", \"b\"] == 2", vec![3.0, 24.0, 2.0]),
            ("x within 5% of 2.5 * y[unit=7].z", vec![5.0, 0.05, 2.5, 7.0]),
            ("x in 3..4 and not -1 < y or \"a.b.\" == c", vec![3.0, 4.0, 1.0]),
            ("all top.label ~ /8/", vec![]),
        ] {
            assert_eq!(condition(text).expect(text).numbers(), numbers, "{text}");
        }
    }
}
