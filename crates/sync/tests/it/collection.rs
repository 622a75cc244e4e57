//! Rule S1: what a Sync tells, what it costs, and how much fits into an answer.

use crate::world::{Call, World, message, read, told, with};
use dme_mailbox::ErrorKind;
use dme_mailbox::memory::Failure;
use dme_model::{BodyKind, BodyPreference, BodyView, FlagPatch, Followup, Item, Role};
use dme_sync::{
    Changes, ClientCommand, ClientId, CollectionOptions, CollectionRequest, CommandResult,
    Deletion, Error, FolderNo, ServerChange, SyncKey, Window,
};

#[tokio::test]
async fn key_0_is_answered_with_a_key_and_nothing_else_and_asks_nobody() {
    let world = World::new().await;
    world.arrive("one");
    let inbox = world.folder(Role::Inbox).await;
    let first = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap();
    assert!(!first.key.is_initial());
    assert_eq!((first.changes, first.more_available), (vec![], false));
    assert_eq!(world.system.take_calls(), []);
}

#[tokio::test]
async fn the_newest_come_first_and_the_window_holds() {
    let world = World::new().await;
    for n in 1..=5 {
        world.arrive(&format!("m{n}"));
    }
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let mut request = CollectionRequest::new(inbox, key);
    request.window.items = 2;
    for (expected, more) in [
        (vec!["add 5 m5", "add 4 m4"], true),
        (vec!["add 3 m3", "add 2 m2"], true),
        (vec!["add 1 m1"], false),
        (vec![], false),
    ] {
        let answer = world.sync(&request).await.unwrap();
        assert_eq!(
            (told(&answer), answer.more_available),
            (expected.iter().map(|s| (*s).into()).collect(), more)
        );
        request.key = answer.key;
    }
}

#[tokio::test]
async fn with_nothing_new_it_costs_one_call_and_no_write_and_the_key_stays() {
    let world = World::new().await;
    world.arrive("one");
    let (inbox, key) = world.in_step().await;
    for _ in 0..3 {
        let answer = world.sync(&CollectionRequest::new(inbox, key.clone())).await.unwrap();
        assert_eq!(answer.key, key);
        assert_eq!(answer.changes, []);
        assert_eq!(world.system.take_calls(), [Call::Changes]);
        assert_eq!(world.store.take_writes(), 0);
    }
}

#[tokio::test]
async fn what_concerns_no_item_of_the_phone_moves_the_token_and_not_the_key() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    let passing = world.arrive("passing");
    let place = world.place(Role::Inbox);
    world.system.delete(&world.user, &place, &passing).unwrap();
    let answer = world.sync(&CollectionRequest::new(inbox, key.clone())).await.unwrap();
    assert_eq!((answer.key, answer.changes), (key.clone(), vec![]));
    assert_eq!(world.store.take_writes(), 1, "so that a Ping does not see it as news for ever");
    assert_eq!(world.engine.changed_folders(world.session(), &[inbox]).await.unwrap(), []);
}

#[tokio::test]
async fn marks_arrivals_and_deletions_elsewhere_are_told() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    world.mark(&one, &read());
    let place = world.place(Role::Inbox);
    world.system.delete(&world.user, &place, &two).unwrap();
    world.arrive("three");
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    assert_eq!(told(&answer), ["delete 2", "change 1 read", "add 3 three"]);
}

#[tokio::test]
async fn what_does_not_fit_is_told_later_whatever_it_is() {
    let world = World::new().await;
    let items: Vec<_> = (1..=4).map(|n| world.arrive(&format!("m{n}"))).collect();
    let (inbox, key) = world.in_step().await;
    let place = world.place(Role::Inbox);
    for item in &items[..2] {
        world.system.delete(&world.user, &place, item).unwrap();
    }
    for item in &items[2..] {
        world.mark(item, &read());
    }
    world.arrive("m5");
    let mut request = CollectionRequest::new(inbox, key);
    request.window.items = 1;
    for (expected, more) in [
        ("delete 1", true),
        ("delete 2", true),
        ("change 3 read", true),
        ("change 4 read", true),
        ("add 5 m5", false),
    ] {
        let answer = world.sync(&request).await.unwrap();
        assert_eq!((told(&answer), answer.more_available), (vec![expected.into()], more));
        request.key = answer.key;
    }
}

#[tokio::test]
async fn an_answer_ends_when_its_bytes_are_reached_but_never_empty() {
    let world = World::new().await;
    let inbox_place = world.place(Role::Inbox);
    for n in 1..=3 {
        let big = [message(&format!("m{n}")), vec![b'x'; 10_000].into()].concat();
        let flags = dme_model::Flags::default();
        world.system.insert(&world.user, &inbox_place, big, flags, world.now).unwrap();
    }
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let mut request = CollectionRequest::new(inbox, key);
    let whole = BodyPreference {
        kind: BodyKind::Plain,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![whole], ..BodyView::default() };
    request.options = Some(CollectionOptions { view, ..CollectionOptions::default() });
    for (bytes, expected) in [(15_000, 2), (1, 1)] {
        request.window = Window { items: 100, bytes };
        let answer = world.sync(&request).await.unwrap();
        assert_eq!((answer.changes.len(), answer.more_available), (expected, expected == 2));
        request.key = answer.key;
        request.options = None;
    }
}

#[tokio::test]
async fn options_hold_until_others_are_given() {
    let world = World::new().await;
    let inbox = world.folder(Role::Inbox).await;
    let html = BodyPreference {
        kind: BodyKind::Html,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![html], ..BodyView::default() };
    let mut request = CollectionRequest::new(inbox, SyncKey::initial());
    request.options = Some(CollectionOptions { view, ..CollectionOptions::default() });
    let mut key = world.sync(&request).await.unwrap().key;
    world.arrive("one");
    let nothing = CollectionOptions::default();
    for (options, kind) in
        [(None, BodyKind::Html), (Some(nothing), BodyKind::Plain), (None, BodyKind::Plain)]
    {
        world.arrive("another");
        let mut request = CollectionRequest::new(inbox, key);
        request.options = options;
        let answer = world.sync(&request).await.unwrap();
        for change in &answer.changes {
            let ServerChange::Add(_, Item::Mail(mail)) = change else { panic!("{change:?}") };
            assert_eq!(mail.body.as_ref().map(|body| body.kind), Some(kind));
        }
        key = answer.key;
    }
}

#[tokio::test]
async fn the_phones_own_changes_are_not_told_to_it() {
    let world = World::new().await;
    let items: Vec<_> = (1..=3).map(|n| world.arrive(&format!("m{n}"))).collect();
    let (inbox, key) = world.in_step().await;
    let commands = vec![
        ClientCommand::Change(items[0].clone(), read()),
        ClientCommand::Delete(items[1].clone()),
    ];
    let answer = world.sync(&with(inbox, &key, commands)).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done, CommandResult::Done]);
    assert_eq!(told(&answer), Vec::<String>::new());
    assert_ne!(answer.key, key, "the phone hears that its changes arrived");
    assert!(world.marks(&items[0]).seen);
    let next = world.sync(&CollectionRequest::new(inbox, answer.key.clone())).await.unwrap();
    assert_eq!((next.key, next.changes), (answer.key, vec![]));
}

#[tokio::test]
async fn two_changes_of_one_item_are_one_and_the_later_counts() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    let unread = FlagPatch { seen: Some(false), ..FlagPatch::default() };
    let flag = FlagPatch { followup: Some(Followup::Active), ..read() };
    let commands = [flag, unread].map(|patch| ClientCommand::Change(item.clone(), patch));
    let answer = world.sync(&with(inbox, &key, commands.into())).await.unwrap();
    assert_eq!(answer.results, [CommandResult::Done, CommandResult::Done]);
    assert_eq!((world.marks(&item).seen, world.marks(&item).followup), (false, Followup::Active));
}

#[tokio::test]
async fn a_deletion_goes_to_the_trash_and_from_there_for_good() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    world.sync(&with(inbox, &key, vec![ClientCommand::Delete(one)])).await.unwrap();
    assert_eq!((world.items(Role::Inbox).len(), world.items(Role::Trash).len()), (1, 1));

    let trash = world.folder(Role::Trash).await;
    let trash_key = world.begin(trash).await;
    let in_trash = world.items(Role::Trash).remove(0);
    let command = ClientCommand::Delete(in_trash);
    world.sync(&with(trash, &trash_key, vec![command])).await.unwrap();
    assert_eq!(world.items(Role::Trash), []);

    let key = world.begin(inbox).await;
    let mut request = with(inbox, &key, vec![ClientCommand::Delete(two)]);
    request.deletion = Deletion::ForGood;
    world.sync(&request).await.unwrap();
    assert_eq!((world.items(Role::Inbox), world.items(Role::Trash)), (vec![], vec![]));
}

#[tokio::test]
async fn a_draft_gets_its_id_and_is_not_told_again() {
    let world = World::new().await;
    let drafts = world.folder(Role::Drafts).await;
    let key = world.begin(drafts).await;
    let add = ClientCommand::AddDraft(ClientId("c1".into()), message("draft").into());
    let answer = world.sync(&with(drafts, &key, vec![add])).await.unwrap();
    let [item] = world.items(Role::Drafts).try_into().unwrap();
    assert_eq!(answer.results, [CommandResult::Added(item.clone().into())]);
    assert_eq!(told(&answer), Vec::<String>::new());

    let change = ClientCommand::ChangeDraft(item.clone(), message("better").into());
    let answer = world.sync(&with(drafts, &answer.key, vec![change])).await.unwrap();
    let [newer] = world.items(Role::Drafts).try_into().unwrap();
    assert_eq!(answer.results, [CommandResult::Replaced(newer.clone().into())]);
    assert_eq!(told(&answer), [format!("delete {item}"), format!("add {newer} better")]);
}

#[tokio::test]
async fn a_fetch_gives_the_item_as_the_options_said_last_and_only_what_the_phone_has() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    let fetch = || vec![ClientCommand::Fetch("99".into()), ClientCommand::Fetch(item.clone())];
    let html = BodyPreference {
        kind: BodyKind::Html,
        truncation: None,
        all_or_none: false,
        preview: None,
    };
    let view = BodyView { preferences: vec![html], ..BodyView::default() };
    let options = CollectionOptions { view, ..CollectionOptions::default() };

    // Nothing was said yet: the whole text, as it was written.
    let answer = world.sync(&with(inbox, &key, fetch())).await.unwrap();
    assert_eq!(answer.results[0], CommandResult::NotFound);
    let kind = |result: &CommandResult| match result {
        CommandResult::Fetched(Item::Mail(mail)) => mail.body.as_ref().map(|body| body.kind),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind(&answer.results[1]), Some(BodyKind::Plain));
    let request = CollectionRequest { options: Some(options), ..with(inbox, &answer.key, fetch()) };
    let answer = world.sync(&request).await.unwrap();
    assert_eq!(kind(&answer.results[1]), Some(BodyKind::Html));
    let answer = world.sync(&with(inbox, &answer.key, fetch())).await.unwrap();
    assert_eq!(kind(&answer.results[1]), Some(BodyKind::Html));
}

#[tokio::test]
async fn a_new_item_has_a_body_also_where_none_was_asked_for() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    world.arrive("one");
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    let [ServerChange::Add(_, Item::Mail(mail))] = &answer.changes[..] else {
        panic!("{answer:?}")
    };
    assert!(mail.body.as_ref().is_some_and(|body| !body.data.is_empty()));
}

#[tokio::test]
async fn what_is_held_back_comes_when_it_is_wanted() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.arrive("two");
    let mut request = with(inbox, &key, vec![ClientCommand::Change(item, read())]);
    request.changes = Changes::Hold;
    let answer = world.sync(&request).await.unwrap();
    assert_eq!((told(&answer), answer.more_available), (vec![], false));
    let answer = world.sync(&CollectionRequest::new(inbox, answer.key)).await.unwrap();
    assert_eq!(told(&answer), ["add 2 two"]);
}

#[tokio::test]
async fn a_foreign_or_old_key_is_refused_for_this_folder_alone() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    let sent = world.folder(Role::Sent).await;
    let sent_key = world.begin(sent).await;
    for wrong in ["", "1", "abc", "6b49d200-99", "-", sent_key.as_str()] {
        let refused = world.sync(&CollectionRequest::new(inbox, wrong.into())).await;
        let own = wrong == key.as_str();
        assert_eq!(refused == Err(Error::InvalidKey), !own, "{wrong}");
    }
    assert!(world.sync(&CollectionRequest::new(sent, sent_key)).await.is_ok());
    let nowhere = CollectionRequest::new(FolderNo(99), SyncKey::initial());
    assert_eq!(world.sync(&nowhere).await, Err(Error::FolderNotFound(FolderNo(99))));
}

#[tokio::test]
async fn an_invalid_token_means_a_new_beginning_before_any_command_is_carried_out() {
    let world = World::new().await;
    let item = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.system.invalidate(&world.user, &world.place(Role::Inbox)).unwrap();
    world.system.take_calls();
    let refused = world.sync(&with(inbox, &key, vec![ClientCommand::Delete(item)])).await;
    assert_eq!(refused, Err(Error::InvalidKey));
    assert_eq!(world.system.take_calls(), [Call::Changes]);
    let key = world.begin(inbox).await;
    assert!(world.sync(&CollectionRequest::new(inbox, key)).await.is_ok());
}

#[tokio::test]
async fn a_fetch_that_breaks_off_still_brings_the_phone_further() {
    let world = World::new().await;
    for n in 1..=4 {
        world.arrive(&format!("m{n}"));
    }
    let inbox = world.folder(Role::Inbox).await;
    let key = world.sync(&CollectionRequest::new(inbox, SyncKey::initial())).await.unwrap().key;
    let lost = dme_mailbox::Error::new(ErrorKind::Unavailable, "gone");
    world.system.fail_when(move |call| (call == Call::Fetch).then(|| Failure::After(lost.clone())));
    let answer = world.sync(&CollectionRequest::new(inbox, key)).await.unwrap();
    assert_eq!(
        (told(&answer), answer.more_available),
        (vec!["add 4 m4".into(), "add 3 m3".into()], true)
    );
    world.system.heal();
    let answer = world.sync(&CollectionRequest::new(inbox, answer.key)).await.unwrap();
    assert_eq!(told(&answer), ["add 2 m2", "add 1 m1"]);
}

#[tokio::test]
async fn a_mail_system_that_is_down_is_an_error_and_changes_nothing() {
    let world = World::new().await;
    world.arrive("one");
    let (inbox, key) = world.in_step().await;
    let down = dme_mailbox::Error::new(ErrorKind::Unavailable, "down");
    world.system.fail_next(1, &Failure::Before(down.clone()));
    let request = CollectionRequest::new(inbox, key.clone());
    assert_eq!(world.sync(&request).await, Err(Error::Mailbox(down)));
    assert_eq!(world.store.take_writes(), 0);
    assert_eq!(world.sync(&request).await.unwrap().key, key);
}

#[tokio::test]
async fn more_commands_than_the_limit_are_refused() {
    let world = World::new().await;
    let (inbox, key) = world.in_step().await;
    let commands = vec![ClientCommand::Delete("1".into()); 2_001];
    let refused = world.sync(&with(inbox, &key, commands)).await;
    assert_eq!(refused, Err(Error::TooManyCommands { given: 2_001, limit: 2_000 }));
}

#[tokio::test]
async fn the_estimate_is_what_a_sync_would_tell_and_changes_nothing() {
    let world = World::new().await;
    let one = world.arrive("one");
    let (inbox, key) = world.in_step().await;
    world.mark(&one, &read());
    world.arrive("two");
    for _ in 0..2 {
        let count = world.engine.estimate(world.session(), inbox, &key, None).await.unwrap();
        assert_eq!(count, 2);
    }
    assert_eq!(world.store.take_writes(), 0);
    let wrong = world.engine.estimate(world.session(), inbox, &"7".into(), None).await;
    assert_eq!(wrong, Err(Error::InvalidKey));
}

#[tokio::test]
async fn what_another_client_does_between_our_calls_is_told_too() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    let (other, user, place) = (world.system.clone(), world.user.clone(), world.place(Role::Inbox));
    world.system.fail_when(move |call| {
        if call == Call::SetFlags {
            other.set_flags(&user, &place, &two, &read()).unwrap();
        }
        None
    });
    let change = ClientCommand::Change(one, read());
    let answer = world.sync(&with(inbox, &key, vec![change])).await.unwrap();
    assert_eq!(told(&answer), ["change 2 read"]);
}

#[tokio::test]
async fn what_the_mail_system_refuses_is_set_right_on_the_phone() {
    let world = World::new().await;
    let (one, two) = (world.arrive("one"), world.arrive("two"));
    let (inbox, key) = world.in_step().await;
    let never = dme_mailbox::Error::new(ErrorKind::Forbidden, "read only");
    let refusal = never.clone();
    world.system.fail_when(move |call| {
        let writes = matches!(call, Call::SetFlags | Call::MoveItems);
        writes.then(|| Failure::Before(refusal.clone()))
    });
    let commands = vec![ClientCommand::Change(one, read()), ClientCommand::Delete(two)];
    let answer = world.sync(&with(inbox, &key, commands)).await.unwrap();
    let refused = CommandResult::Refused(never);
    assert_eq!(answer.results, [refused.clone(), refused]);
    assert_eq!(told(&answer), ["change 1 unread", "add 2 two"]);
}
