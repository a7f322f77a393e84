//! A block's figure for its template: drawing, caption, and provenance.

use neuronotes_core::dataset::ShardRef;
use neuronotes_core::kind::term::DIRECTION;
use neuronotes_core::kind::{Kind, Role, Type};
use neuronotes_core::request::{BlockRef, Inputs, Request};
use neuronotes_core::store::Record;

use super::scene::Scene;
use super::settled::{Scanned, Settled};
use super::sweep::{key, merged};
use crate::config::Remote;
use crate::field::{direction_shown as direction, parameter, shown};
use crate::figure::{Drawing, Figure, Picture};
use crate::note::{self, Parts};
use crate::plan::{Cell, Measurement, Wanted};
use crate::view::{FactView, FigureState, FigureView, ProblemView, ThumbnailView};

impl<'a> Scene<'a> {
    /// A note's figures on a page, where its blocks' names have a prefix.
    pub(super) fn figure_views(
        &self,
        index: usize,
        page: &str,
        names: &str,
    ) -> Vec<FigureView<'a>> {
        let blocks = 0..self.notes[index].blocks.len();
        blocks.map(|number| self.figure_view(index, number, page, names)).collect()
    }

    /// A block's figure on a page; names in its caption have a prefix.
    pub(super) fn figure_view(
        &self,
        index: usize,
        number: usize,
        page: &str,
        names: &str,
    ) -> FigureView<'a> {
        let note = self.notes[index];
        let block = &note.blocks[number];
        let settled: &'a Settled = &self.figures[index][number];
        let wanted = &self.plan.wanted(index)[number];
        let targets = &self.garden.caption_links[index][number];
        let links: Vec<_> = targets.iter().map(|target| self.target(page, target, None)).collect();
        let caption = block.fields.text("caption");
        let values = self.values(index, page);
        let values = values.get(block.caption_values.clone()).unwrap_or_default();
        let presentation = block.presentation();
        let text = |name: &str| presentation.get(name).and_then(|v| v.as_str());
        let new_tab = self.config.open_external_links_in_new_tab;
        let formulas = &block.caption_formulas;
        // The ids of a caption's formulas are its own.
        let prefix = format!("{}:", block.id);
        let closed = self.config.remote == Remote::Forbid;
        let claims = self.doubtful(index, page);
        let own_names: Vec<&str> =
            block.caption_anchors.iter().map(|name| name.id.as_str()).collect();
        let parts = Parts {
            links: &links,
            claims: &claims,
            names: Some((names, &own_names)),
            values,
            formulas,
            new_tab,
            closed,
            prefix: &prefix,
            ..Parts::default()
        };
        FigureView {
            id: block.id.clone(),
            number: block.number,
            label: self.figure_label(page, index, Some(&block.id)).unwrap_or_default(),
            kind: block.kind.map_or("", |kind| kind.name).to_owned(),
            width: text("width").unwrap_or("text").to_owned(),
            title: text("title").map(str::to_owned),
            caption_html: caption.map(|markdown| note::render_inline(markdown, parts)),
            alt: text("alt").map(str::to_owned),
            state: match wanted {
                Wanted::Sweep(sweep) => self.sweep_state(page, sweep, settled, text("alt")),
                _ => state(settled, wanted, block.kind),
            },
            provenance: self.facts(page, settled, wanted),
            yaml: block.yaml.clone(),
            fenced: note::fenced(&block.yaml),
            complete: note::complete(block),
            key: key(wanted),
            keys: match wanted {
                Wanted::Sweep(sweep) => {
                    sweep.cells.iter().map(|cell| cell.measurement.key.hex()).collect()
                }
                _ => vec![],
            },
            data: self.data_view(page, settled),
            controls: self.control_views(index, number, page),
            controls_off: self.controls_off(block),
            controls_lacking: self.controls_lacking(index, number),
            units: self.unit_names(page, shown_in(settled)),
            claims: self.claims_view(index, number, page),
            mentions: self.mentions_of(index, page, &block.id),
            discuss: self.discuss_figure(index, &block.id),
        }
    }

    /// How a single measurement of a sweep was made.
    pub(super) fn cell_facts(&self, page: &str, settled: &Settled, cell: &Cell) -> Vec<FactView> {
        match settled {
            Settled::Done { record, scanned, .. } => {
                self.provenance(page, record, scanned.as_ref(), &cell.measurement)
            }
            _ => vec![],
        }
    }

    /// The provenance of a figure for readers; for a sweep, the measurements' common facts and their differences.
    fn facts(&self, page: &str, settled: &Settled, wanted: &Wanted) -> Vec<FactView> {
        match (settled, wanted) {
            (Settled::Done { record, scanned, .. }, Wanted::Measurement(measurement)) => {
                self.provenance(page, record, scanned.as_ref(), measurement)
            }
            (Settled::Sweep(settled), Wanted::Sweep(sweep)) => {
                let pairs = settled.iter().zip(&sweep.cells);
                let done = pairs.map(|(settled, cell)| self.cell_facts(page, settled, cell));
                merged(done.filter(|facts| !facts.is_empty()).collect())
            }
            _ => vec![],
        }
    }

    /// The provenance of one measurement.
    fn provenance(
        &self,
        page: &str,
        record: &Record,
        scanned: Option<&Scanned>,
        measurement: &Measurement,
    ) -> Vec<FactView> {
        let made = &record.provenance;
        let request = &measurement.request;
        let kind = Kind::named(&request.kind);
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: String| {
            facts.push(FactView { name: name.to_owned(), value, href: None });
        };
        fact("model", format!("{} ({})", request.model.name, request.model.digest.short()));
        if let Some(target) = &measurement.target {
            let layer = match &target.over {
                None => &target.shown,
                Some(over) => {
                    let digest = target.place.dictionary().map(|digest| digest.short());
                    fact(
                        "dictionary",
                        format!("{} ({})", target.shown, digest.unwrap_or_default()),
                    );
                    over
                }
            };
            match target.place.layer() {
                canonical if canonical == layer => fact("layer", layer.clone()),
                canonical => fact("layer", format!("{layer} ({canonical})")),
            }
            match (target.unit, request.params.get(DIRECTION)) {
                (Some(unit), _) => {
                    let name = measurement.named().and_then(|unit| self.plan.names.get(&unit));
                    let name = name.map(|name| format!(" ({name})"));
                    fact("unit", format!("{unit}{}", name.unwrap_or_default()));
                }
                (None, Some(terms)) => fact(DIRECTION, direction(terms, &request.inputs)),
                // Groups of pictures are among the kind's own fields.
                (None, None) if is_of_groups(kind, request) => {}
                (None, None) => fact("units", "the whole layer".to_owned()),
            }
        }
        if let Some(dataset) = &request.dataset {
            let file = |(shard, pieces): (&ShardRef, usize)| match pieces {
                1 => shard.digest.short(),
                _ => format!("{} in {pieces} pieces", shard.digest.short()),
            };
            let digests: Vec<String> = dataset.files().into_iter().map(file).collect();
            fact("data set", format!("{} ({})", dataset.name, digests.join(", ")));
            if let Some(draw) = &dataset.draw {
                fact("drawn in", draw.summary());
            }
        }
        for field in kind.into_iter().flat_map(|kind| kind.fields) {
            if let (Role::Compute, Some(value)) = (field.role, request.params.get(field.name)) {
                let value = shown(field, value, &request.inputs);
                fact(&field.name.replace('_', " "), value);
            }
        }
        fact("arithmetic", request.precision.name().to_owned());
        let device = match made.device_name.as_str() {
            "" => made.device.clone(),
            name if made.instructions.is_empty() => {
                format!("{} ({name}, {} threads)", made.device, made.threads)
            }
            name => {
                let (device, threads, with) = (&made.device, made.threads, &made.instructions);
                format!("{device} ({name}, {with}, {threads} threads)")
            }
        };
        fact("device", device);
        if let Some(seen) = scanned.and_then(Scanned::seen) {
            fact("pictures", seen);
        }
        if let Some(left_out) = scanned.and_then(Scanned::left_out) {
            fact("skipped", left_out);
        }
        let scan = scanned.map(|s| format!(", after a scan of the layer in {:.1} s", s.seconds));
        fact("time taken", format!("{:.1} s{}", made.seconds, scan.unwrap_or_default()));
        fact("measured", made.started.get(..10).unwrap_or(&made.started).to_owned());
        fact("versions", format!("neuronotes-lab {}, libtorch {}", made.lab, made.libtorch));
        self.link_used(page, kind, &request.inputs, &mut facts);
        if let Some(unit) = measurement.named() {
            let href = self.unit_href(page, &unit, &request.model.name, measurement.layer_shown());
            let shown = facts.iter_mut().find(|fact| fact.name == "unit");
            if let Some(fact) = shown {
                fact.href = Some(href);
            }
        }
        facts
    }
}

/// The drawing that a figure shows, which may be the one before; those of a sweep show pictures alone.
pub(super) fn shown_in(settled: &Settled) -> Option<&Drawing> {
    match settled {
        Settled::Done { drawing, .. } => Some(drawing),
        Settled::Waiting { stale, .. } => stale.as_deref(),
        Settled::Failed(_) | Settled::Missing(_) | Settled::Sweep(_) => None,
    }
}

/// Whether a measurement is about groups of pictures.
fn is_of_groups(kind: Option<&'static Kind>, request: &Request) -> bool {
    let mut fields = kind.into_iter().flat_map(Kind::all_fields);
    fields.any(|field| field.ty == Type::Group && request.params.contains_key(field.name))
}

/// The state of a figure that is not a sweep.
pub(super) fn state<'a>(
    settled: &'a Settled,
    wanted: &Wanted,
    kind: Option<&Kind>,
) -> FigureState<'a> {
    match settled {
        Settled::Done { drawing, .. } => FigureState::Done { drawing },
        Settled::Waiting { status, stale, so_far } => FigureState::Waiting {
            height: match (kind, wanted) {
                (Some(kind), Wanted::Measurement(m)) => {
                    Figure::of(kind).map_or(300, |figure| (figure.height)(&m.request.params))
                }
                _ => 300,
            },
            status: status.clone(),
            stale: stale.as_deref(),
            so_far: so_far.as_deref(),
        },
        Settled::Failed(problem) | Settled::Missing(problem) => {
            FigureState::Failed { problem: ProblemView::from(problem) }
        }
        // Sweeps have a state of their own.
        Settled::Sweep(_) => {
            let status = String::new();
            FigureState::Waiting { height: 0, status, stale: None, so_far: None }
        }
    }
}

impl Scene<'_> {
    /// Adds links to the blocks that a figure uses: to the field's own fact if the field names one block, else as a
    /// fact for each block.
    fn link_used(
        &self,
        page: &str,
        kind: Option<&'static Kind>,
        inputs: &Inputs,
        facts: &mut Vec<FactView>,
    ) {
        // A sweep is one block.
        let mut blocks: Vec<&BlockRef> = Vec::new();
        for used in &inputs.blocks {
            let same = |known: &&BlockRef| {
                (&known.note, &known.id, &known.role) == (&used.note, &used.id, &used.role)
            };
            if !blocks.iter().any(same) {
                blocks.push(used);
            }
        }
        for used in blocks {
            let note = self.notes.iter().position(|note| note.path == used.note);
            let Some(note) = note else { continue };
            let href = self.href(page, &self.garden.pages[note], Some(&used.id));
            let mut fields = kind.into_iter().flat_map(Kind::all_fields);
            let field = fields.find(|field| field.name == used.role);
            let name = field.map_or(used.role.as_str(), |field| parameter(field)).replace('_', " ");
            let own = |fact: &&mut FactView| fact.name == name && fact.value == used.name;
            match facts.iter_mut().find(own) {
                Some(fact) => fact.href = Some(href),
                None => facts.push(FactView {
                    name: "uses".to_owned(),
                    value: used.name.clone(),
                    href: Some(href),
                }),
            }
        }
    }

    /// A picture as lists show it: a small copy, if there is one.
    pub(super) fn thumbnail_view(&self, picture: &Picture) -> ThumbnailView {
        match self.smaller.thumbnail(&picture.image.digest) {
            Some(small) => ThumbnailView {
                file: small.path.clone(),
                width: small.width,
                height: small.height,
                // Its pixels are averages.
                synthetic: false,
            },
            None => ThumbnailView {
                file: picture.image.file(),
                width: picture.image.width,
                height: picture.image.height,
                synthetic: picture.synthetic,
            },
        }
    }
}
