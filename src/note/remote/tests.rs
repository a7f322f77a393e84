//! Addresses found in HTML, and the HTML without them.

use super::*;

fn found(html: &str) -> Vec<(Reach, String)> {
    scan(html).found.into_iter().map(|found| (found.reach, found.address)).collect()
}

fn clean(html: &str) -> String {
    let mut out = html.to_owned();
    for (place, text) in without(html).into_iter().rev() {
        out.replace_range(place, &text);
    }
    out
}

#[test]
fn whatever_loads_from_elsewhere_is_found_however_it_is_written() {
    for html in [
        "<img src=https://a.org/x.png>",
        "<IMG alt='>' SRC = \"//a.org/x\">",
        "<img/src='https:&#x2f;&#47;a.org'/>",
        "<img src=\"h&Tab;ttps&colon;//a.org\">",
        "<img\nalt=\"a\nb\"\nsrc='\nhttps://a.org\n'>",
        "<img srcset='a.png, https://a.org/b 2x'>",
        "<picture><source srcset=//a.org/b></picture>",
        "<video poster=https://a.org/x></video>",
        "<video src=https://a.org/x></video>",
        "<audio><track src=https://a.org/x></audio>",
        "<iframe src=https://a.org></iframe>",
        "<iframe srcdoc='&lt;img src=https://a.org&gt;'></iframe>",
        "<object data=https://a.org></object>",
        "<embed src=https://a.org>",
        "<script src=https://a.org/x.js></script>",
        "<link rel=stylesheet href=https://a.org/x.css>",
        "<link rel='preconnect' href=https://a.org>",
        "<link rel='alternate stylesheet' href=https://a.org>",
        "<base href=https://a.org/>",
        "<meta http-equiv=Refresh content='0; URL=https://a.org'>",
        "<table background=https://a.org>",
        "<a href=b.html ping='https://a.org'>x</a>",
        "<p style='background:u\\72l(https://a.org)'>",
        "<style>@import 'https://a.org/x.css';</style>",
        "<svg><image xlink:href=https://a.org /></svg>",
        "<svg><use href=https://a.org#a></svg>",
        "<svg><rect fill='url(https://a.org#a)'/></svg>",
        "<svg><style><a title=\"</style>\"><img src=https://a.org></svg>",
        "<textarea><!-- </textarea><img src=https://a.org>",
        "<!--> <img src=https://a.org>",
        "<svg><title><img src=https://a.org></title></svg>",
        "<noscript><img src=https://a.org></noscript>",
        "<x <img src=https://a.org>",
        "<img src=https://a.org",
        "</p><img src=https://a.org>",
    ] {
        let all = found(html);
        assert!(all.iter().any(|(reach, _)| *reach == Reach::Remote), "{html}: {all:?}");
        let left = clean(html);
        assert_eq!(found(&left), [], "{html}: {left}");
        assert!(
            left.contains("class=\"unresolved\""),
            "it is seen that something is missing: {left}"
        );
    }
}

#[test]
fn whatever_runs_is_found() {
    for html in [
        "<a href=javascript:alert(1)>x</a>",
        "<a href=' &#106;ava&Tab;script:x'>x</a>",
        "<a href='JaVaScRiPt&colon;x'>x</a>",
        "<a href='data:text/html,<script>1</script>'>x</a>",
        "<svg><a xlink:href=vbscript:x>y</a></svg>",
        "<form action=javascript:x>",
        "<button formaction=javascript:x>",
        "<img src=a.png onerror=alert(1)>",
        "<body/onload=x>",
        "<script>fetch('x')</script>",
        "<script type=module>1</script>",
        "<iframe src=javascript:x></iframe>",
        "<iframe src='data:text/html,x'></iframe>",
        "<svg><set attributeName=href to=javascript:x /></svg>",
    ] {
        let all = found(html);
        assert!(all.iter().any(|(reach, _)| *reach == Reach::Script), "{html}: {all:?}");
        assert_eq!(found(&clean(html)), [], "{html}");
    }
}

#[test]
fn what_is_the_gardens_own_is_left_as_it_is() {
    for html in [
        "<a href=https://a.org>x</a>",
        "<form action=https://a.org></form>",
        "<link rel=canonical href=https://a.org>",
        "<img src=a.png srcset='b.png 2x'>",
        "<img src='data:image/svg+xml,<svg>'>",
        "<p title='https://a.org' data-x=//a.org>https://a.org</p>",
        "<!-- <img src=https://a.org> -->",
        "<script type='application/ld+json'>{\"@context\": \"https://schema.org\"}</script>",
        "<style>a { color: red }</style>",
        "<blockquote cite=https://a.org>x</blockquote>",
        "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>",
        "1 < 2 <3 << </ > <",
        "",
    ] {
        assert_eq!(found(html), [], "{html}");
        assert_eq!(clean(html), html);
    }
}

#[test]
fn what_is_left_is_whole_and_says_what_is_missing() {
    let html = "<p>a <img alt=x src=https://a.org/b.png> <b style='background:url(//c)' class=d>e</b> \
                <script>one</script> f</p>";
    let span = |address: &str| refused("", address);
    let expected = format!(
        "<p>a {} {}<b  class=d>e</b> {} f</p>",
        refused("x", "https://a.org/b.png"),
        span("background:url(//c)"),
        span("<script>"),
    );
    assert_eq!(clean(html), expected);
    assert!(scan("<img alt=\"").open && scan("<!-- x").open && !scan("<b>x").open);
}

#[test]
fn deep_and_unclosed_html_is_looked_through_once() {
    let wanted = "<img src=https://a.org>";
    let style = format!("<b style='{}'>", "url(".repeat(100_000));
    assert_eq!(found(&style), []);
    for part in [
        "<title>",
        "<title><!-- </title>",
        "<style>",
        "<textarea><a x='</textarea>",
        "<!--",
        "<a x=\"",
        "<",
        "</",
        "<script>",
    ] {
        let html = part.repeat(100_000);
        // It must end, whatever it finds.
        let _ = without(&html);
        let hidden = format!("<xmp>{part}</xmp>{wanted}");
        assert!(
            found(&hidden).iter().any(|(reach, _)| *reach == Reach::Remote) || part == "<script>",
            "{hidden}"
        );
    }
}
