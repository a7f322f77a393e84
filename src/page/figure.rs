//! A block's figure as its template sees it: drawing, caption, and how it was made.

use super::{Scene, Settled, image_file};
use crate::analysis::{Kind, Role};
use crate::figure::{Drawing, Picture};
use crate::garden::href;
use crate::note;
use crate::plan::Measurement;
use crate::store::Record;
use crate::view::{DrawingView, FactView, FigureState, FigureView, GridItemView, PictureView};

impl Scene<'_> {
    pub(super) fn figure_views(&self, index: usize, page: &str) -> Vec<FigureView> {
        let note = self.notes[index];
        let settled = &self.figures[index];
        let wanted = &self.plan.wanted[index];
        let captions = &self.garden.caption_links[index];
        let blocks = note.blocks.iter().zip(wanted).zip(settled).zip(captions);
        blocks
            .map(|(((block, wanted), settled), targets)| {
                let measurement = wanted.measurement();
                let links: Vec<_> =
                    targets.iter().map(|target| self.target(page, target, None)).collect();
                let caption = block.fields.text("caption");
                let presentation = block.presentation();
                let text = |name: &str| presentation.get(name).and_then(|v| v.as_str());
                FigureView {
                    id: block.id.clone(),
                    number: block.number,
                    kind: block.kind.map_or("", |kind| kind.name).to_owned(),
                    width: text("width").unwrap_or("text").to_owned(),
                    title: text("title").map(str::to_owned),
                    caption_html: caption.map(|markdown| note::render_inline(markdown, &links)),
                    state: self.state(page, settled, measurement, block.kind, text("alt")),
                    provenance: match (settled, measurement) {
                        (Settled::Done { record, scanned, .. }, Some(measurement)) => {
                            self.provenance(record, *scanned, measurement)
                        }
                        _ => vec![],
                    },
                    yaml: block.yaml.clone(),
                    key: measurement.map(|m| m.key.hex()).unwrap_or_default(),
                }
            })
            .collect()
    }

    fn state(
        &self,
        page: &str,
        settled: &Settled,
        measurement: Option<&Measurement>,
        kind: Option<&Kind>,
        alt: Option<&str>,
    ) -> FigureState {
        match settled {
            Settled::Done { drawing, .. } => {
                FigureState::Done { drawing: drawing_view(page, drawing, alt) }
            }
            Settled::Waiting { status, stale } => FigureState::Waiting {
                height: match (kind, measurement) {
                    (Some(kind), Some(m)) => (kind.height)(&m.request.params),
                    _ => 300,
                },
                status: status.clone(),
                stale: stale.as_ref().map(|drawing| drawing_view(page, drawing, alt)),
            },
            Settled::Failed(problem) => FigureState::Failed { problem: problem.view() },
        }
    }

    /// How a figure was made, for a reader.
    fn provenance(
        &self,
        record: &Record,
        scanned: Option<f64>,
        measurement: &Measurement,
    ) -> Vec<FactView> {
        let made = &record.provenance;
        let request = &measurement.request;
        let mut facts = Vec::new();
        let mut fact = |name: &str, value: String| {
            facts.push(FactView { name: name.to_owned(), value });
        };
        fact("model", format!("{} ({})", request.model.name, request.model.digest.short()));
        let canonical = request.params.get("layer").and_then(|v| v.as_str()).unwrap_or_default();
        if canonical == measurement.layer_shown {
            fact("layer", canonical.to_owned());
        } else {
            fact("layer", format!("{} ({canonical})", measurement.layer_shown));
        }
        let unit = (request.model.digest, canonical.to_owned(), measurement.unit);
        match self.plan.names.get(&unit) {
            Some(name) => fact("unit", format!("{} ({name})", measurement.unit)),
            None => fact("unit", measurement.unit.to_string()),
        }
        if let Some(dataset) = &request.dataset {
            let digests: Vec<String> = dataset.shards.iter().map(|s| s.digest.short()).collect();
            fact("data set", format!("{} ({})", dataset.name, digests.join(", ")));
        }
        let kind = Kind::named(&request.kind);
        for field in kind.into_iter().flat_map(|kind| kind.fields) {
            if let (Role::Compute, Some(value)) = (field.role, request.params.get(field.name)) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                fact(&field.name.replace('_', " "), text);
            }
        }
        let device = match made.device_name.as_str() {
            "" => made.device.clone(),
            name => format!("{} ({name}, {} threads)", made.device, made.threads),
        };
        fact("device", device);
        let scan = scanned.map(|s| format!(", after a scan of the layer in {s:.1} s"));
        fact("time taken", format!("{:.1} s{}", made.seconds, scan.unwrap_or_default()));
        fact("measured", made.started.get(..10).unwrap_or(&made.started).to_owned());
        fact("versions", format!("neuronotes-lab {}, libtorch {}", made.lab, made.libtorch));
        facts
    }
}

pub(super) fn picture_view(page: &str, picture: &Picture) -> PictureView {
    PictureView {
        src: href(page, &image_file(&picture.image), None),
        alt: picture.alt.clone(),
        width: picture.image.width,
        height: picture.image.height,
        synthetic: picture.synthetic,
    }
}

fn drawing_view(page: &str, drawing: &Drawing, own_alt: Option<&str>) -> DrawingView {
    match drawing {
        Drawing::Picture { picture, note } => {
            let mut picture = picture_view(page, picture);
            if let Some(alt) = own_alt {
                picture.alt = alt.to_owned();
            }
            DrawingView::Picture { picture, note: note.clone() }
        }
        Drawing::Grid { items, note } => DrawingView::Grid {
            items: items
                .iter()
                .map(|item| GridItemView {
                    picture: picture_view(page, &item.picture),
                    caption: item.caption.clone(),
                    value: item.value.clone(),
                })
                .collect(),
            note: note.clone(),
        },
        Drawing::Plot { svg, alt, table, note } => DrawingView::Plot {
            svg_html: svg.clone(),
            alt: own_alt.unwrap_or(alt).to_owned(),
            table: table.clone(),
            note: note.clone(),
        },
    }
}
