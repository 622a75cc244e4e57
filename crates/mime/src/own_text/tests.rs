use super::*;

#[test]
fn the_history_below_plain_text_is_known_by_what_clients_write() {
    for (text, own) in [
        ("Yes.\r\n\r\nOn Mon, Ann wrote:\r\n> Really?\r\n", "Yes.\r\n\r\n"),
        ("Ja.\n\nAm 3. Mai schrieb Ann\n<ann@x.example>:\n\n> Echt?\n", "Ja.\n\n"),
        ("Yes.\n-----Original Message-----\nFrom: Ann\n", "Yes.\n"),
        ("Ja.\n-----Ursprüngliche Nachricht-----\nVon: Ann\n", "Ja.\n"),
        ("Yes.\n________________________________\nFrom: Ann\n", "Yes.\n"),
        ("Yes.\n> quoted\n> more\n", "Yes.\n"),
    ] {
        assert_eq!(&text[..own_plain(text)], own, "{text}");
    }
}

#[test]
fn what_is_answered_line_by_line_or_has_no_words_of_its_own_is_taken_whole() {
    for text in [
        "> question\nanswer\n> question\nanswer\n",
        "-----Original Message-----\nFrom: Ann\n",
        "On Monday Ann wrote:\nnothing quoted\n",
        "-- \nBob\n",
        "",
    ] {
        assert_eq!(own_plain(text), text.len(), "{text}");
    }
}

#[test]
fn the_history_in_html_is_known_by_its_marks() {
    for (html, own) in [
        ("<body>Yes<div class=\"gmail_quote\">On …</div></body>", "<body>Yes"),
        ("<p>Yes</p><blockquote type=\"cite\">No</blockquote>", "<p>Yes</p>"),
        ("Yes<div id=\"divRplyFwdMsg\" dir=ltr>From</div>", "Yes"),
        ("Yes<div style='border:none;border-top:solid #E1E1E1 1.0pt'>From", "Yes"),
        (
            "<body><div class=\"gmail_quote\">forwarded</div></body>",
            "<body><div class=\"gmail_quote\">forwarded</div></body>",
        ),
        ("<p>Nothing quoted</p>", "<p>Nothing quoted</p>"),
    ] {
        assert_eq!(&html[..own_html(html)], own, "{html}");
    }
}

#[test]
fn long_runs_of_quotes_cost_no_more_than_their_length() {
    for piece in [">\n", "> a\nb\n", "\n", "a:\n\n", ">\n\n"] {
        let text = piece.repeat(1_000_000 / piece.len());
        let start = std::time::Instant::now();
        own_plain(&text);
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "{piece:?}");
    }
}
