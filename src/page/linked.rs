//! Pages as linked data: schema.org's terms in JSON-LD, for search engines and reference managers.
//!
//! Only a site whose address is configured has them, since they name pages by their addresses. What is not known is left
//! out: a note without an author has none.

use jiff::civil::Date;
use neuronotes_core::number;
use neuronotes_core::store::Record;
use serde_json::{Map, Value, json};

use super::scene::Scene;
use super::settled::Settled;
use crate::author::Author;
use crate::config::License;
use crate::garden::dates;
use crate::note::Block;
use crate::plan::Measurement;
use crate::view::legible_json;

/// The vocabulary.
const CONTEXT: &str = "https://schema.org";

/// An author as schema.org's `Person` or `Organization`.
pub(crate) fn person(author: &Author) -> Value {
    let mut person = Map::new();
    let is = if author.is_organization { "Organization" } else { "Person" };
    person.insert("@type".to_owned(), is.into());
    if let Some(orcid) = author.orcid_url() {
        person.insert("@id".to_owned(), orcid.into());
    }
    let (given, family) = author.parts();
    person.insert("name".to_owned(), author.spoken().into());
    if !given.is_empty() {
        person.insert("givenName".to_owned(), given.into());
        person.insert("familyName".to_owned(), family.into());
    }
    if let Some(affiliation) = &author.affiliation {
        let organization = json!({ "@type": "Organization", "name": affiliation });
        person.insert("affiliation".to_owned(), organization);
    }
    if let Some(url) = &author.url {
        person.insert("url".to_owned(), url.clone().into());
    }
    Value::Object(person)
}

/// The addresses of a licence's terms, one or several.
fn terms(license: &License) -> Value {
    let urls: Vec<&str> = license.terms.iter().map(|terms| &*terms.url).collect();
    if let [one] = urls[..] { one.into() } else { urls.into() }
}

/// A description of a measurement in a line: its kind, its parameters and what measured it.
pub(crate) fn made(record: &Record, measurement: &Measurement) -> String {
    let mut parts = vec![format!("Kind {}", record.kind)];
    if let Some(target) = &measurement.target {
        parts.push(format!("layer {}", target.shown));
        parts.extend(target.unit.map(|unit| format!("{} {unit}", target.place.noun())));
    }
    if let Some(dataset) = &measurement.request.dataset {
        parts.push(format!("data set {}", dataset.name));
    }
    let made = &record.provenance;
    parts.push(format!("model {}", measurement.request.model.name));
    let seconds = number::fixed(made.seconds, 1);
    parts.push(format!(
        "measured in {seconds} s on {} by neuronotes-lab {} with libtorch {}",
        if made.device_name.is_empty() { &made.device } else { &made.device_name },
        made.lab,
        made.libtorch
    ));
    parts.join(", ")
}

/// JSON as the text of a `<script>` element, in which no tag can begin or end.
fn script(value: &Value) -> String {
    let mut out = String::new();
    for c in legible_json(value.to_string()).chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}

impl Scene<'_> {
    /// The garden as a whole, to which pages refer.
    fn garden_id(&self) -> Option<String> {
        self.config.absolute("").map(|url| format!("{url}#garden"))
    }

    /// The home page: the site as a whole.
    pub(super) fn site_data(&self) -> Option<String> {
        let mut site = Map::new();
        let mut put = |key: &str, value: Value| site.insert(key.to_owned(), value);
        put("@context", CONTEXT.into());
        put("@type", "WebSite".into());
        put("@id", self.garden_id()?.into());
        put("url", self.config.absolute("")?.into());
        put("name", self.config.title.clone().into());
        put("inLanguage", self.config.language.clone().into());
        if let Some(description) = &self.config.description {
            put("description", description.clone().into());
        }
        if let Some(license) = &self.config.license {
            put("license", terms(license));
        }
        let authors: Vec<Value> = self.config.authors.iter().map(person).collect();
        if !authors.is_empty() {
            put("author", authors.into());
        }
        Some(script(&Value::Object(site)))
    }

    /// The page of a note: an article with its figures and how they were made.
    pub(super) fn note_data(
        &self,
        index: usize,
        written: Option<Date>,
        changed: Option<Date>,
    ) -> Option<String> {
        let note = self.notes[index];
        let url = self.config.absolute(&self.shown_path(&self.garden.pages[index]))?;
        let mut article = Map::new();
        let mut put = |key: &str, value: Value| article.insert(key.to_owned(), value);
        put("@context", CONTEXT.into());
        put("@type", "ScholarlyArticle".into());
        put("@id", url.clone().into());
        put("url", url.clone().into());
        put("headline", note.title.clone().into());
        put("description", self.description(index).into());
        put("inLanguage", self.language(index).to_owned().into());
        if !note.tags.is_empty() {
            put("keywords", note.tags.clone().into());
        }
        if let Some(day) = written {
            put("datePublished", day.to_string().into());
        }
        if let Some(day) = changed {
            put("dateModified", day.to_string().into());
        }
        let authors: Vec<Value> = self.authors(index).into_iter().map(person).collect();
        if !authors.is_empty() {
            put("author", authors.into());
        }
        if let Some(license) = &self.config.license {
            put("license", terms(license));
        }
        put(
            "isPartOf",
            json!({ "@type": "WebSite", "@id": self.garden_id()?, "name": self.config.title }),
        );
        let wanted = self.plan.wanted(index);
        let blocks = note.blocks.iter().zip(wanted).zip(self.figures[index].iter());
        let figures = blocks.filter_map(|((block, wanted), settled)| {
            self.figure_data(index, &url, block, &wanted.measurements(), settled)
        });
        let figures: Vec<Value> = figures.collect();
        if !figures.is_empty() {
            put("hasPart", figures.into());
        }
        Some(script(&Value::Object(article)))
    }

    /// A figure that is measured; the first of its measurements, if it is a sweep.
    fn figure_data(
        &self,
        index: usize,
        url: &str,
        block: &Block,
        measurements: &[&Measurement],
        settled: &Settled,
    ) -> Option<Value> {
        let first = match settled {
            Settled::Sweep(cells) => cells.first()?,
            other => other,
        };
        let (Settled::Done { record, drawing, .. }, Some(measurement)) =
            (first, measurements.first())
        else {
            return None;
        };
        let mut figure = Map::new();
        let mut put = |key: &str, value: Value| figure.insert(key.to_owned(), value);
        put("@type", "CreativeWork".into());
        put("@id", format!("{url}#{}", block.id).into());
        put("name", format!("Figure {}", block.number).into());
        put("identifier", record.key.hex().into());
        put("dateCreated", record.provenance.started.get(..10).unwrap_or_default().into());
        put("description", made(record, measurement).into());
        let caption = self.filled(index, block.caption_text.trim());
        if let Some(picture) = drawing.first_picture() {
            put("@type", "ImageObject".into());
            put("contentUrl", self.config.absolute(&picture.image.file())?.into());
            put("width", picture.image.width.into());
            put("height", picture.image.height.into());
            if !caption.is_empty() {
                put("caption", caption.into());
            }
        } else if !caption.is_empty() {
            put("abstract", caption.into());
        }
        Some(Value::Object(figure))
    }

    /// Creation and last change of a note, as [`dates::of`] has them.
    pub(super) fn days(&self, index: usize) -> (Option<Date>, Option<Date>) {
        dates::of(self.notes[index], self.git)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_script() {
        let text = script(&json!({ "a": "</script><!-- & \u{2028}" }));
        assert_eq!(text, r#"{"a":"\u003c/script\u003e\u003c!-- \u0026 \u2028"}"#);
        let back: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back["a"], "</script><!-- & \u{2028}");
    }

    #[test]
    fn a_person_has_what_is_known() {
        let plain = person(&Author::named("OpenAI"));
        assert_eq!(plain, json!({ "@type": "Person", "name": "OpenAI" }));
        let full = person(&Author {
            name: "Goh, Gabriel".to_owned(),
            is_organization: false,
            orcid: Some("0000-0002-1825-0097".to_owned()),
            affiliation: Some("OpenAI".to_owned()),
            url: None,
        });
        assert_eq!(full["@id"], "https://orcid.org/0000-0002-1825-0097");
        assert_eq!((&full["givenName"], &full["familyName"]), (&json!("Gabriel"), &json!("Goh")));
        assert_eq!(full["affiliation"]["name"], "OpenAI");
    }
}
