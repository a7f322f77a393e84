//! Liquid's tags that store or include text, charged for what they handle: `assign`, `capture`, `ifchanged`,
//! `include`.

use std::collections::HashMap;
use std::io::Write;

use liquid_core::error::ResultLiquidReplaceExt as _;
use liquid_core::model::{KString, KStringRef, Value, ValueView};
use liquid_core::parser::FilterChain;
use liquid_core::runtime::StackFrame;
use liquid_core::{
    BlockReflection, Error, Expression, Language, ParseBlock, ParseTag, Renderable, Result,
    Runtime, TagBlock, TagReflection, TagTokenIter, Template,
};

use super::budget::{self, Charged, Metered};
use super::loops::{place, put_before};

macro_rules! named {
    ($of:ident, $doc:literal, tag $name:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy)]
        pub struct $of;

        impl TagReflection for $of {
            fn tag(&self) -> &str {
                $name
            }

            fn description(&self) -> &str {
                $doc
            }
        }
    };
    ($of:ident, $doc:literal, block $name:literal $end:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy)]
        pub struct $of;

        impl BlockReflection for $of {
            fn start_tag(&self) -> &str {
                $name
            }

            fn end_tag(&self) -> &str {
                $end
            }

            fn description(&self) -> &str {
                $doc
            }
        }
    };
}

named!(Assign, "Gives a variable a value.", tag "assign");
named!(Include, "Includes a file of `_includes`.", tag "include");
named!(Capture, "Stores its content in a variable.", block "capture" "endcapture");
named!(IfChanged, "Its content, if that has changed.", block "ifchanged" "endifchanged");

impl ParseTag for Assign {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let at = place(put_before(&mut arguments)?);
        let name = arguments.expect_next("Identifier expected.")?.expect_identifier();
        let name = KString::from_ref(name.into_result()?);
        arguments
            .expect_next("Assignment operator \"=\" expected.")?
            .expect_str("=")
            .into_result_custom_msg("Assignment operator \"=\" expected.")?;
        let value = arguments.expect_next("FilterChain expected.")?;
        let value = value.expect_filter_chain(options).into_result()?;
        arguments.expect_nothing()?;
        Ok(Box::new(Assigned { at, name, value }))
    }

    fn reflection(&self) -> &dyn TagReflection {
        self
    }
}

#[derive(Debug)]
struct Assigned {
    at: Option<usize>,
    name: KString,
    value: FilterChain,
}

impl Renderable for Assigned {
    fn render_to(&self, _: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        budget::inside(self.at, || {
            let value = self.value.evaluate(runtime)?.into_owned();
            set(runtime, &self.name, value)
        })
    }
}

/// Assigns a value to a variable.
fn set(runtime: &dyn Runtime, name: &KString, value: Value) -> Result<()> {
    let bytes = budget::charge_value(&value)?;
    let before = runtime.set_global(name.clone(), value);
    let before = before.map_or(Ok(0), |before| budget::charge_value(&before))?;
    budget::keep(bytes, before)
}

impl ParseBlock for Capture {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let at = place(put_before(&mut arguments)?);
        let name = arguments.expect_next("Identifier expected")?.expect_identifier();
        let name = KString::from_ref(name.into_result()?);
        arguments.expect_nothing()?;
        let within = Template::new(tokens.parse_all(options)?);
        tokens.assert_empty();
        Ok(Box::new(Captured { at, name, within }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct Captured {
    at: Option<usize>,
    name: KString,
    within: Template,
}

impl Renderable for Captured {
    fn render_to(&self, _: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        budget::inside(self.at, || {
            let text = rendered(&self.within, runtime)?;
            set(runtime, &self.name, Value::scalar(text))
        })
    }
}

/// The output of a block's content.
fn rendered(within: &Template, runtime: &dyn Runtime) -> Result<String> {
    let mut bytes = Vec::new();
    within.render_to(&mut Charged::new(&mut bytes), runtime)?;
    String::from_utf8(bytes).map_err(|_| Error::with_msg("this is not text"))
}

impl ParseBlock for IfChanged {
    fn parse(
        &self,
        mut arguments: TagTokenIter<'_>,
        mut tokens: TagBlock<'_, '_>,
        options: &Language,
    ) -> Result<Box<dyn Renderable>> {
        let at = place(put_before(&mut arguments)?);
        arguments.expect_nothing()?;
        let within = Template::new(tokens.parse_all(options)?);
        tokens.assert_empty();
        Ok(Box::new(Changing { at, within }))
    }

    fn reflection(&self) -> &dyn BlockReflection {
        self
    }
}

#[derive(Debug)]
struct Changing {
    at: Option<usize>,
    within: Template,
}

/// The last output of `ifchanged`.
#[derive(Debug, Default)]
struct Last(Option<String>);

impl Renderable for Changing {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        budget::inside(self.at, || {
            let text = rendered(&self.within, runtime)?;
            let before = runtime.registers().get_mut::<Last>().0.replace(text.clone());
            if before.as_ref() != Some(&text) {
                writer.write_all(text.as_bytes()).replace("Failed to render")?;
            }
            Ok(())
        })
    }
}

impl ParseTag for Include {
    fn parse(&self, mut arguments: TagTokenIter<'_>, _: &Language) -> Result<Box<dyn Renderable>> {
        let at = place(put_before(&mut arguments)?);
        let number = put_before(&mut arguments)?;
        let mut given = Vec::new();
        while let Some(name) = arguments.next() {
            let name = KString::from_ref(name.expect_identifier().into_result()?);
            arguments
                .expect_next("\"=\" expected.")?
                .expect_str("=")
                .into_result_custom_msg("expected \"=\" to be used for the assignment")?;
            let value = arguments.expect_next("expected value")?.expect_value().into_result()?;
            given.push((name, value));
        }
        Ok(Box::new(Included { at, file: number.to_string(), given }))
    }

    fn reflection(&self) -> &dyn TagReflection {
        self
    }
}

#[derive(Debug)]
struct Included {
    at: Option<usize>,
    /// The number of the file, which notes cannot write.
    file: String,
    given: Vec<(KString, Expression)>,
}

impl Renderable for Included {
    fn render_to(&self, writer: &mut dyn Write, runtime: &dyn Runtime) -> Result<()> {
        budget::inside(self.at, || {
            let mut given = HashMap::new();
            for (name, value) in &self.given {
                let value = value.evaluate(runtime)?.into_owned();
                budget::charge_value(&value)?;
                given.insert(name.as_ref(), value);
            }
            let mut names: HashMap<KStringRef<'_>, &dyn ValueView> = HashMap::new();
            if !given.is_empty() {
                names.insert("include".into(), &given);
            }
            let scope = Metered(StackFrame::new(runtime, &names));
            let file = scope.partials().get(&self.file)?;
            file.render_to(writer, &scope)
        })
    }
}
