//! Thousands of lives on the in-memory mailbox.

use super::*;
use crate::{MemoryStore, StateStore};
use dme_mailbox::memory::MemoryMailSystem;
use dme_model::UserId;
use proptest::prelude::*;

struct MemoryWorld {
    system: MemoryMailSystem,
    user: UserId,
}

impl MemoryWorld {
    fn new() -> Self {
        let (system, user) = (MemoryMailSystem::new(), UserId::from("model@example.com"));
        system.add_user(&user, "model@example.com");
        Self { system, user }
    }
}

#[async_trait]
impl World for MemoryWorld {
    fn mailbox(&self) -> Arc<dyn Mailbox> {
        self.system.mailbox(&self.user).unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn set_clock(&self, now: Timestamp) {
        self.system.set_clock(now);
    }

    async fn put(
        &self,
        collection: &CollectionId,
        message: Bytes,
        flags: Flags,
        received: Timestamp,
    ) -> Result<()> {
        self.system.insert(&self.user, collection, message, flags, received).map(drop)
    }

    async fn invalidate(&self, collection: &CollectionId) -> bool {
        self.system.invalidate(&self.user, collection).is_ok()
    }

    async fn sent(&self) -> Vec<Bytes> {
        self.system.sent().into_iter().map(|sent| sent.message).collect()
    }

    fn recipient(&self) -> &str {
        "someone@elsewhere.example"
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Answered),
        2 => Just(Fate::Lost),
        1 => (0u8..8).prop_map(Fate::Cut),
    ]
}

fn mark() -> impl Strategy<Value = Mark> {
    prop_oneof![
        Just(Mark::Read),
        Just(Mark::Unread),
        Just(Mark::Flag),
        Just(Mark::Complete),
        Just(Mark::Unflag),
        any::<u8>().prop_map(Mark::Category),
    ]
}

fn age() -> impl Strategy<Value = FilterAge> {
    prop_oneof![
        Just(FilterAge::All),
        Just(FilterAge::OneDay),
        Just(FilterAge::OneWeek),
        Just(FilterAge::OneMonth),
    ]
}

fn record_act() -> impl Strategy<Value = RecordAct> {
    prop_oneof![
        Just(RecordAct::Make),
        Just(RecordAct::Make),
        Just(RecordAct::Rewrite),
        any::<u8>().prop_map(RecordAct::Rename),
        any::<u8>().prop_map(RecordAct::Drop),
        Just(RecordAct::Delete),
    ]
}

/// Most records are events: of them there is most to do.
fn record_folder() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), any::<u8>()]
}

/// Most happens in few folders, so that things meet.
fn folder() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0u8), 1 => 0u8..10]
}

fn op() -> impl Strategy<Value = Op> {
    let item = || 0u8..6;
    prop_oneof![
        5 => (folder(), any::<u8>(), any::<bool>())
            .prop_map(|(folder, days_ago, read)| Op::Deliver { folder, days_ago, read }),
        3 => (folder(), item(), mark())
            .prop_map(|(folder, item, mark)| Op::OtherMarks { folder, item, mark }),
        2 => (folder(), item()).prop_map(|(folder, item)| Op::OtherDelete { folder, item }),
        2 => (folder(), item(), 0u8..10)
            .prop_map(|(from, item, to)| Op::OtherMove { from, item, to }),
        3 => (any::<u8>(), folder(), item(), prop::option::weighted(0.8, mark())).prop_map(
            |(ahead, folder, item, mark)| Op::Meanwhile { ahead, folder, item, mark }
        ),
        1 => any::<u8>().prop_map(|parent| Op::OtherFolder { parent }),
        1 => any::<u8>().prop_map(|folder| Op::OtherDeleteFolder { folder }),
        4 => (folder(), item(), mark())
            .prop_map(|(folder, item, mark)| Op::Marks { folder, item, mark }),
        2 => (folder(), item()).prop_map(|(folder, item)| Op::Delete { folder, item }),
        4 => (record_folder(), item(), record_act())
            .prop_map(|(folder, item, act)| Op::OtherRecord { folder, item, act }),
        5 => (record_folder(), item(), record_act())
            .prop_map(|(folder, item, act)| Op::Record { folder, item, act }),
        2 => Just(Op::OtherRecord { folder: 0, item: 0, act: RecordAct::Invite }),
        // Mostly of few, so that people change their minds.
        6 => (0u8..2, any::<u8>(), fate())
            .prop_map(|(item, says, fate)| Op::Answer { item, says, fate }),
        6 => (record_folder(), any::<u8>(), fate())
            .prop_map(|(folder, window, fate)| Op::SyncRecords { folder, window, fate }),
        1 => Just(Op::Draft),
        1 => Just(Op::SendBySync),
        12 => (folder(), any::<u8>(), prop::bool::weighted(0.1), fate())
            .prop_map(|(folder, window, hold, fate)| Op::Sync { folder, window, hold, fate }),
        3 => fate().prop_map(|fate| Op::FolderSync { fate }),
        2 => (folder(), item(), 0u8..10, fate())
            .prop_map(|(from, item, to, fate)| Op::Move { from, item, to, fate }),
        1 => (any::<bool>(), fate()).prop_map(|(named, fate)| Op::Send { named, fate }),
        1 => fate().prop_map(|fate| Op::SendAgain { fate }),
        1 => (any::<u8>(), fate()).prop_map(|(parent, fate)| Op::Folder { parent, fate }),
        1 => (any::<u8>(), any::<u8>(), fate())
            .prop_map(|(folder, parent, fate)| Op::RenameFolder { folder, parent, fate }),
        1 => (any::<u8>(), fate()).prop_map(|(folder, fate)| Op::DeleteFolder { folder, fate }),
        2 => (folder(), age()).prop_map(|(folder, age)| Op::Filter { folder, age }),
        1 => Just(Op::Day),
        2 => Just(Op::Restart),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(ahead, after)| Op::Fail { ahead, after }),
        1 => folder().prop_map(|folder| Op::Invalidate { folder }),
    ]
}

/// Some thousands, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 3_000;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn phone_and_mailbox_agree_in_the_end(ops in prop::collection::vec(op(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::default());
        let open = move || Arc::clone(&store);
        // The phone knows its folders before life begins to be hard on it.
        let begin = std::iter::once(Op::FolderSync { fate: Fate::Answered });
        let ops: Vec<Op> = begin.chain(ops).collect();
        let lived = runtime.block_on(run(&MemoryWorld::new(), &open, &ops));
        prop_assert!(lived.is_ok(), "{}", lived.unwrap_err());
    }
}
