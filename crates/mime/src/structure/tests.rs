use super::*;

fn message(raw: &str) -> Message {
    Message::parse(Bytes::from(raw.to_owned())).unwrap()
}

/// Every leaf's id and content as it stands.
fn leaves(raw: &str) -> Vec<(String, String)> {
    let message = message(raw);
    let leaves = message.nodes.iter().enumerate().filter(|(_, node)| node.children.is_empty());
    leaves
        .map(|(index, node)| {
            let content = String::from_utf8(node.encoded(&message.raw).to_vec()).unwrap();
            (message.id(index).to_string(), content)
        })
        .collect()
}

fn expect(raw: &str, expected: &[(&str, &str)]) {
    let found = leaves(raw);
    let found: Vec<_> = found.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    assert_eq!(found, expected, "{raw}");
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

#[test]
fn what_stands_before_and_after_the_parts_is_none() {
    expect(
        &format!(
            "{MIXED}before\r\n--b\r\n\r\none\r\n--b\r\n\r\n\r\ntwo\r\n\r\n--b--\r\nafter\r\n--b\r\n\r\nno"
        ),
        &[("1", "one"), ("2", "\r\ntwo\r\n")],
    );
}

#[test]
fn delimiters_are_known_in_all_their_spellings() {
    for raw in [
        format!("{MIXED}--b\r\n\r\none\r\n--b--\r\n"),
        format!("{MIXED}--b  \t\r\n\r\none\r\n--b--  \r\n"),
        format!("{MIXED}--b\n\none\n--b--"),
        format!("{MIXED}\r\n--b\r\n\r\none\r\n--b--garbage"),
        "Content-Type: multipart/mixed;\r\n\tboundary=\"b\"\r\n\r\n--b\r\n\r\none\r\n--b--\r\n"
            .into(),
        "Content-Type: MULTIPART/Mixed; BOUNDARY=b; x=y\r\n\r\n--b\r\n\r\none\r\n--b--\r\n".into(),
    ] {
        expect(&raw, &[("1", "one")]);
    }
}

#[test]
fn what_only_looks_like_a_delimiter_is_content() {
    expect(
        &format!("{MIXED}--b\r\n\r\n--bb\r\n --b\r\nx--b\r\n--B\r\n--b--\r\n"),
        &[("1", "--bb\r\n --b\r\nx--b\r\n--B")],
    );
}

#[test]
fn an_outer_delimiter_ends_what_was_left_open_within() {
    let inner = "Content-Type: multipart/alternative; boundary=bb\r\n\r\n";
    expect(
        &format!(
            "{MIXED}--b\r\n{inner}--bb\r\n\r\na\r\n--bb\r\n\r\nb\r\n--b\r\n\r\nc\r\n--b--\r\n"
        ),
        &[("1.1", "a"), ("1.2", "b"), ("2", "c")],
    );
}

#[test]
fn a_part_without_an_empty_line_has_no_content() {
    expect(
        &format!("{MIXED}--b\r\nContent-Type: text/html\r\n--b\r\n\r\nx\r\n--b--\r\n"),
        &[("1", ""), ("2", "x")],
    );
}

#[test]
fn a_message_cut_short_keeps_what_there_is() {
    expect(&format!("{MIXED}--b\r\n\r\none\r\n--b\r\n\r\ntw"), &[("1", "one"), ("2", "tw")]);
    expect(&format!("{MIXED}--b\r\n\r\none\r\n--b"), &[("1", "one"), ("2", "")]);
}

#[test]
fn an_attached_message_is_not_looked_into() {
    let nested = format!(
        "Content-Type: message/rfc822\r\n\r\n{}--x\r\n\r\nn\r\n--x--",
        MIXED.replace("=b", "=x")
    );
    let message = message(&format!("{MIXED}--b\r\n{nested}\r\n--b--\r\n"));
    assert_eq!(message.nodes.len(), 2);
    assert!(message.nodes[1].encoded(&message.raw).ends_with(b"--x--"));
}

#[test]
fn ids_lead_back_to_their_parts() {
    let inner = "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\na\r\n--i--\r\n";
    let message = message(&format!("{MIXED}--b\r\n\r\nx\r\n--b\r\n{inner}--b--\r\n"));
    for index in 1..message.nodes.len() {
        assert_eq!(message.find(&message.id(index)), Some(index));
    }
}

#[test]
fn parts_and_depth_are_bounded() {
    let many = format!("{MIXED}{}", "--b\r\n\r\nx\r\n".repeat(MAX_PARTS * 2));
    assert_eq!(message(&many).nodes.len(), MAX_PARTS);
    let deep: String = (0..MAX_DEPTH * 2)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    assert_eq!(message(&deep).nodes.iter().map(|node| node.depth).max(), Some(MAX_DEPTH));
}
