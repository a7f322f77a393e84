//! The language of claims as a tree.

use super::reference::Reference;

/// An expression: a number, a text, a list, or a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number from 0; with `%`, a hundredth of it.
    Number {
        /// As written, before `%`.
        written: f64,
        /// Whether `%` follows.
        percent: bool,
    },
    /// A quoted text.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// `["a", "b"]`
    List(Vec<Self>),
    /// A value of a figure, or a list of the garden.
    Value(Reference),
    /// `-x`
    Minus(Box<Self>),
    /// `x + y`
    Computed(Box<Self>, Operator, Box<Self>),
    /// `count of xs > 3`; without a test, the length of the list.
    Count(Box<Self>, Option<Test>),
    /// `x > 3`
    Compared(Box<Self>, Test),
    /// `all xs > 3`; without a test, the items are conditions themselves.
    Counted(Quantity, Box<Self>, Option<Test>),
    /// `not x`
    Not(Box<Self>),
    /// Two or more, joined by `and`.
    And(Vec<Self>),
    /// Two or more, joined by `or`.
    Or(Vec<Self>),
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
}

/// How many items of a list have to pass a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// `all`
    All,
    /// `any`
    Any,
    /// `none`
    None,
    /// `at least 8 of`; a fraction of the list with `%`, as everywhere here.
    AtLeast(f64, bool),
    /// `at most 8 of`
    AtMost(f64, bool),
    /// `exactly 8 of`
    Exactly(f64, bool),
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `> 3`
    Order(Order, Box<Expression>),
    /// `in 3..5`, ends included; `not in`
    Between(Box<Expression>, Box<Expression>, bool),
    /// `in hands`; `not in`
    Among(Box<Expression>, bool),
    /// `~ /re/`; `!~`
    Like(Pattern, bool),
    /// `within 5% of x`, or without `%` an absolute difference
    Within(f64, bool, Box<Expression>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Same,
    /// `!=`
    Other,
}

/// A regular expression, compiled.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As written between the slashes.
    pub written: String,
    /// Whether upper and lower case are the same to it: `/re/i`.
    pub folds: bool,
    /// Compiled.
    pub compiled: regex::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.written, self.folds) == (&other.written, other.folds)
    }
}

impl Operator {
    /// As written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
        }
    }
}

impl Order {
    /// As written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Same => "==",
            Self::Other => "!=",
        }
    }

    /// Whether it is true of two numbers; of what is not a number, nothing is.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Same => left == right,
            Self::Other => left != right && !left.is_nan() && !right.is_nan(),
        }
    }
}

impl Expression {
    /// The number `n`.
    pub fn whole(n: u32) -> Self {
        Self::Number { written: n.into(), percent: false }
    }

    /// All values that it names, in order.
    pub fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'e>(&'e self, found: &mut Vec<&'e Reference>) {
        match self {
            Self::Number { .. } | Self::Text(_) | Self::Flag(_) => {}
            Self::Value(reference) => found.push(reference),
            Self::List(all) | Self::And(all) | Self::Or(all) => {
                all.iter().for_each(|one| one.collect(found));
            }
            Self::Minus(one) | Self::Not(one) => one.collect(found),
            Self::Computed(left, _, right) => {
                left.collect(found);
                right.collect(found);
            }
            Self::Count(of, test) | Self::Counted(_, of, test) => {
                of.collect(found);
                test.iter().for_each(|test| test.collect(found));
            }
            Self::Compared(left, test) => {
                left.collect(found);
                test.collect(found);
            }
        }
    }
}

impl Test {
    /// All values that it names, in order.
    pub fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'e>(&'e self, found: &mut Vec<&'e Reference>) {
        match self {
            Self::Like(..) => {}
            Self::Order(_, right) | Self::Among(right, _) | Self::Within(_, _, right) => {
                right.collect(found);
            }
            Self::Between(from, to, _) => {
                from.collect(found);
                to.collect(found);
            }
        }
    }
}
