use super::*;
use crate::header::Of;

fn of(header: &str) -> Option<ConversationId> {
    id(&Fields::parse(header.as_bytes(), 0, Of::Message).0, header.as_bytes())
}

fn index_of(header: &str, sent: i64) -> Vec<u8> {
    index(&Fields::parse(header.as_bytes(), 0, Of::Message).0, header.as_bytes(), sent)
}

#[test]
fn all_of_a_thread_have_the_id_of_its_first_message() {
    let first = of("Message-ID: <a@x>\r\n\r\n");
    assert!(first.is_some());
    assert_eq!(of("Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\n\r\n"), first);
    assert_eq!(of("Message-ID: <c@x>\nReferences: <a@x>\n <b@x>\nIn-Reply-To: <b@x>\n\n"), first);
    assert_eq!(of("References:\r\n\t<a@x>\r\n\t<b@x>\r\n\r\n"), first);
    assert_eq!(of("message-id: a@x\r\n\r\n"), first);
    assert_ne!(of("Message-ID: <b@x>\r\n\r\n"), first);
}

#[test]
fn without_any_id_the_topic_decides_and_without_that_there_is_none() {
    let first = of("Subject: Budget\r\n\r\n");
    assert!(first.is_some());
    assert_eq!(of("Subject: RE: budget\r\n\r\n"), first);
    assert_ne!(of("Message-ID: <Budget>\r\n\r\n"), first);
    assert_eq!(of("From: a@x\r\n\r\n"), None);
}

#[test]
fn the_id_is_the_same_in_every_release() {
    let ConversationId(id) = of("Message-ID: <first@example.com>\r\n\r\n").unwrap();
    // printf id:first@example.com | sha256sum
    assert_eq!(id[..8], [0x1c, 0x13, 0x1a, 0x53, 0x2e, 0x3c, 0xab, 0xaa]);
}

#[test]
fn the_index_has_five_bytes_of_time_and_five_for_each_answer() {
    // As FILETIME: 01DD7B6C 13366800.
    let sent = 1_795_453_200;
    let new = index_of("Message-ID: <a@x>\r\n\r\n", sent);
    assert_eq!(new, [0xDD, 0x7B, 0x6C, 0x13, 0x36]);
    assert_eq!(index_of("In-Reply-To: <a@x>\r\n\r\n", sent).len(), 10);
    let third = index_of("References: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\n", sent);
    assert_eq!(third.len(), 15);
    let many = format!("References: {}\r\n\r\n", "<a@x> ".repeat(1000));
    assert_eq!(index_of(&many, sent).len(), 5 + 5 * MAX_LEVELS);
}

#[test]
fn outlooks_own_index_is_taken_without_the_conversations_id() {
    use mail_builder::encoders::base64::Base64Encoder;
    let mut full = vec![1, 0xDD, 0x5B, 1, 2, 3];
    full.extend([7; 16]);
    full.extend([9, 8, 7, 6, 5]);
    let encoded = String::from_utf8(Base64Encoder::new().encode(&full).unwrap()).unwrap();
    let header = format!("Thread-Index: {encoded}\r\n\r\n");
    assert_eq!(index_of(&header, 0), [0xDD, 0x5B, 1, 2, 3, 9, 8, 7, 6, 5]);
    // Broken ones are not.
    assert_eq!(index_of("Thread-Index: AQID\r\n\r\n", 0).len(), 5);
}
