//! Access control: decides from a request's head whether it is answered.
//!
//! Pages of other sites must not read unpublished notes through the reader's browser, and neither must other people
//! on the network:
//!
//! | check | protects against |
//! |---|---|
//! | `Host` is a name of this machine or was allowed | foreign names that point to this machine (DNS rebinding) |
//! | `Origin`, if present, matches the host | posts from other sites |
//! | `Sec-Fetch-Site` is `same-origin` or `none` | scripts, pictures and frames on other sites |
//! | the user who runs the requesting program | other users of this machine, who can connect to its loopback
//! addresses |
//! | the token in a cookie | browsers that send no such headers, and everybody who does not know the URL |
//!
//! Links from other sites may lead here: a page that opens in its own tab reveals nothing to the linking page.

use axum::http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;

use neuronotes_core::digest::Digest;

use super::host::{Name, address, authority, is_loopback};

/// The names that the preview answers to, and further conditions.
#[derive(Debug)]
pub struct Guard {
    names: Vec<Name>,
    /// Whether the preview listens beyond this machine; everybody then needs the token.
    pub beyond: bool,
    /// The secret in the URL that the terminal prints.
    pub token: Token,
    port: u16,
}

/// A secret that the terminal prints and browsers keep in a cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A new random token.
    ///
    /// # Errors
    /// If the system provides no random numbers.
    pub fn new() -> std::io::Result<Self> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// The token as in a URL.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Compares tokens by their digests, so that the time taken reveals nothing.
    fn is(&self, shown: &str) -> bool {
        Digest::of(self.0.as_bytes()) == Digest::of(shown.as_bytes())
    }
}

/// The decision about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is answered.
    Pass,
    /// It contains the token, which the browser will keep.
    KeepToken,
    /// It is refused with this message.
    Refuse(String),
    /// It is refused because this other user of the machine runs the program.
    OtherUser(u32),
}

impl Guard {
    /// Answers to this machine's own names and to these.
    pub fn new(names: Vec<Name>, beyond: bool, token: Token, port: u16) -> Self {
        Self { names, beyond, token, port }
    }

    /// Name of the cookie; it contains the port because cookies do not, and one machine may run several previews.
    pub fn cookie(&self) -> String {
        format!("neuronotes-{}", self.port)
    }

    /// Whether some browsers need the token, whoever runs them.
    pub fn needs_token(&self) -> bool {
        self.beyond || !self.names.is_empty()
    }

    /// Decides about a request by its head; `other_user` is the number of the other user of this machine whose program
    /// sent it.
    pub fn judge(
        &self,
        method: &Method,
        query: Option<&str>,
        headers: &HeaderMap,
        other_user: Option<u32>,
    ) -> Verdict {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let host = text(header::HOST.as_str()).unwrap_or_default();
        let Some((name, port)) = authority(host) else {
            return refuse("the request has no host");
        };
        if !self.answers_to(&name, port) {
            return Verdict::Refuse(format!(
                "This preview does not accept requests for the host name `{name}`.\n\nIf that is a name of this machine or of a reverse proxy, start the preview with `neuronotes serve --allow-host {name}`.\n"
            ));
        }
        // Some proxies replace the host name that the browser requested by their own, and state the original here. No
        // foreign page can send this header without a preflight request, which is refused.
        let forwarded = text("x-forwarded-host").and_then(authority);
        let forwarded = forwarded.filter(|(name, port)| self.answers_to(name, *port));
        let is_own = |origin: &str| {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            let origin = rest.and_then(authority);
            origin.is_some() && (origin == authority(host) || origin == forwarded)
        };
        if !text(header::ORIGIN.as_str()).is_none_or(is_own) {
            return refuse("pages of other sites may not send requests to this preview");
        }
        let site = text("sec-fetch-site");
        if !matches!(site, None | Some("same-origin" | "none")) {
            // A page in a tab of its own, where somebody followed a link.
            let followed = matches!(*method, Method::GET | Method::HEAD)
                && text("sec-fetch-mode") == Some("navigate")
                && text("sec-fetch-dest") == Some("document");
            if !followed {
                return refuse("pages of other sites may not send requests to this preview");
            }
        }
        let token = &self.token;
        if query.and_then(shown).is_some_and(|shown| token.is(&shown)) {
            return Verdict::KeepToken;
        }
        let is_told = site.is_some() || is_loopback(&name);
        if other_user.is_none() && (!self.needs_token() || !self.beyond && is_told) {
            return Verdict::Pass;
        }
        let start = format!("{}=", self.cookie());
        let cookies =
            headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies = cookies.flat_map(|all| all.split(';'));
        if cookies.any(|one| one.trim().strip_prefix(&start).is_some_and(|shown| token.is(shown))) {
            return Verdict::Pass;
        }
        match other_user {
            Some(user) => Verdict::OtherUser(user),
            None => refuse(
                "this browser has not sent the preview's token. Open the URL with `?token=` that the terminal printed when the preview started",
            ),
        }
    }

    fn answers_to(&self, name: &str, port: Option<u16>) -> bool {
        let is_named = |known: &Name| {
            known.host == name && known.port.is_none_or(|wanted| Some(wanted) == port)
        };
        // Other machines may use a numeric address like a name: nobody can point it anywhere else.
        is_loopback(name)
            || self.beyond && address(name).is_some()
            || self.names.iter().any(is_named)
    }
}

fn refuse(why: &str) -> Verdict {
    Verdict::Refuse(format!("Refused: {why}.\n"))
}

/// The token in a query.
fn shown(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|part| part.strip_prefix("token="))?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(names: &[&str], beyond: bool) -> Guard {
        let names = names.iter().map(|name| name.parse().expect("a name")).collect();
        Guard::new(names, beyond, Token("secret".to_owned()), 4321)
    }

    const TOKEN: (&str, &str) = ("cookie", "neuronotes-4321=secret");

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    fn passes(guard: &Guard, given: &[(&'static str, &str)]) -> bool {
        guard.judge(&Method::GET, None, &headers(given), None) == Verdict::Pass
    }

    #[test]
    fn every_name_of_this_machine_with_any_port_is_its_own_and_no_other_is() {
        let guard = guard(&[], false);
        for own in [
            "localhost",
            "localhost:4321",
            "localhost:8000",
            "LOCALHOST:8000",
            "localhost.:80",
            "notes.localhost:8000",
            "127.0.0.1:4321",
            "127.0.0.1",
            "127.8.9.10:1",
            "[::1]:4321",
            "[::1]",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(passes(&guard, &[("host", own)]), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:4321",
            "localhost.evil.example",
            "evillocalhost",
            "127.0.0.1.evil.example",
            "192.168.1.5:4321",
            "0.0.0.0:4321",
            "[::]:4321",
            "[2001:db8::1]",
            "128.0.0.1",
            "",
            ":80",
            "localhost:port",
            "localhost@evil.example",
            "[::1",
            "a b",
        ] {
            assert!(!passes(&guard, &[("host", foreign)]), "{foreign}");
        }
        assert!(!passes(&guard, &[]), "a request without a host");
        let Verdict::Refuse(why) =
            guard.judge(&Method::GET, None, &headers(&[("host", "gpu-box:80")]), None)
        else {
            panic!("a name that was not allowed")
        };
        assert!(why.contains("--allow-host gpu-box"), "{why}");
    }

    #[test]
    fn an_origin_is_that_of_the_host_through_whatever_proxy() {
        let guard = guard(&["hub.example.org"], false);
        let origin =
            |host: &str, origin: &str| passes(&guard, &[("host", host), ("origin", origin), TOKEN]);
        assert!(origin("localhost:8000", "http://localhost:8000"));
        assert!(origin("hub.example.org", "https://hub.example.org"));
        for foreign in [
            "http://localhost:3000",
            "http://127.0.0.1:8000",
            "https://evil.example",
            "null",
            "",
            "file://",
        ] {
            assert!(!origin("localhost:8000", foreign), "{foreign}");
        }
        // A proxy that puts its own name there.
        let through = |forwarded: &str| {
            let origin = format!("https://{forwarded}");
            passes(
                &guard,
                &[("host", "localhost:4321"), ("x-forwarded-host", forwarded), ("origin", &origin)],
            )
        };
        assert!(through("hub.example.org"));
        assert!(!through("evil.example"));
    }

    #[test]
    fn what_a_foreign_page_asks_for_is_refused_and_a_link_can_be_followed() {
        let guard = guard(&[], false);
        let fetch = |site: &str, mode: &str, dest: &str, method: Method| {
            let given = [
                ("host", "localhost:1"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            guard.judge(&method, None, &headers(&given), None) == Verdict::Pass
        };
        assert!(fetch("same-origin", "no-cors", "script", Method::GET));
        assert!(fetch("none", "navigate", "document", Method::GET));
        for site in ["cross-site", "same-site", "nonsense"] {
            for (mode, dest) in [
                ("no-cors", "script"),
                ("no-cors", "image"),
                ("cors", "empty"),
                ("navigate", "iframe"),
                ("navigate", "embed"),
            ] {
                assert!(!fetch(site, mode, dest, Method::GET), "{site} {mode} {dest}");
            }
            assert!(fetch(site, "navigate", "document", Method::GET), "a link from {site}");
            assert!(!fetch(site, "navigate", "document", Method::POST), "a form from {site}");
        }
        assert!(!passes(&guard, &[("host", "localhost:1"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn where_the_browser_says_nothing_a_token_decides() {
        let proxied = guard(&["hub.lan"], false);
        let cookie = [("host", "hub.lan"), ("cookie", "a=b; neuronotes-4321=secret")];
        assert!(passes(&proxied, &cookie));
        assert!(passes(&proxied, &[("host", "hub.lan"), ("sec-fetch-site", "same-origin")]));
        assert!(passes(&proxied, &[("host", "localhost:4321")]), "this machine itself");
        assert!(!passes(&proxied, &[("host", "hub.lan")]));
        assert!(!passes(&proxied, &[("host", "hub.lan"), ("cookie", "neuronotes-4321=secre")]));
        assert!(!passes(&proxied, &[("host", "hub.lan"), ("cookie", "neuronotes-1=secret")]));
        // From other machines, every request needs the token: a program can forge any header.
        let beyond = guard(&[], true);
        assert!(passes(
            &beyond,
            &[("host", "192.168.1.5:4321"), ("cookie", "neuronotes-4321=secret")]
        ));
        for given in [
            &[("host", "192.168.1.5:4321")][..],
            &[("host", "localhost:4321")],
            &[("host", "192.168.1.5:4321"), ("sec-fetch-site", "same-origin")],
            &[("host", "evil.example"), ("cookie", "neuronotes-4321=secret")],
        ] {
            assert!(!passes(&beyond, given), "{given:?}");
        }
        let greeted = |query| {
            beyond.judge(&Method::GET, Some(query), &headers(&[("host", "10.0.0.1")]), None)
        };
        assert_eq!(greeted("a=b&token=secret"), Verdict::KeepToken);
        assert_ne!(greeted("token=other"), Verdict::KeepToken);
    }

    #[test]
    fn another_user_of_the_machine_needs_the_token_whatever_the_request_says() {
        for guard in [guard(&[], false), guard(&["hub.lan"], false), guard(&[], true)] {
            let judged = |query, given: &[(&'static str, &str)]| {
                guard.judge(&Method::GET, query, &headers(given), Some(33))
            };
            for given in [
                &[("host", "localhost:4321")][..],
                &[("host", "127.0.0.1:4321"), ("sec-fetch-site", "same-origin")],
                &[("host", "localhost:4321"), ("cookie", "neuronotes-4321=secre")],
            ] {
                assert_eq!(judged(None, given), Verdict::OtherUser(33), "{given:?}");
                assert_eq!(judged(Some("token=other"), given), Verdict::OtherUser(33), "{given:?}");
            }
            assert_eq!(judged(None, &[("host", "localhost:4321"), TOKEN]), Verdict::Pass);
            assert_eq!(
                judged(Some("token=secret"), &[("host", "localhost:1")]),
                Verdict::KeepToken
            );
        }
    }

    #[test]
    fn a_host_may_be_given_with_a_port_or_as_an_address() {
        let named = |text: &str| text.parse::<Name>().map(|name| (name.host, name.port));
        assert_eq!(named("GPU-box"), Ok(("gpu-box".to_owned(), None)));
        assert_eq!(named("gpu-box:8000"), Ok(("gpu-box".to_owned(), Some(8000))));
        assert_eq!(
            named("https://hub.example.org/user/ada/"),
            Ok(("hub.example.org".to_owned(), None))
        );
        for wrong in ["*", "*.example.org", "", "a b", "http://"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        let guard = guard(&["gpu-box:8000"], false);
        assert!(
            passes(&guard, &[("host", "gpu-box:8000"), TOKEN])
                && !passes(&guard, &[("host", "gpu-box:1"), TOKEN])
        );
    }

    #[test]
    fn tokens_are_long_and_of_their_own() {
        let [one, other] = [0, 1].map(|_| Token::new().expect("random numbers"));
        assert!(one.text().len() >= 32 && one != other);
        assert_eq!(format!("{one:?}"), "Token", "no log shows it");
    }
}
