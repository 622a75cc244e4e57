//! What every [`StateStore`] must do. Each case is given a fresh store.

use crate::{
    DeviceKey, FolderNo, Journal, Slot, StateStore, SubmissionLife, TRACE_LIMIT, TraceEntry,
    TraceEvent,
};
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// One case.
pub struct Case {
    /// What it shows.
    pub name: &'static str,
    /// Panics where the store does otherwise.
    pub run: for<'a> fn(&'a dyn StateStore) -> BoxFuture<'a, ()>,
}

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// All cases.
        pub const CASES: &[Case] =
            &[$(Case { name: stringify!($name), run: |store| Box::pin($name(store)) }),*];
    };
}

cases![
    numbers_begin_at_one_and_stay,
    numbers_belong_to_their_user,
    a_renamed_collection_keeps_its_number,
    two_collections_can_change_places,
    a_number_that_stands_for_nothing_is_not_given_again,
    a_slot_holds_what_was_saved_last,
    slots_of_devices_and_folders_are_apart,
    a_collection_and_its_state_come_in_one_read,
    a_resync_empties_one_device,
    an_act_is_begun_once_and_answered_as_sent,
    an_act_that_was_called_off_can_begin_again,
    an_act_is_forgotten_when_its_time_is_over,
    expiry_drops_the_old_acts_only,
    the_trace_is_newest_first_and_bounded,
];

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const HOUR: SubmissionLife = SubmissionLife(Duration::from_secs(3600));

fn device(user: &str, device: &str) -> DeviceKey {
    DeviceKey { user: user.into(), device: device.into() }
}

fn ids<const N: usize>(ids: [&str; N]) -> Vec<CollectionId> {
    ids.into_iter().map(CollectionId::from).collect()
}

fn sent(message_id: &str) -> Submitted {
    Submitted {
        message_id: message_id.into(),
        refused: Vec::new(),
        warnings: Vec::new(),
        unfinished: false,
    }
}

macro_rules! ok {
    ($call:expr) => {
        match $call.await {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        }
    };
}

async fn numbers_begin_at_one_and_stay(store: &dyn StateStore) {
    let user = UserId::from("ann@x");
    let first = ok!(store.number_folders(&user, &ids(["INBOX", "Sent"])));
    assert_eq!(first, [FolderNo(1), FolderNo(2)]);
    let again = ok!(store.number_folders(&user, &ids(["Sent", "Trash", "INBOX", "Trash"])));
    assert_eq!(again, [FolderNo(2), FolderNo(3), FolderNo(1), FolderNo(3)]);
    let all = ok!(store.folders(&user));
    assert_eq!(all.len(), 3);
    assert_eq!(ok!(store.folder(&user, FolderNo(3))), Some("Trash".into()));
    assert_eq!(ok!(store.folder(&user, FolderNo(4))), None);
}

async fn numbers_belong_to_their_user(store: &dyn StateStore) {
    ok!(store.number_folders(&"ann@x".into(), &ids(["a", "b"])));
    assert_eq!(ok!(store.number_folders(&"bob@x".into(), &ids(["b"]))), [FolderNo(1)]);
}

async fn a_renamed_collection_keeps_its_number(store: &dyn StateStore) {
    let user = UserId::from("ann@x");
    ok!(store.number_folders(&user, &ids(["old", "taken"])));
    ok!(store.renumber_folders(&user, &[(FolderNo(1), "taken".into())]));
    assert_eq!(ok!(store.folder(&user, FolderNo(1))), Some("taken".into()));
    assert_eq!(ok!(store.folder(&user, FolderNo(2))), None);
    assert_eq!(ok!(store.folders(&user)), [(FolderNo(1), "taken".into())]);
}

async fn two_collections_can_change_places(store: &dyn StateStore) {
    let user = UserId::from("ann@x");
    ok!(store.number_folders(&user, &ids(["a", "b"])));
    let swapped = [(FolderNo(1), "b".into()), (FolderNo(2), "a".into())];
    ok!(store.renumber_folders(&user, &swapped));
    assert_eq!(ok!(store.folders(&user)), swapped);
}

async fn a_number_that_stands_for_nothing_is_not_given_again(store: &dyn StateStore) {
    let user = UserId::from("ann@x");
    ok!(store.number_folders(&user, &ids(["a", "b"])));
    ok!(store.renumber_folders(&user, &[(FolderNo(1), "b".into())]));
    assert_eq!(ok!(store.number_folders(&user, &ids(["a"]))), [FolderNo(3)]);
}

async fn a_slot_holds_what_was_saved_last(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    assert_eq!(ok!(store.load(&phone, Slot::Hierarchy)), None);
    ok!(store.save(&phone, Slot::Hierarchy, b"one".to_vec()));
    ok!(store.save(&phone, Slot::Hierarchy, b"two".to_vec()));
    assert_eq!(ok!(store.load(&phone, Slot::Hierarchy)), Some(b"two".to_vec()));
    ok!(store.clear(&phone, Slot::Hierarchy));
    ok!(store.clear(&phone, Slot::Hierarchy));
    assert_eq!(ok!(store.load(&phone, Slot::Hierarchy)), None);
}

async fn slots_of_devices_and_folders_are_apart(store: &dyn StateStore) {
    let phones = [device("ann@x", "1"), device("ann@x", "2"), device("bob@x", "1")];
    let slots = [
        Slot::Hierarchy,
        Slot::Collection(FolderNo(1)),
        Slot::Collection(FolderNo(2)),
        Slot::Moves,
        Slot::LastSync,
        Slot::LastPing,
    ];
    let places: Vec<_> = phones.iter().flat_map(|p| slots.iter().map(move |s| (p, *s))).collect();
    for (n, (phone, slot)) in places.iter().enumerate() {
        ok!(store.save(phone, *slot, n.to_string().into_bytes()));
    }
    for (n, (phone, slot)) in places.iter().enumerate() {
        assert_eq!(ok!(store.load(phone, *slot)), Some(n.to_string().into_bytes()));
    }
}

async fn a_collection_and_its_state_come_in_one_read(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    assert_eq!(ok!(store.load_collection(&phone, FolderNo(1))), None);
    ok!(store.number_folders(&phone.user, &ids(["INBOX"])));
    assert_eq!(
        ok!(store.load_collection(&phone, FolderNo(1))),
        Some(("INBOX".into(), None)),
        "numbered, never synced"
    );
    ok!(store.save(&phone, Slot::Collection(FolderNo(1)), b"state".to_vec()));
    ok!(store.save(&device("ann@x", "other"), Slot::Collection(FolderNo(1)), b"not".to_vec()));
    assert_eq!(
        ok!(store.load_collection(&phone, FolderNo(1))),
        Some(("INBOX".into(), Some(b"state".to_vec())))
    );
}

async fn a_resync_empties_one_device(store: &dyn StateStore) {
    let (phone, other) = (device("ann@x", "1"), device("ann@x", "2"));
    for device in [&phone, &other] {
        ok!(store.save(device, Slot::Hierarchy, b"state".to_vec()));
        ok!(store.begin_submission(device, "act", NOW, HOUR));
    }
    ok!(store.resync_device(&phone));
    assert_eq!(ok!(store.load(&phone, Slot::Hierarchy)), None);
    assert!(ok!(store.load(&other, Slot::Hierarchy)).is_some());
    let journal = ok!(store.begin_submission(&phone, "act", NOW, HOUR));
    assert_eq!(journal, Journal::Uncertain { since: NOW }, "the journal stays");
}

async fn an_act_is_begun_once_and_answered_as_sent(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    let later = NOW.plus(Duration::from_secs(60));
    assert_eq!(ok!(store.begin_submission(&phone, "act", NOW, HOUR)), Journal::Begun);
    let uncertain = Journal::Uncertain { since: NOW };
    assert_eq!(ok!(store.begin_submission(&phone, "act", later, HOUR)), uncertain);
    let unfinished = Submitted { unfinished: true, ..sent("1@x") };
    ok!(store.finish_submission(&phone, "act", &unfinished));
    let known = Journal::Unfinished { since: NOW, sent: unfinished };
    assert_eq!(ok!(store.begin_submission(&phone, "act", later, HOUR)), known);
    ok!(store.finish_submission(&phone, "act", &sent("1@x")));
    let known = Journal::Sent(sent("1@x"));
    assert_eq!(ok!(store.begin_submission(&phone, "act", later, HOUR)), known);
    assert_eq!(ok!(store.begin_submission(&phone, "other", later, HOUR)), Journal::Begun);
    let stranger = device("ann@x", "tablet");
    assert_eq!(ok!(store.begin_submission(&stranger, "act", later, HOUR)), Journal::Begun);
}

async fn an_act_that_was_called_off_can_begin_again(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    ok!(store.begin_submission(&phone, "act", NOW, HOUR));
    ok!(store.cancel_submission(&phone, "act"));
    assert_eq!(ok!(store.begin_submission(&phone, "act", NOW, HOUR)), Journal::Begun);
}

async fn an_act_is_forgotten_when_its_time_is_over(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    ok!(store.begin_submission(&phone, "act", NOW, HOUR));
    ok!(store.finish_submission(&phone, "act", &sent("1@x")));
    let later = NOW.plus(Duration::from_secs(3601));
    assert_eq!(ok!(store.begin_submission(&phone, "act", later, HOUR)), Journal::Begun);
    let again = ok!(store.begin_submission(&phone, "act", later, HOUR));
    assert_eq!(again, Journal::Uncertain { since: later }, "and not as sent the time before");
}

async fn expiry_drops_the_old_acts_only(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    let later = NOW.plus(Duration::from_secs(60));
    ok!(store.begin_submission(&phone, "old", NOW, HOUR));
    ok!(store.begin_submission(&phone, "new", later, HOUR));
    assert_eq!(ok!(store.expire(later)), 1);
    assert_eq!(ok!(store.begin_submission(&phone, "old", later, HOUR)), Journal::Begun);
    let kept = ok!(store.begin_submission(&phone, "new", later, HOUR));
    assert_eq!(kept, Journal::Uncertain { since: later });
}

async fn the_trace_is_newest_first_and_bounded(store: &dyn StateStore) {
    let phone = device("ann@x", "phone");
    let entry = |n: usize| TraceEntry {
        at: NOW.plus(Duration::from_secs(n as u64)),
        folder: FolderNo(1),
        event: TraceEvent::Resync { reason: n.to_string() },
    };
    ok!(store.record(&phone, &[entry(0), entry(1)]));
    assert_eq!(ok!(store.trace(&phone)), [entry(1), entry(0)]);
    let many: Vec<TraceEntry> = (2..TRACE_LIMIT + 5).map(entry).collect();
    ok!(store.record(&phone, &many));
    let trace = ok!(store.trace(&phone));
    assert_eq!(trace.len(), TRACE_LIMIT);
    assert_eq!(trace.first(), many.last());
    assert_eq!(ok!(store.trace(&device("ann@x", "other"))), []);
}
