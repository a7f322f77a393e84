//! `_config.yml` of a Jekyll site: the settings that a garden of the digital-garden template uses.
//!
//! Other keys are ignored. Nothing in it is evaluated.

use super::garden::{Config, Jekyll};
use super::settings::Settings;
use super::url::absolute_url;
use crate::config::layout;
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::yaml::{Entry, Node, Reader, Value};

/// Reads Jekyll's configuration, which a garden's own can override.
pub fn parse(text: &str) -> (Config, Vec<Diagnostic>) {
    let lines = Lines::of(text);
    let reader = Reader::of_file(SourceFile { file: layout::JEKYLL, text, lines: &lines });
    let mut settings = Settings { reader, root: std::path::Path::new(""), problems: Vec::new() };
    // Jekyll's addresses have no ending, and missing options are off.
    let mut config = Config { use_html_extension: false, ..Config::default() };
    let mut jekyll = Jekyll::default();
    let entries = settings.mapping();
    settings.jekyll(&mut config, &mut jekyll, &entries);
    config.jekyll = Some(jekyll);
    (config, settings.problems)
}

impl Settings<'_> {
    fn jekyll(&mut self, config: &mut Config, jekyll: &mut Jekyll, entries: &[Entry]) {
        let (mut url, mut base) = (None, None);
        for entry in entries {
            let text = || entry.node.text().filter(|text| !text.trim().is_empty());
            match entry.key.as_str() {
                "title" => config.title = text().unwrap_or_else(|| config.title.clone()),
                "description" => config.description = text(),
                "lang" => config.language = text().unwrap_or_else(|| config.language.clone()),
                "url" => url = text().map(|text| (text, entry)),
                "baseurl" => base = text().map(|text| (text, entry)),
                "use_html_extension" => config.use_html_extension = is_on(&entry.node),
                "open_external_links_in_new_tab" => {
                    config.open_external_links_in_new_tab = is_on(&entry.node);
                }
                "permalink" => jekyll.permalink = text(),
                "collections" => jekyll.notes = of_notes(&entry.node),
                _ => {}
            }
        }
        // Some write the whole address as the base.
        let whole = base.as_ref().is_some_and(|(base, _)| absolute_url(base).is_some());
        if let Some((base, _)) = base.as_ref().filter(|_| !whole) {
            let path = base.trim().trim_matches('/');
            jekyll.base = if path.is_empty() { String::new() } else { format!("/{path}") };
        }
        if let Some((written, entry)) = if whole { base } else { url } {
            match absolute_url(&written) {
                Some(url) => config.url = Some(format!("{url}{}", jekyll.base)),
                None => self.no_url(entry, &written),
            }
        }
    }
}

/// Whether Ruby treats a value as true; in Jekyll's YAML, `yes` and `on` are true.
fn is_on(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => false,
        Value::Text(text) => !matches!(text.to_lowercase().as_str(), "no" | "off" | "false"),
        _ => true,
    }
}

fn of_notes(collections: &Node) -> Option<String> {
    let find = |node: &Node, key: &str| {
        let entries = node.entries()?.iter();
        entries.into_iter().find(|entry| entry.key == key).map(|entry| entry.node.clone())
    };
    find(&find(collections, "notes")?, "permalink")?.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_template_configures_is_read_and_the_rest_left_alone() {
        let text = "title: My garden\ninclude: ['_pages']\nbaseurl: ''\nuse_html_extension: false\n\
                    open_external_links_in_new_tab: true\nembed_tweets: true\npermalink: pretty\n\
                    sass:\n  style: :compressed\ncollections:\n  notes:\n    output: true\n    permalink: /:slug\n";
        let (config, problems) = parse(text);
        assert_eq!(problems, []);
        assert_eq!(config.title, "My garden");
        assert!(!config.use_html_extension && config.open_external_links_in_new_tab);
        let jekyll = config.jekyll.expect("Jekyll's");
        assert_eq!(jekyll.base, "");
        assert_eq!(
            (jekyll.notes.as_deref(), jekyll.permalink.as_deref()),
            (Some("/:slug"), Some("pretty"))
        );
        assert!(parse("use_html_extension: yes\n").0.use_html_extension);
    }

    #[test]
    fn host_and_base_are_one_address() {
        let url = |text: &str| parse(text).0.url;
        assert_eq!(
            url("url: https://a.org/\nbaseurl: /garden/\n").as_deref(),
            Some("https://a.org/garden")
        );
        assert_eq!(url("baseurl: 'https://a.org'\nurl: \"\"\n").as_deref(), Some("https://a.org"));
        assert_eq!(url("baseurl: /garden\n"), None);
        let wrong = &parse("title: A\nurl: a.org\n").1[0];
        assert!(wrong.to_string().starts_with("_config.yml:2:6: `url` must be"), "{wrong}");
        assert_eq!(parse("a: [\n").1.len(), 1);
    }
}
