//! Messages wait in order, once each, within limits.

use crate::databases::{Place, on_each_database};
use dme_mailbox::{Submission, SubmissionKey};
use dme_model::{Timestamp, UserId};
use dme_store::{Error, OutboxLimits};

on_each_database![messages_wait_in_order_and_once_each_within_limits];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LIMITS: OutboxLimits = OutboxLimits { messages: 3, bytes: 100 };

fn submission(act: &str, message: &[u8]) -> Submission {
    Submission {
        key: SubmissionKey(act.into()),
        uncertain: false,
        taken: false,
        message: message.to_vec().into(),
        reference: None,
        save_in_sent: true,
        draft: None,
    }
}

async fn messages_wait_in_order_and_once_each_within_limits(place: Place) {
    let store = place.open().await;
    let ann = UserId::from("ann@x");
    let queue = async |act: &str, message: &[u8]| {
        let sender = ("ann@x", None);
        store.queue_message(&ann, sender, &submission(act, message), NOW, LIMITS).await
    };
    queue("one", b"first \xFF").await.unwrap();
    queue("two", b"second").await.unwrap();
    queue("one", b"again").await.unwrap();
    assert!(matches!(queue("big", &[b'x'; 90]).await, Err(Error::Refused(_))), "too large");
    let first = store.first_queued(&ann).await.unwrap().unwrap();
    assert_eq!((&first.submission.message[..], first.attempts), (&b"first \xFF"[..], 0));

    let mut tried = first.clone();
    (tried.attempts, tried.aside, tried.trouble) = (2, true, Some("refused".into()));
    store.note_attempt(&tried).await.unwrap();
    let second = store.first_queued(&ann).await.unwrap().unwrap();
    assert_eq!(second.submission.key.0, "two", "what is set aside waits for an administrator");
    let all = store.all_queued().await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.attempts, one.aside)).collect();
    assert_eq!(told, [(2, true), (0, false)]);
    assert!(all.iter().all(|one| one.submission.message.is_empty()), "only listed");

    store.remove_queued(&second).await.unwrap();
    assert_eq!(store.waiting_users().await.unwrap(), Vec::<UserId>::new());
    store.discard_queued(first.n).await.unwrap();
    assert!(matches!(store.discard_queued(first.n).await, Err(Error::NotFound(_))));
}
