//! What a mail of the user says of a meeting: phones before 16.0 tell others by mail, and a calendar's
//! own server may tell the same.

use bytes::Bytes;
use dme_mailbox::{CalendarMessage, Verb};
use dme_sync::MeetingWord;

/// What a mail says that a calendar may tell as well, and to whom. `verb` is what it does to its
/// original. A mail that is sent on is for those it is sent to, whatever stands in it.
pub(crate) fn of(mime: &Bytes, verb: Option<Verb>) -> Option<MeetingWord> {
    if verb == Some(Verb::Forward) {
        return None;
    }
    let said = dme_mime::scheduling_message(mime).ok()??;
    let message = CalendarMessage { calendar: said.calendar, from: said.from };
    Some(MeetingWord { message, to: said.to, own: said.own })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_with_all_whom_it_goes_to() {
        let mail = |kind: &str| {
            Bytes::from(format!(
                "From: ann@example.org\r\nTo: bob@example.org\r\nBcc: Cem <cem@example.org>\r\n\
                 MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
                 --x\r\nContent-Type: text/plain\r\n\r\nPlease come.\r\n\
                 --x\r\nContent-Type: {kind}\r\n\r\n\
                 BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n--x--\r\n"
            ))
        };
        let invitation = mail("text/calendar; method=REQUEST");
        let word = of(&invitation, Some(Verb::Reply)).unwrap();
        assert_eq!(word.message.from, "ann@example.org");
        assert!(word.message.calendar.starts_with("BEGIN:VCALENDAR"), "{word:?}");
        assert_eq!(word.to, ["bob@example.org", "cem@example.org"]);
        assert_eq!(of(&invitation, Some(Verb::Forward)), None);
        assert_eq!(of(&mail("text/html"), None), None);
        assert_eq!(of(&Bytes::from_static(b"no mail"), None), None);
    }
}
