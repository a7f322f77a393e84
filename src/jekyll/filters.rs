//! Liquid's filters: the library's, charged for their input and output, and our own.

use liquid_core::model::{ScalarCow, Value, ValueView};
use liquid_core::parser::FilterArguments;
use liquid_core::{
    Display_filter, Error, Expression, Filter, FilterParameters, FilterReflection,
    FromFilterParameters, ParseFilter, Result, Runtime,
};
use liquid_lib::{jekyll, stdlib};
use std::fmt;

use super::budget;

/// Maximum growth of a character in an escaping filter.
const ESCAPED: usize = 7;
/// Approximate overhead of a text in a list, in bytes.
const SLOT: usize = 48;

/// All filters.
pub fn all() -> Vec<Box<dyn ParseFilter>> {
    macro_rules! charged {
        ($($filter:expr),* $(,)?) => {
            vec![$(Box::new(Charged(Box::new($filter)))),*]
        };
    }
    charged![
        stdlib::Abs,
        stdlib::Append,
        stdlib::AtLeast,
        stdlib::AtMost,
        stdlib::Capitalize,
        stdlib::Ceil,
        stdlib::Compact,
        stdlib::Concat,
        stdlib::Default,
        stdlib::DividedBy,
        stdlib::Downcase,
        stdlib::Escape,
        stdlib::EscapeOnce,
        stdlib::First,
        stdlib::Floor,
        stdlib::Join,
        stdlib::Last,
        stdlib::Lstrip,
        stdlib::Map,
        stdlib::Minus,
        stdlib::Modulo,
        stdlib::NewlineToBr,
        stdlib::Plus,
        stdlib::Prepend,
        stdlib::Remove,
        stdlib::RemoveFirst,
        stdlib::Replace,
        stdlib::ReplaceFirst,
        stdlib::Reverse,
        stdlib::Round,
        stdlib::Rstrip,
        stdlib::Size,
        stdlib::Slice,
        stdlib::SortNatural,
        stdlib::Split,
        stdlib::Strip,
        stdlib::StripHtml,
        stdlib::StripNewlines,
        stdlib::Times,
        stdlib::Truncate,
        stdlib::TruncateWords,
        stdlib::Uniq,
        stdlib::Upcase,
        stdlib::UrlDecode,
        stdlib::UrlEncode,
        stdlib::Where,
        jekyll::Slugify,
        jekyll::Sort,
        jekyll::Push,
        jekyll::Pop,
        jekyll::Shift,
        jekyll::Unshift,
        jekyll::ArrayToSentenceString,
        Day,
        Relative,
        Absolute,
    ]
}

/// A filter that is charged for.
#[derive(Clone)]
struct Charged(Box<dyn ParseFilter>);

impl ParseFilter for Charged {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>> {
        let given: Vec<Expression> = arguments.positional.collect();
        let arguments = FilterArguments {
            positional: Box::new(given.clone().into_iter()),
            keyword: arguments.keyword,
        };
        let filter = self.0.parse(arguments)?;
        Ok(Box::new(Metered { name: self.0.reflection().name().to_owned(), filter, given }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self.0.reflection()
    }
}

#[derive(Debug)]
struct Metered {
    name: String,
    filter: Box<dyn Filter>,
    given: Vec<Expression>,
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

impl Filter for Metered {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let bytes = budget::charge_value(input)?;
        let first = self.given.first().map(|given| given.evaluate(runtime)).transpose()?;
        let second = self.given.get(1).map(|given| given.evaluate(runtime)).transpose()?;
        let given: Vec<&dyn ValueView> =
            first.iter().chain(&second).map(|given| given.as_view()).collect();
        check_number(&self.name, input, given.first().copied())?;
        // Output that would be too large is not made at all.
        budget::check_size(estimate(&self.name, bytes, input, &given)?)?;
        let made = self.filter.evaluate(input, runtime)?;
        budget::charge_value(&made)?;
        Ok(made)
    }
}

/// Upper estimate of a filter's output in bytes, if that can be many times its input.
fn estimate(
    name: &str,
    bytes: usize,
    input: &dyn ValueView,
    given: &[&dyn ValueView],
) -> Result<usize> {
    let length = |at: usize| given.get(at).map_or(0, |value| value.to_kstr().len());
    let items = input.as_array().map_or(1, |list| usize::try_from(list.size()).unwrap_or(0));
    let found = || {
        let (text, wanted) = (input.to_kstr(), given.first().map(|wanted| wanted.to_kstr()));
        match wanted.as_deref() {
            None | Some("") => text.len() + 1,
            Some(wanted) => text.matches(wanted).count(),
        }
    };
    Ok(match name {
        "replace" => bytes.saturating_add(found().saturating_mul(length(1))),
        "split" => bytes.saturating_add(found().saturating_mul(SLOT)) / 4,
        "join" | "array_to_sentence_string" => {
            bytes.saturating_add(items.saturating_mul(length(0).max(2)))
        }
        "uniq" => {
            let pairs = (items as u64).saturating_mul(items as u64);
            budget::charge(pairs / 2)?;
            bytes / ESCAPED
        }
        "date" => given.first().map_or(0, |format| widths(&format.to_kstr())),
        "escape" | "escape_once" | "url_encode" | "newline_to_br" => bytes,
        _ => bytes.saturating_add(length(0)) / ESCAPED,
    })
}

/// The widths in a date format.
fn widths(format: &str) -> usize {
    let digits = format.split('%').skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['-', '_', '0', '^', '#', ':']);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        match rest.get(..end).unwrap_or_default() {
            "" => 0,
            digits => digits.parse().unwrap_or(usize::MAX),
        }
    });
    digits.fold(format.len(), usize::saturating_add)
}

/// Rejects integer overflow and division by zero.
fn check_number(name: &str, input: &dyn ValueView, given: Option<&dyn ValueView>) -> Result<()> {
    let whole = |value: &dyn ValueView| value.as_scalar().and_then(|scalar| scalar.to_integer());
    let Some(number) = whole(input) else { return Ok(()) };
    let operand = given.and_then(whole);
    let fits = match (name, operand) {
        ("abs", _) => number.checked_abs().is_some(),
        ("plus", Some(operand)) => number.checked_add(operand).is_some(),
        ("minus", Some(operand)) => number.checked_sub(operand).is_some(),
        ("times", Some(operand)) => number.checked_mul(operand).is_some(),
        ("divided_by" | "modulo", Some(0)) => {
            return Err(Error::with_msg(format!("`{name}` divides by zero")));
        }
        ("divided_by" | "modulo", Some(operand)) => number.checked_rem(operand).is_some(),
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(Error::with_msg(format!("the result of `{name}` is too large"))),
    }
}

#[derive(Debug, FilterParameters)]
struct DayArguments {
    #[parameter(description = "The format.", arg_type = "str")]
    format: Expression,
}

/// `date`, for which "now" is when the garden was last changed.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "date",
    description = "Formats a date.",
    parameters(DayArguments),
    parsed(DayFilter)
)]
struct Day;

#[derive(Debug, FromFilterParameters, Display_filter)]
#[name = "date"]
struct DayFilter {
    #[parameters]
    args: DayArguments,
}

impl Filter for DayFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let args = self.args.evaluate(runtime)?;
        let present = matches!(input.to_kstr().trim(), "now" | "today");
        let time = present
            .then(|| runtime.try_get(&[ScalarCow::new("site"), ScalarCow::new("time")]))
            .flatten();
        let given = time.map_or_else(|| input.to_value(), |time| time.into_owned());
        let moment = given
            .as_scalar()
            .filter(|_| !present || !given.is_nil())
            .and_then(|s| s.to_date_time());
        match moment {
            Some(moment) => {
                Ok(moment.format(args.format.as_str()).map_or(Value::Nil, Value::scalar))
            }
            None if present => Ok(Value::Nil),
            None => Ok(given),
        }
    }
}

/// `relative_url`: a path below the site's root, which each page makes relative to itself.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "relative_url",
    description = "An address below the site's root.",
    parsed(RelativeFilter)
)]
struct Relative;

#[derive(Debug, Default, Display_filter)]
#[name = "relative_url"]
struct RelativeFilter;

impl Filter for RelativeFilter {
    fn evaluate(&self, input: &dyn ValueView, _: &dyn Runtime) -> Result<Value> {
        Ok(Value::scalar(format!("/{}", input.to_kstr().trim_start_matches('/'))))
    }
}

/// `absolute_url`: a URL with the site's host.
#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "absolute_url",
    description = "An address with the site's host.",
    parsed(AbsoluteFilter)
)]
struct Absolute;

#[derive(Debug, Default, Display_filter)]
#[name = "absolute_url"]
struct AbsoluteFilter;

impl Filter for AbsoluteFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value> {
        let host = runtime.try_get(&[ScalarCow::new("site"), ScalarCow::new("url")]);
        let host = host.map(|host| host.to_kstr().to_string()).unwrap_or_default();
        Ok(Value::scalar(format!("{host}/{}", input.to_kstr().trim_start_matches('/'))))
    }
}
