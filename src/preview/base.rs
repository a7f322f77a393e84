//! The path below which a proxy serves the preview; maps requests' paths to the preview's own.

use std::borrow::Cow;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

/// A path such as `/user/ada/proxy/absolute/4321/`. Some proxies strip it from requests, others do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    /// The decoded path.
    parts: Vec<String>,
}

impl FromStr for Base {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#', '\\']) || text.contains("://") {
            return Err("expected a path such as `/user/ada/proxy/4321/`".to_owned());
        }
        let parts: Vec<String> =
            text.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        match parts.iter().any(|part| matches!(part.as_str(), "." | "..")) {
            true => Err("the path must not contain `.` or `..`".to_owned()),
            false => Ok(Self { parts }),
        }
    }
}

impl Base {
    /// The part of a request's percent-encoded path below this one, without a leading slash; the whole path if a
    /// proxy has stripped this one. If it is this one without its final slash: its last component, and false.
    pub fn below<'p>(&self, path: &'p str) -> (&'p str, bool) {
        let whole = path.strip_prefix('/').unwrap_or(path);
        let mut rest = whole;
        for (index, part) in self.parts.iter().enumerate() {
            let (first, after) = rest.split_once('/').map_or((rest, None), |(a, b)| (a, Some(b)));
            if decoded(first) != *part {
                return (whole, true);
            }
            match after {
                Some(after) => rest = after,
                None if index + 1 == self.parts.len() => return (first, false),
                None => return (whole, true),
            }
        }
        (rest, true)
    }

    /// The path as in a URL, without a leading slash.
    pub fn address(&self) -> String {
        let encode = |part: &String| {
            let encoded =
                percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC);
            format!("{encoded}/")
        };
        self.parts.iter().map(encode).collect()
    }
}

fn decoded(part: &str) -> String {
    Cow::into_owned(percent_decode_str(part).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_off_where_a_proxy_has_left_it() {
        let base: Base = "/user/a%40b/proxy/4321".parse().expect("a path");
        assert_eq!(base.below("/user/a@b/proxy/4321/deep/a%2Fb.html"), ("deep/a%2Fb.html", true));
        assert_eq!(base.below("/user/a%40b/proxy/4321/"), ("", true));
        assert_eq!(base.below("/user/a%40b/proxy/4321"), ("4321", false));
        for stripped in ["/", "/a.html", "/user/a.html", "/user/a%40b/proxy"] {
            assert_eq!(base.below(stripped), (&stripped[1..], true));
        }
        assert_eq!(base.address(), "user/a%40b/proxy/4321/");
        let none = Base::default();
        assert_eq!(none.below("/a/b.html"), ("a/b.html", true));
        assert_eq!(none.address(), "");
        assert_eq!("/".parse(), Ok(none));
        for wrong in ["https://a/b", "/a/../b", "/a?b", "/a#b"] {
            assert!(wrong.parse::<Base>().is_err(), "{wrong}");
        }
    }
}
