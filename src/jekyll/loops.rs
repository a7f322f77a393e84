//! Liquid's `for` and `tablerow`, with each iteration charged for. A range is never expanded in memory.

use std::collections::HashMap;
use std::io::Write;

use liquid_core::error::ResultLiquidReplaceExt as _;
use liquid_core::model::{KString, KStringRef, Object, Scalar, Value, ValueCow, ValueView};
use liquid_core::parser::{BlockElement, TryMatchToken};
use liquid_core::runtime::{Interrupt, InterruptRegister, StackFrame};
use liquid_core::{
    BlockReflection, Error, Expression, Language, ParseBlock, Renderable, Result, Runtime,
    TagBlock, TagTokenIter, Template,
};

use super::budget::{self, Metered};

/// Steps per iteration in addition to those of its tags: its variables are set again.
const TURN: u64 = 8;
/// Steps per tag in the loop.
const TAG: u64 = 2;

/// `for`.
#[derive(Debug, Clone, Copy)]
pub struct For;

/// `tablerow`.
#[derive(Debug, Clone, Copy)]
pub struct TableRow;

impl BlockReflection for For {
    fn start_tag(&self) -> &str {
        "for"
    }

    fn end_tag(&self) -> &str {
        "endfor"
    }

    fn description(&self) -> &str {
        "once for each"
    }
}

impl BlockReflection for TableRow {
    fn start_tag(&self) -> &str {
        "tablerow"
    }

    fn end_tag(&self) -> &str {
        "endtablerow"
    }

    fn description(&self) -> &str {
        "a cell for each"
    }
}

impl ParseBlock for For {
    fn parse(
        &self,
        arguments: TagTokenIter<'_>,
        tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        Ok(Box::new(Loop::parse(arguments, tokens, options, false)?))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

impl ParseBlock for TableRow {
    fn parse(
        &self,
        arguments: TagTokenIter<'_>,
        tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        Ok(Box::new(Loop::parse(arguments, tokens, options, true)?))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

/// Reads the position and number that were put before a tag's own arguments.
pub fn put_before(arguments: &mut TagTokenIter<'_>) -> Result<usize> {
    let token = arguments.expect_next("a number was put here")?;
    token.as_str().trim().parse().map_err(|_| Error::with_msg("a number was put here"))
}

#[derive(Debug)]
struct Loop {
    /// Start of the tag; `None` in an included file.
    at: Option<usize>,
    /// Steps per iteration.
    cost: u64,
    name: KString,
    over: Over,
    within: Template,
    otherwise: Option<Template>,
    limit: Option<Expression>,
    offset: Option<Expression>,
    columns: Option<Expression>,
    reversed: bool,
    /// Whether it makes table cells.
    table: bool,
}

#[derive(Debug)]
enum Over {
    List(Expression),
    Range(Expression, Expression),
}

/// The items of a loop, in order.
enum Items<'a> {
    List(Vec<ValueCow<'a>>),
    Range(i64, u64),
}

impl Items<'_> {
    fn count(&self) -> u64 {
        match self {
            Self::List(items) => items.len() as u64,
            Self::Range(_, count) => *count,
        }
    }

    fn at(&self, index: u64) -> ValueCow<'_> {
        match self {
            Self::List(items) => usize::try_from(index)
                .ok()
                .and_then(|at| items.get(at))
                .map_or(ValueCow::Owned(Value::Nil), |item| ValueCow::Borrowed(item.as_view())),
            Self::Range(first, _) => {
                let at = first.saturating_add(i64::try_from(index).unwrap_or(i64::MAX));
                ValueCow::Owned(Value::scalar(at))
            }
        }
    }
}

/// The position that was put before a tag's arguments, if the tag is in the note itself.
pub fn place(number: usize) -> Option<usize> {
    // In an included file, positions in the note are unknown.
    number.checked_sub(1)
}

impl Loop {
    fn parse(
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
        table: bool,
    ) -> Result<Self> {
        let at = place(put_before(&mut arguments)?);
        let marks = put_before(&mut arguments)?;
        let name = arguments.expect_next("Identifier expected.")?.expect_identifier();
        let name = KString::from_ref(name.into_result()?);
        arguments
            .expect_next("\"in\" expected.")?
            .expect_str("in")
            .into_result_custom_msg("\"in\" expected.")?;
        let over = match arguments.expect_next("Array or range expected.")?.expect_value() {
            TryMatchToken::Matches(list) => Over::List(list),
            TryMatchToken::Fails(token) => {
                let (first, last) = token.expect_range().into_result()?;
                Over::Range(first, last)
            }
        };
        let (mut limit, mut offset, mut columns, mut reversed) = (None, None, None, false);
        while let Some(token) = arguments.next() {
            match token.as_str() {
                "limit" => limit = Some(attribute(&mut arguments)?),
                "offset" => offset = Some(attribute(&mut arguments)?),
                "cols" if table => columns = Some(attribute(&mut arguments)?),
                "reversed" if !table => reversed = true,
                _ => {
                    let known = if table { "\"cols\"" } else { "\"reversed\"" };
                    let message = format!("\"limit\", \"offset\" or {known} expected.");
                    return Err(token.raise_custom_error(&message));
                }
            }
        }
        let (mut within, mut otherwise) = (Vec::new(), None);
        while let Some(element) = tokens.next()? {
            match element {
                BlockElement::Tag(mut tag) if tag.name() == "else" && !table => {
                    tag.tokens().expect_nothing()?;
                    otherwise = Some(Template::new(tokens.parse_all(options)?));
                    break;
                }
                element => within.push(element.parse(&mut tokens, options)?),
            }
        }
        tokens.assert_empty();
        let cost = TURN + TAG * marks as u64;
        let within = Template::new(within);
        Ok(Self {
            at,
            cost,
            name,
            over,
            within,
            otherwise,
            limit,
            offset,
            columns,
            reversed,
            table,
        })
    }

    fn turns(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        let list;
        let items = match &self.over {
            Over::List(expression) => {
                list = expression.evaluate(runtime)?;
                Items::List(listed(list.as_view())?)
            }
            Over::Range(first, last) => {
                let (first, last) = (whole(first, runtime)?, whole(last, runtime)?);
                let count = i128::from(last) - i128::from(first) + 1;
                Items::Range(first, u64::try_from(count.max(0)).unwrap_or(u64::MAX))
            }
        };
        let all = items.count();
        let number = |attribute: &Option<Expression>| {
            let given = attribute.as_ref().map(|attribute| whole(attribute, runtime)).transpose();
            given.map(|given| given.map(|given| u64::try_from(given).unwrap_or(0)))
        };
        let offset = number(&self.offset)?.unwrap_or(0).min(all);
        let count = number(&self.limit)?.unwrap_or(u64::MAX).min(all - offset);
        let columns = number(&self.columns)?.unwrap_or(count).max(1);
        if count == 0
            && let Some(otherwise) = &self.otherwise
        {
            return otherwise.render_to(writer, runtime);
        }
        // A loop that would exceed the budget is not started.
        if count.saturating_mul(self.cost) > budget::STEPS {
            budget::charge(count.saturating_mul(self.cost))?;
        }
        let outer = (!self.table).then(|| runtime.try_get(&[Scalar::new("forloop")])).flatten();
        let mut about = Object::new();
        if let Some(outer) = outer {
            about.insert("parentloop".into(), outer.into_owned());
        }
        for turn in 0..count {
            budget::charge(self.cost)?;
            let index = if self.reversed { offset + count - 1 - turn } else { offset + turn };
            let item = items.at(index);
            told(&mut about, turn, count);
            if self.table {
                columned(&mut about, turn, count, columns);
            }
            let loops: &dyn ValueView = &about;
            let mut names: HashMap<KStringRef<'_>, &dyn ValueView> = HashMap::new();
            names.insert(if self.table { "tablerow" } else { "forloop" }.into(), loops);
            names.insert(self.name.as_ref(), item.as_view());
            let scope = Metered(StackFrame::new(runtime, &names));
            let column = turn % columns;
            if self.table {
                if column == 0 {
                    written(writer, &format!("<tr class=\"row{}\">", turn / columns + 1))?;
                }
                written(writer, &format!("<td class=\"col{}\">", column + 1))?;
            }
            self.within.render_to(writer, &scope)?;
            if self.table {
                let last = column + 1 == columns || turn + 1 == count;
                written(writer, if last { "</td></tr>" } else { "</td>" })?;
            }
            let interrupt = scope.registers().get_mut::<InterruptRegister>().reset();
            if interrupt == Some(Interrupt::Break) {
                break;
            }
        }
        Ok(())
    }
}

impl Renderable for Loop {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        budget::inside(self.at, || self.turns(writer, runtime))
    }
}

/// The state of an iteration that is visible inside it.
fn told(about: &mut Object, turn: u64, count: u64) {
    let number = |number: u64| Value::scalar(i64::try_from(number).unwrap_or(i64::MAX));
    about.insert("length".into(), number(count));
    about.insert("index0".into(), number(turn));
    about.insert("index".into(), number(turn + 1));
    about.insert("rindex0".into(), number(count - turn - 1));
    about.insert("rindex".into(), number(count - turn));
    about.insert("first".into(), Value::scalar(turn == 0));
    about.insert("last".into(), Value::scalar(turn + 1 == count));
}

fn columned(about: &mut Object, turn: u64, count: u64, columns: u64) {
    let number = |number: u64| Value::scalar(i64::try_from(number).unwrap_or(i64::MAX));
    let column = turn % columns;
    about.insert("col0".into(), number(column));
    about.insert("col".into(), number(column + 1));
    about.insert("col_first".into(), Value::scalar(column == 0));
    about.insert("col_last".into(), Value::scalar(column + 1 == columns || turn + 1 == count));
}

fn written(writer: &mut dyn Write, text: &str) -> Result<()> {
    writer.write_all(text.as_bytes()).replace("Failed to render")
}

/// The items of a list; for an object, pairs of a name and a value.
fn listed(list: &dyn ValueView) -> Result<Vec<ValueCow<'_>>> {
    if let Some(list) = list.as_array() {
        return Ok(list.values().map(ValueCow::Borrowed).collect());
    }
    if let Some(object) = list.as_object() {
        budget::charge_value(list)?;
        let pair = |(name, value): (liquid_core::model::KStringCow<'_>, &dyn ValueView)| {
            Value::Array(vec![Value::scalar(name.into_owned()), value.to_value()]).into()
        };
        return Ok(object.iter().map(pair).collect());
    }
    if list.is_state() || list.is_nil() {
        return Ok(Vec::new());
    }
    Err(Error::with_msg(format!("Expected array, found `{}`", list.type_name())))
}

fn attribute(arguments: &mut TagTokenIter<'_>) -> Result<Expression> {
    arguments
        .expect_next("\":\" expected.")?
        .expect_str(":")
        .into_result_custom_msg("\":\" expected.")?;
    arguments.expect_next("Value expected.")?.expect_value().into_result()
}

fn whole(expression: &Expression, runtime: &dyn Runtime) -> Result<i64> {
    let value = expression.evaluate(runtime)?;
    value.as_scalar().and_then(|scalar| scalar.to_integer()).ok_or_else(|| {
        Error::with_msg(format!("Expected whole number, found `{}`", value.type_name()))
    })
}
