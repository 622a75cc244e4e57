use super::*;
use proptest::prelude::*;

fn text(html: &str) -> String {
    to_text(html, Links::Shown, usize::MAX)
}

#[test]
fn html_becomes_the_text_it_shows() {
    for (html, expected) in [
        ("<p>One</p><p>Two</p>", "One\r\n\r\nTwo\r\n"),
        ("One<br>Two<br/><br />Three", "One\r\nTwo\r\n\r\nThree\r\n"),
        ("  a \r\n  b\t<b>c</b>d ", "a b cd\r\n"),
        ("a<!-- <b>no</b> -->b", "ab\r\n"),
        ("<style>p { x }</style><script>if (a<b) {}</script>Text", "Text\r\n"),
        ("<HEAD><TITLE>No</TITLE></HEAD><BODY>Yes</BODY>", "Yes\r\n"),
        ("Gr&uuml;&szlig;e &amp; &#8364;&#x20AC; &unknown; & so", "Grüße & €€ &unknown; & so\r\n"),
        ("a&nbsp;b", "a b\r\n"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\r\n"),
        ("<ul><li>a</li><li>b<ol><li>c<li>d</ol></ul>e", "* a\r\n* b\r\n  1. c\r\n  2. d\r\ne\r\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\r\nc\r\n"),
        ("<pre>a  b\n  c</pre>d", "a  b\r\n  c\r\n\r\nd\r\n"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\r\n>> b\r\nc\r\n"),
        (
            "<a href=\"https://x.example/?a=1&amp;b=2\">here</a>",
            "here <https://x.example/?a=1&b=2>\r\n",
        ),
        ("<a href='https://x.example'>https://x.example</a>", "https://x.example\r\n"),
        ("<a href=\"mailto:a@x.example\">Ann</a>", "Ann\r\n"),
        ("<img alt=\"a > b\" src=x.png>c", "a > bc\r\n"),
        ("<p title=\"1 > 2\">x", "x\r\n"),
        ("<o:p>&nbsp;</o:p>x", " x\r\n"),
        ("a<hr>b", "a\r\n----------------------------------------\r\nb\r\n"),
        ("never closed <b", "never closed\r\n"),
        ("never closed <!-- x", "never closed\r\n"),
        ("never closed <p title=\"x", "never closed\r\n"),
        ("a&#0;b", "a b\r\n"),
        ("", ""),
        ("<p></p>", ""),
    ] {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn a_preview_stops_early_and_leaves_links_out() {
    let html = "<p><a href=\"https://x.example\">word</a></p>".repeat(100_000);
    let preview = to_text(&html, Links::Hidden, 100);
    assert!(preview.len() < 200 && preview.starts_with("word\r\n\r\nword"), "{preview}");
}

#[test]
fn text_becomes_html_that_shows_it_and_nothing_else() {
    for (text, expected) in [
        ("a\r\nb\n", "<div>a<br>\r\nb</div>"),
        (
            "<script>alert('x')</script>",
            "<div>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</div>",
        ),
        ("  two  spaces", "<div>&nbsp;&nbsp;two &nbsp;spaces</div>"),
        ("\"a\" & b", "<div>&quot;a&quot; &amp; b</div>"),
        ("", "<div></div>"),
    ] {
        let mut html = String::new();
        push_text(text, &mut html);
        assert_eq!(html, expected, "{text}");
    }
}

#[test]
fn the_body_is_found_whatever_its_case_and_whole_where_it_is_missing() {
    for (html, expected) in [
        ("<html><BODY bgcolor=x>inner</Body></html>", "inner"),
        ("<html>inner</html>", "<html>inner"),
        ("inner", "inner"),
        ("</body>inner", ""),
        ("<body>a</body><body>b</body>", "a</body><body>b"),
    ] {
        assert_eq!(&html[body_range(html)], expected, "{html}");
    }
}

#[test]
fn a_declared_charset_is_set_right() {
    for (html, expected) in [
        ("<meta charset=\"iso-8859-1\">", "<meta charset=\"utf-8\">"),
        (
            "<META http-equiv=x content='text/html; charset=gb2312'>",
            "<META http-equiv=x content='text/html; charset=utf-8'>",
        ),
        ("<meta charset=UTF-8>", "<meta charset=UTF-8>"),
        ("<meta name=charset>", "<meta name=charset>"),
        ("charset=latin1", "charset=latin1"),
        ("<meta charset=", "<meta charset="),
    ] {
        assert_eq!(declare_utf8(html.into()), expected, "{html}");
    }
}

#[test]
fn hostile_html_costs_no_more_than_its_length() {
    for piece in [
        "<div>",
        "<a '",
        "<a x=\"",
        "<",
        "&",
        "&#",
        "<!--",
        "<script>",
        "<blockquote>",
        "<ul><li>",
        "</",
        "<a href=\"https://x.example\">",
    ] {
        let html = piece.repeat(1_000_000 / piece.len());
        let start = std::time::Instant::now();
        let text = text(&html);
        assert!(
            start.elapsed() < std::time::Duration::from_secs(20),
            "{piece}: {:?}",
            start.elapsed()
        );
        assert!(text.len() <= html.len() * 20, "{piece}");
    }
}

proptest! {
    #[test]
    fn text_made_html_and_text_again_is_the_same_words(text in "[ -~äöü中☀\r\n]{0,200}") {
        let back = super::to_text(&from_text(&text), Links::Shown, usize::MAX);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&back), words(&text));
    }

    #[test]
    fn no_html_makes_it_fail(html in "[<>a-z/=\"'!&;# \n-]{0,300}") {
        let text = super::to_text(&html, Links::Shown, usize::MAX);
        prop_assert!(!text.contains('\0'));
        body_range(&html);
    }
}
