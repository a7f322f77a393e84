//! The parser of listings: a grammar and lines in, changes of their scopes out; it ends for every line.
//!
//! It interprets syntect's grammars as `syntect::parsing::ParseState` does, and gives the same changes, with one
//! difference. `ParseState::parse_line` (5.3.0) may never return: it notices a rule that pushes a context without
//! consuming a character, followed by one that pops it, but neither rules that `set` contexts in a circle nor pushes of
//! several contexts at once. The JavaScript grammar has such a circle, and `x /*` enters it. It cannot be interrupted, and
//! mending one grammar leaves the others. Here every state at one position of a line is remembered: one that comes
//! again, and any state after the first [`MOST_STATES`], moves on by a character. So a line takes a number of steps that is at
//! most proportional to its length.
//!
//! A listing that calls for more searches than [`MOST_SEARCHES`] is given up; the number depends on the text only.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ptr;
use std::rc::Rc;

use neuronotes_core::cut::Cut as _;
use serde::Serialize;
use syntect::parsing::syntax_definition::{
    Context, ContextId, ContextReference, MatchOperation, MatchPattern, Pattern, context_iter,
};
use syntect::parsing::{Region, ScopeStackOp, SyntaxReference, SyntaxSet};

/// Most states at one position of a line.
const MOST_STATES: usize = 256;
/// Most searches of an expression in a listing: ordinary ones of the maximum size take a tenth.
const MOST_SEARCHES: usize = 20_000_000;
/// The depth from which nothing more is pushed.
const DEEPEST: usize = 100;

/// Changes of the scopes, each with its place in the line.
pub(super) type Changes = Vec<(usize, ScopeStackOp)>;

/// Where a parser is between two lines.
pub(super) struct Parser<'g> {
    grammars: &'g SyntaxSet,
    stack: Vec<Level<'g>>,
    /// Depths at which a rule that a context was pushed with took over: those of the levels below do not apply above.
    floors: Vec<usize>,
    begun: bool,
    /// Contexts whose rules apply in others, by their number.
    prototypes: HashMap<ContextId, Option<&'g Context>>,
    searches: usize,
}

/// A context that was entered.
struct Level<'g> {
    context: &'g Context,
    /// Contexts whose rules apply in this one and in all that are entered from it.
    with: Vec<&'g Context>,
    /// The match that entered it, if its rules refer to parts of that.
    entered_by: Option<Rc<(Rc<Region>, String)>>,
}

/// A rule that matches.
struct Hit<'g> {
    rule: &'g MatchPattern,
    region: Rc<Region>,
    from: usize,
    to: usize,
    /// It comes from a context that an outer level was pushed with.
    from_with: bool,
    /// It would pop what was just pushed here.
    circular: bool,
}

/// A line and how far it is parsed.
struct Line<'l> {
    text: &'l str,
    at: usize,
    found: HashMap<*const MatchPattern, Option<Rc<Region>>>,
    /// Place and depth of the last push that consumed nothing.
    pushed: Option<(usize, usize)>,
    /// The states that there were at this position.
    states: HashSet<u64>,
    changes: Changes,
}

impl<'g> Parser<'g> {
    /// A parser of a language at the beginning of a text; `None` if the grammar has no beginning.
    pub(super) fn new(grammars: &'g SyntaxSet, language: &SyntaxReference) -> Option<Self> {
        let number = grammars.syntaxes().iter().position(|other| ptr::eq(other, language))?;
        let numbered = |index: usize| {
            context(grammars, &Number { syntax_index: number, context_index: index })
        };
        let context = (0..).map_while(numbered).find(|context| begins(context))?;
        let stack = vec![Level { context, with: Vec::new(), entered_by: None }];
        Some(Self {
            grammars,
            stack,
            floors: Vec::new(),
            begun: false,
            prototypes: HashMap::new(),
            searches: 0,
        })
    }

    /// Parses the next line, which has an end; `None` if the grammar is at fault or the text calls for too many searches.
    pub(super) fn line(&mut self, text: &str) -> Option<Changes> {
        let mut line = Line {
            text,
            at: 0,
            found: HashMap::with_capacity(128),
            pushed: None,
            states: HashSet::new(),
            changes: Vec::new(),
        };
        if !self.begun {
            self.begun = true;
            let scope = self.stack.last()?.context.meta_content_scope.first();
            line.changes.extend(scope.map(|scope| (0, ScopeStackOp::Push(*scope))));
        }
        line.states.insert(self.state(None));
        while self.step(&mut line)? {}
        Some(line.changes)
    }

    /// Applies one rule; false at the end of the line.
    fn step(&mut self, line: &mut Line<'_>) -> Option<bool> {
        let depth = self.stack.len();
        while self.floors.last().is_some_and(|floor| *floor >= depth) {
            self.floors.pop();
        }
        let Some(hit) = self.best(line)? else { return Some(false) };
        if hit.circular {
            return Some(line.skip());
        }
        if hit.to > line.at {
            line.states.clear();
        } else if let MatchOperation::Push(_) = hit.rule.operation {
            line.pushed = Some((hit.to, depth + 1));
        }
        line.at = hit.to;
        if hit.from_with {
            self.floors.push(depth);
        }
        self.apply(&hit, line)?;
        let circle =
            !line.states.insert(self.state(line.pushed)) || line.states.len() > MOST_STATES;
        Some(!circle || line.skip())
    }

    /// The first rule that matches earliest; outer `None` if the grammar is at fault.
    fn best(&mut self, line: &mut Line<'_>) -> Option<Option<Hit<'g>>> {
        let depth = self.stack.len();
        let watched = line.pushed == Some((line.at, depth));
        let top = self.stack.last()?;
        let prototype = match &top.context.prototype {
            None => None,
            Some(id) => {
                let grammars = self.grammars;
                *self.prototypes.entry(*id).or_insert_with(|| context(grammars, id))
            }
        };
        let floor = self.floors.last().copied().unwrap_or(0);
        let with = self.stack.iter().skip(floor).flat_map(|level| {
            level.with.iter().map(move |context| (true, *context, level.entered_by.clone()))
        });
        let own = [(false, top.context, top.entered_by.clone())];
        let chain = with.chain(prototype.map(|context| (false, context, None))).chain(own);
        let mut best: Option<Hit<'g>> = None;
        for (from_with, context, entered_by) in chain {
            for (of, index) in context_iter(self.grammars, context) {
                let rule = of.match_at(index).ok()?;
                self.searches += 1;
                if self.searches > MOST_SEARCHES {
                    return None;
                }
                let Some(region) = line.search(rule, entered_by.as_deref(), depth) else {
                    continue;
                };
                let Some((from, to)) = region.pos(0) else { continue };
                if best
                    .as_ref()
                    .is_some_and(|best| from > best.from || (from == best.from && !best.circular))
                {
                    continue;
                }
                if depth >= DEEPEST && matches!(rule.operation, MatchOperation::Push(_)) {
                    return Some(None);
                }
                let circular =
                    watched && to <= line.at && matches!(rule.operation, MatchOperation::Pop);
                best = Some(Hit { rule, region, from, to, from_with, circular });
                if from == line.at && !circular {
                    return Some(best);
                }
            }
        }
        Some(best)
    }

    /// Adds the changes that a rule makes, and enters or leaves contexts.
    fn apply(&mut self, hit: &Hit<'g>, line: &mut Line<'_>) -> Option<()> {
        let old = self.stack.last()?.context;
        let next = entered(self.grammars, &hit.rule.operation)?;
        before(old, &hit.rule.operation, &next, hit.from, &mut line.changes);
        line.changes
            .extend(hit.rule.scope.iter().map(|scope| (hit.from, ScopeStackOp::Push(*scope))));
        parts(hit, &mut line.changes);
        if !hit.rule.scope.is_empty() {
            line.changes.push((hit.to, ScopeStackOp::Pop(hit.rule.scope.len())));
        }
        after(old, &hit.rule.operation, &next, hit.to, &mut line.changes);
        // What an outer level was pushed with stays until that level is left, also if its context is replaced.
        let mut kept = match hit.rule.operation {
            MatchOperation::None => return Some(()),
            MatchOperation::Push(_) => Vec::new(),
            MatchOperation::Pop | MatchOperation::Set(_) => self.stack.pop()?.with,
        };
        let innermost = next.len().checked_sub(1);
        for (index, context) in next.into_iter().enumerate() {
            let mut with = std::mem::take(&mut kept);
            if let (true, Some(more)) = (Some(index) == innermost, &hit.rule.with_prototype) {
                with.push(more.resolve(self.grammars).ok()?);
            }
            let refers = context.uses_backrefs || with.iter().any(|context| context.uses_backrefs);
            let entered_by =
                refers.then(|| Rc::new((Rc::clone(&hit.region), line.text.to_owned())));
            self.stack.push(Level { context, with, entered_by });
        }
        // A grammar may not leave its own beginning.
        (!self.stack.is_empty()).then_some(())
    }

    /// A digest of everything that decides what comes next at a position.
    fn state(&self, pushed: Option<(usize, usize)>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (pushed, &self.floors).hash(&mut hasher);
        for level in &self.stack {
            ptr::hash(level.context, &mut hasher);
            level.with.len().hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl Line<'_> {
    /// Where a rule matches next.
    fn search(
        &mut self,
        rule: &MatchPattern,
        entered_by: Option<&(Rc<Region>, String)>,
        depth: usize,
    ) -> Option<Rc<Region>> {
        match self.found.get(&ptr::from_ref(rule)) {
            Some(None) => return None,
            Some(Some(region)) if region.pos(0).is_some_and(|(from, _)| from >= self.at) => {
                return Some(Rc::clone(region));
            }
            _ => {}
        }
        let mut region = Region::new();
        let end = self.text.len();
        let (matches, keep) = match entered_by.filter(|_| rule.has_captures) {
            Some((by, text)) => {
                let regex = rule.regex_with_refs(by, text);
                (regex.search(self.text, self.at, end, Some(&mut region)), false)
            }
            None => (rule.regex().search(self.text, self.at, end, Some(&mut region)), true),
        };
        if !matches {
            if keep {
                self.found.insert(rule, None);
            }
            return None;
        }
        let (from, to) = region.pos(0)?;
        let useful = match rule.operation {
            MatchOperation::None => from != to,
            MatchOperation::Push(_) => depth < DEEPEST,
            _ => true,
        };
        if !useful {
            return None;
        }
        let region = Rc::new(region);
        if keep {
            self.found.insert(rule, Some(Rc::clone(&region)));
        }
        Some(region)
    }

    /// Moves on by a character; false at the end.
    fn skip(&mut self) -> bool {
        self.states.clear();
        match self.text.cut(self.at..).char_indices().nth(1) {
            Some((bytes, _)) => {
                self.at += bytes;
                true
            }
            None => false,
        }
    }
}

/// A context's number, as syntect writes it; its own fields are private.
#[derive(Serialize)]
struct Number {
    syntax_index: usize,
    context_index: usize,
}

/// The context with a number. References can only be made by reading them.
fn context<'g>(grammars: &'g SyntaxSet, number: &impl Serialize) -> Option<&'g Context> {
    let reference = serde_json::json!({ "Direct": serde_json::to_value(number).ok()? });
    let reference: ContextReference = serde_json::from_value(reference).ok()?;
    reference.resolve(grammars).ok()
}

/// Whether a context is the one that a grammar begins with: its only rule matches everywhere and enters the main one.
fn begins(context: &Context) -> bool {
    match context.patterns.as_slice() {
        [Pattern::Match(rule)] => {
            rule.regex().regex_str().is_empty() && matches!(rule.operation, MatchOperation::Push(_))
        }
        _ => false,
    }
}

/// The contexts that an operation enters, the innermost last; `None` if one is missing.
fn entered<'g>(grammars: &'g SyntaxSet, operation: &MatchOperation) -> Option<Vec<&'g Context>> {
    match operation {
        MatchOperation::Push(references) | MatchOperation::Set(references) => {
            references.iter().map(|reference| reference.resolve(grammars).ok()).collect()
        }
        MatchOperation::Pop | MatchOperation::None => Some(Vec::new()),
    }
}

/// Changes before the matched text: it has the scopes of the context that is entered, but not the content's of the one
/// that is left.
fn before(
    old: &Context,
    operation: &MatchOperation,
    next: &[&Context],
    at: usize,
    changes: &mut Changes,
) {
    let mut pop =
        |count: usize| changes.extend((count > 0).then_some((at, ScopeStackOp::Pop(count))));
    match operation {
        MatchOperation::None => return,
        MatchOperation::Pop => return pop(old.meta_content_scope.len()),
        MatchOperation::Push(_) | MatchOperation::Set(_) => {}
    }
    let replaces = matches!(operation, MatchOperation::Set(_));
    if replaces && old.clear_scopes.is_some() {
        changes.push((at, ScopeStackOp::Restore));
    }
    for context in next {
        if let (false, Some(amount)) = (replaces, context.clear_scopes) {
            changes.push((at, ScopeStackOp::Clear(amount)));
        }
        changes.extend(context.meta_scope.iter().map(|scope| (at, ScopeStackOp::Push(*scope))));
    }
}

/// Changes after the matched text.
fn after(
    old: &Context,
    operation: &MatchOperation,
    next: &[&Context],
    at: usize,
    changes: &mut Changes,
) {
    let mut pop =
        |count: usize| changes.extend((count > 0).then_some((at, ScopeStackOp::Pop(count))));
    let replaces = match operation {
        MatchOperation::None => return,
        MatchOperation::Pop => {
            pop(old.meta_scope.len());
            if old.clear_scopes.is_some() {
                changes.push((at, ScopeStackOp::Restore));
            }
            return;
        }
        MatchOperation::Push(_) => false,
        MatchOperation::Set(_) => true,
    };
    let left = if replaces { old.meta_content_scope.len() + old.meta_scope.len() } else { 0 };
    let in_order = left == 0
        && next.iter().all(|context| {
            context.meta_content_scope.is_empty() && !(replaces && context.clear_scopes.is_some())
        });
    if in_order {
        return;
    }
    // Scopes of several contexts alternate with those of their contents, so all are taken back and set again.
    pop(left + next.iter().map(|context| context.meta_scope.len()).sum::<usize>());
    for context in next {
        if let (true, Some(amount)) = (replaces, context.clear_scopes) {
            changes.push((at, ScopeStackOp::Clear(amount)));
        }
        let scopes = context.meta_scope.iter().chain(&context.meta_content_scope);
        changes.extend(scopes.map(|scope| (at, ScopeStackOp::Push(*scope))));
    }
}

/// Changes at the captured parts of a match, in the order of the text, outer ones first.
fn parts(hit: &Hit<'_>, changes: &mut Changes) {
    let mut parts: Vec<(usize, i64, ScopeStackOp)> = Vec::new();
    for (group, scopes) in hit.rule.captures.iter().flatten() {
        let Some((from, to)) = hit.region.pos(*group).filter(|(from, to)| from < to) else {
            continue;
        };
        let length = i64::try_from(to - from).unwrap_or(i64::MAX);
        parts.extend(scopes.iter().map(|scope| (from, -length, ScopeStackOp::Push(*scope))));
        parts.push((to, i64::MIN, ScopeStackOp::Pop(scopes.len())));
    }
    parts.sort_by_key(|(at, order, _)| (*at, *order));
    changes.extend(parts.into_iter().map(|(at, _, change)| (at, change)));
}
