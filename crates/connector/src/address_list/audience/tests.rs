use super::*;
use async_trait::async_trait;
use dme_directory::{
    Error, Everyone, Group, GroupId, GroupSnapshot, PeopleFound, PeopleSearch, Person, Standing,
    Verdict,
};
use dme_model::Secret;
use std::sync::Mutex as SyncMutex;

/// A directory in which Ann is in `sales`, and this is in what it says.
struct Directory(SyncMutex<Result<GroupSnapshot>>);

#[async_trait]
impl DirectoryService for Directory {
    async fn authenticate(&self, _: &UserId, _: &Secret) -> Result<Verdict> {
        Ok(Verdict::Unknown)
    }

    async fn find(&self, user: &UserId) -> Result<Option<Person>> {
        Ok(Some(Person {
            user: user.clone(),
            address: user.to_string(),
            display_name: None,
            groups: vec![GroupId("cn=sales".into())],
            standing: Standing::Active,
        }))
    }

    async fn groups(&self) -> Result<GroupSnapshot> {
        self.0.lock().unwrap().clone()
    }

    async fn search(&self, _: &PeopleSearch) -> Result<PeopleFound> {
        Ok(PeopleFound::default())
    }

    async fn everyone(&self, _: &UserId, _: u32) -> Result<Everyone> {
        Ok(Everyone::default())
    }
}

/// Sales, which is in these, and staff.
fn groups(parents: &[&str]) -> GroupSnapshot {
    let group = |name: &str, parents: &[&str]| Group {
        id: GroupId(format!("cn={name}")),
        name: name.to_owned(),
        parents: parents.iter().map(|name| GroupId(format!("cn={name}"))).collect(),
    };
    let groups = vec![group("sales", parents), group("staff", &[])];
    GroupSnapshot { groups, ..GroupSnapshot::default() }
}

fn staff(directory: &Arc<Directory>) -> Audience {
    Audience::new(Users::Groups(vec!["staff".into()]), directory.clone())
}

fn ann() -> UserId {
    UserId::from("ann@example.org")
}

#[tokio::test(start_paused = true)]
async fn who_leaves_is_not_shown_it_a_minute_later() {
    let directory = Arc::new(Directory(SyncMutex::new(Ok(groups(&["staff"])))));
    let audience = staff(&directory);
    assert_eq!(audience.has(&ann()).await, Ok(true));
    *directory.0.lock().unwrap() = Ok(groups(&[]));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(audience.has(&ann()).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn the_last_groups_hold_while_they_cannot_be_read() {
    let away = || Err(Error::Unavailable("away".into()));
    let directory = Arc::new(Directory(SyncMutex::new(away())));
    let audience = staff(&directory);
    assert_eq!(audience.has(&ann()).await, away().map(|_: GroupSnapshot| true));
    *directory.0.lock().unwrap() = Ok(groups(&["staff"]));
    assert_eq!(audience.has(&ann()).await, Ok(true), "asked again at once");
    *directory.0.lock().unwrap() = away();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(audience.has(&ann()).await, Ok(true));
}

#[test]
fn names_that_are_no_group_are_told() {
    let names = ["Staff", "cn=sales", "stuff"].map(str::to_owned);
    let wrong = Users::Groups(names.to_vec()).wrong_names(&GroupGraph::new(&[groups(&[])]));
    assert_eq!(wrong, [Reason::NoSuchGroup("stuff".into())]);
    assert_eq!(Users::Everyone.wrong_names(&GroupGraph::default()), []);
}
