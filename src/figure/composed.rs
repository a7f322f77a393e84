//! Classes composed of units: an equation for each class, and the graph of both. Knows nothing of any kind, and not what
//! units are called.

use serde::{Deserialize, Serialize};

use neuronotes_core::number::{number, thousands};

use super::picture::Picture;
use super::unit::UnitRef;

/// Sums of units, one below the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equations {
    /// Title; empty if the figure's own suffices.
    pub title: String,
    /// The sums, in the order shown.
    pub rows: Vec<Equation>,
}

/// A sum of units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equation {
    /// What the units add up to.
    pub name: String,
    /// The terms, in the order shown.
    pub terms: Vec<Term>,
    /// Number of further terms, which are not shown.
    pub more: usize,
}

/// A unit with its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// Its weight without its sign, formatted.
    pub value: String,
    /// Whether its weight is below zero.
    pub below: bool,
    /// The unit's name if no note declares one.
    pub label: String,
    /// The unit.
    pub unit: Option<UnitRef>,
    /// Its picture, unless the page has a better one.
    pub picture: Option<Picture>,
}

/// A graph of units and classes. Edges lead from one side to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    /// Title; empty if the figure's own suffices.
    pub title: String,
    /// A description for readers who cannot see it.
    pub alt: String,
    /// The units.
    pub units: Vec<UnitNode>,
    /// The classes.
    pub classes: Vec<String>,
    /// The weights, those drawn on top last.
    pub edges: Vec<Edge>,
    /// The greatest size of a weight.
    pub most: f64,
}

/// A unit of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitNode {
    /// The unit's name if no note declares one.
    pub label: String,
    /// The unit.
    pub unit: Option<UnitRef>,
    /// Its picture, unless the page has a better one.
    pub picture: Option<Picture>,
}

/// A weight between a unit and a class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Which unit.
    pub unit: usize,
    /// Which class.
    pub class: usize,
    /// The weight.
    pub weight: f64,
    /// The weight, formatted.
    pub value: String,
    /// Heights of its ends, as fractions: at the unit, at the class.
    pub ends: (f64, f64),
    /// Its size as a fraction of the greatest.
    pub share: f64,
}

impl Graph {
    /// The graph of these units and classes with weights `(unit, class, weight)`, of which those that are zero or not
    /// finite are left out. The classes keep their order, and units are moved to where their classes are. `digits` says
    /// how many decimals a weight has.
    pub fn of(
        title: &str,
        units: Vec<UnitNode>,
        classes: Vec<String>,
        weights: &[(usize, usize, f64)],
        digits: &dyn Fn(f64) -> usize,
    ) -> Self {
        let there = |&&(unit, class, weight): &&(usize, usize, f64)| {
            unit < units.len() && class < classes.len() && weight.is_finite() && weight != 0.0
        };
        let weights: Vec<_> = weights.iter().filter(there).copied().collect();
        // A unit's place: the mean of its classes' places, by the sizes of its weights.
        let middle = |unit: usize| {
            let own = weights.iter().filter(|(of, ..)| *of == unit);
            let (sum, all) = own.fold((0.0, 0.0), |(sum, all), (_, class, weight)| {
                (sum + weight.abs() * *class as f64, all + weight.abs())
            });
            if all > 0.0 { sum / all } else { f64::MAX }
        };
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.sort_by(|a, b| middle(*a).total_cmp(&middle(*b)));
        let mut place = vec![0; units.len()];
        order.iter().enumerate().for_each(|(at, unit)| place[*unit] = at);
        let most = weights.iter().map(|(.., weight)| weight.abs()).fold(0.0, f64::max);
        let height = |at: usize, of: usize| (at as f64 + 0.5) / of.max(1) as f64;
        let mut edges: Vec<Edge> = weights
            .iter()
            .map(|(unit, class, weight)| Edge {
                unit: place[*unit],
                class: *class,
                weight: *weight,
                value: number(*weight, digits(*weight)),
                ends: (height(place[*unit], units.len()), height(*class, classes.len())),
                share: weight.abs() / most,
            })
            .collect();
        edges.sort_by(|a, b| a.share.total_cmp(&b.share));
        let mut slots: Vec<Option<UnitNode>> = units.into_iter().map(Some).collect();
        let units: Vec<UnitNode> = order.iter().filter_map(|unit| slots[*unit].take()).collect();
        let plural = |count: usize, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{} {many}", thousands(count as u64)),
        };
        let shown = |weight: f64| number(weight, digits(weight));
        let alt = format!(
            "Graph of {} and {} with {} between {} and {}",
            plural(units.len(), "unit", "units"),
            plural(classes.len(), "class", "classes"),
            plural(edges.len(), "weight", "weights"),
            shown(edges.iter().map(|edge| edge.weight).fold(f64::INFINITY, f64::min)),
            shown(edges.iter().map(|edge| edge.weight).fold(f64::NEG_INFINITY, f64::max)),
        );
        let alt = match edges.is_empty() {
            true => "Graph without weights".to_owned(),
            false => alt,
        };
        Self { title: title.to_owned(), alt, units, classes, edges, most }
    }
}

impl Term {
    /// A term with its weight in so many decimals.
    pub fn of(weight: f64, digits: usize, node: UnitNode) -> Self {
        let UnitNode { label, unit, picture } = node;
        Self { value: number(weight.abs(), digits), below: weight < 0.0, label, unit, picture }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(unit: u32) -> UnitNode {
        UnitNode { label: format!("unit {unit}"), unit: None, picture: None }
    }

    #[test]
    fn units_stand_where_their_classes_are() {
        let units = vec![node(3), node(5), node(8)];
        let classes = vec!["piggy bank".to_owned(), "barn spider".to_owned()];
        let weights =
            [(0, 1, 1.5), (1, 0, 2.5), (2, 0, 0.5), (2, 1, -0.5), (0, 0, 0.0), (1, 1, f64::NAN)];
        let graph = Graph::of("", units, classes, &weights, &|_| 1);
        let order: Vec<&str> = graph.units.iter().map(|unit| &*unit.label).collect();
        assert_eq!(order, ["unit 5", "unit 8", "unit 3"]);
        let edge = |edge: &Edge| (edge.unit, edge.class, edge.value.clone(), edge.share);
        let edges: Vec<_> = graph.edges.iter().map(edge).collect();
        let value = |text: &str| text.to_owned();
        assert_eq!(
            edges,
            [
                (1, 0, value("0.5"), 0.2),
                (1, 1, value("−0.5"), 0.2),
                (2, 1, value("1.5"), 0.6),
                (0, 0, value("2.5"), 1.0)
            ],
            "what is zero or no number is no edge, and the greatest is on top"
        );
        assert_eq!(graph.edges[3].ends, (1.0 / 6.0, 0.25));
        assert_eq!(graph.alt, "Graph of 3 units and 2 classes with 4 weights between −0.5 and 2.5");
        assert_eq!(Graph::of("", vec![], vec![], &[], &|_| 1).alt, "Graph without weights");
    }
}
