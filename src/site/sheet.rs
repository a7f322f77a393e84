//! The page of a labelling sheet: its stored data in; one HTML page with everything in it, out.
//!
//! The page and its script are this program's own, and what is stored is read as data and written anew, so that a forged result puts no
//! script into a page.

use neuronotes_core::labelling::Sheet;
use serde::Serialize;

/// The page, with a place for its data; pages that stand alone begin alike.
const PAGE: &str = concat!(include_str!("alone.html"), include_str!("sheet.html"));
/// That place.
const DATA: &str = "{{ data }}";

/// The page; `None` if the data is malformed.
pub(super) fn page(stored: &[u8]) -> Option<String> {
    let sheet: Sheet = serde_json::from_slice(stored).ok()?;
    filled(PAGE, &sheet)
}

/// A page with its data.
pub(super) fn filled(page: &str, data: &impl Serialize) -> Option<String> {
    let data = serde_json::to_string(data).ok()?;
    // No text can end the script element that holds it.
    Some(page.replacen(DATA, &data.replace('<', "\\u003c"), 1))
}

#[cfg(test)]
mod tests {
    use neuronotes_core::labelling::{KEYS, Shown};

    use super::*;

    #[test]
    fn a_page_holds_its_images_and_no_name_ends_its_script() {
        let image =
            Shown { name: "a</script>".into(), source: "data:image/png;base64,AA==".into() };
        let sheet = Sheet::new(vec!["heart".into(), "<b>".into()], vec![image]);
        let page = page(&serde_json::to_vec(&sheet).expect("JSON")).expect("a page");
        assert_eq!(page.matches("</script>").count(), PAGE.matches("</script>").count());
        assert!(page.contains("a\\u003c/script>") && page.contains("\"\\u003cb>\""));
        assert!(!page.contains(DATA));
        assert!(page.contains(&format!("const KEYS = \"{KEYS}\"")), "the keys of as many labels");
    }

    #[test]
    fn what_is_no_sheet_has_no_page() {
        for forged in ["", "<script>alert(1)</script>", "{}", "{\"format\": \"x\"}"] {
            assert_eq!(page(forged.as_bytes()), None);
        }
    }
}
