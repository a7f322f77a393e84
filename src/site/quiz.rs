//! The page of a quiz: its stored data in; one HTML page with everything in it, out.
//!
//! As with a labelling sheet, the page is this program's own, and what is stored is read as data and written anew.

use neuronotes_core::kind::quiz::Quiz;

/// The page, with a place for its data.
const PAGE: &str = concat!(include_str!("alone.html"), include_str!("quiz.html"));

/// The page; `None` if the data is malformed, or a picture is not one.
fn page(stored: &[u8]) -> Option<String> {
    let quiz: Quiz = serde_json::from_slice(stored).ok()?;
    let are_pictures = quiz.images.iter().all(|source| source.starts_with("data:image/"));
    (are_pictures && quiz.is_whole()).then_some(())?;
    super::sheet::filled(PAGE, &quiz)
}

/// The page that a figure links to, of a labelling sheet or a quiz.
pub(super) fn linked(stored: &[u8]) -> Option<String> {
    super::sheet::page(stored).or_else(|| page(stored))
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::quiz::Trial;

    use super::*;

    fn stored(source: &str, pair: [u32; 2]) -> Vec<u8> {
        let trial = Trial { strongest: vec![0], weakest: vec![1], pair, catch: false };
        let quiz = Quiz::new(vec![source.to_owned(); 4], vec![trial], &[true]);
        serde_json::to_vec(&quiz).expect("JSON")
    }

    #[test]
    fn a_page_holds_its_pictures_and_nothing_ends_its_script() {
        let page = page(&stored("data:image/png;base64,AA</script>", [2, 3])).expect("a page");
        assert_eq!(page.matches("</script>").count(), PAGE.matches("</script>").count());
        assert!(page.contains("AA\\u003c/script>") && !page.contains("{{ data }}"));
    }

    #[test]
    fn what_is_no_quiz_has_no_page() {
        assert_eq!(page(&stored("https://example.org/a.png", [2, 3])), None);
        assert_eq!(page(&stored("data:image/png;base64,AA==", [2, 9])), None);
        for forged in ["", "{}", "{\"format\": \"neuronotes labels 1\"}"] {
            assert_eq!(page(forged.as_bytes()), None);
        }
    }
}
