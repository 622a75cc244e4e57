//! What would become of whom, were connectors down.

use super::*;
use dme_directory::{GroupId, Standing};

const BOB: &str = "bob@example.org";

/// Of nobody is it known in which groups they are until the directory has told of them.
#[derive(Default)]
struct AsTold(Mutex<HashMap<UserId, Person>>);

impl Membership for AsTold {
    fn of_user(&self, user: &UserId, group: &str) -> Known {
        let told = self.0.lock().unwrap();
        told.get(user).map_or(Known::Unknown, |person| self.of_person(person, group))
    }

    fn of_person(&self, person: &Person, group: &str) -> Known {
        match person.groups.contains(&GroupId(group.to_owned())) {
            true => Known::Yes,
            false => Known::No,
        }
    }

    fn told(&self, person: &Person) {
        self.0.lock().unwrap().insert(person.user.clone(), person.clone());
    }
}

/// Ann is in the south, and Bob in no group.
fn person(user: &UserId) -> Person {
    let groups = match user.as_str() {
        ANN => vec![GroupId("south".into())],
        _ => Vec::new(),
    };
    let (address, standing) = (user.to_string(), Standing::Active);
    Person { user: user.clone(), address, display_name: None, groups, standing }
}

/// What would become of all without the connector "branch", in words.
async fn without_branch<F>(world: &World, find: impl Fn(UserId) -> F) -> Vec<String>
where
    F: Future<Output = Result<Person, String>>,
{
    let (request, down) = (RequestId::from("t"), ["branch".to_owned()].into());
    let moved = world.router.simulate(&down, &request, NOW, find).await.unwrap();
    let words = moved.into_iter().map(|Moved { user, from, to, .. }| {
        let against = |all: Vec<Judged>| {
            let each = all.iter().map(|one| format!("{}: {}", one.connector, one.objections[0]));
            each.collect::<Vec<_>>().join(", ")
        };
        let to = match to {
            Fate::Served(name) => name,
            Fate::Nobody(all) => format!("nobody; {}", against(all)),
            Fate::Unknown { why: Some(why), .. } => format!("not known; {why}"),
            Fate::Unknown { why: None, against: all } => format!("not known; {}", against(all)),
        };
        format!("{}: {from} to {to}", user.local_part())
    });
    words.collect()
}

/// Who is told by the directory at once.
async fn found(user: UserId) -> Result<Person, String> {
    Ok(person(&user))
}

/// Two connectors have everybody's mailbox. After a restart the second may serve a group, and no
/// phone has come yet.
async fn divided() -> (World, Arc<Site>) {
    let mut world = World::new(BTreeMap::new());
    world.link("branch", &[ANN, BOB]).await;
    for user in [ANN, BOB] {
        world.open(user).await.unwrap();
    }
    let scope = Some(Scope::Group("south".into()));
    let south = ConnectorSettings { scope, ..ConnectorSettings::default() };
    world.restarted_with(BTreeMap::from([("south".to_owned(), south)]), Arc::<AsTold>::default());
    world.link("branch", &[ANN, BOB]).await;
    let south = world.link("south", &[ANN, BOB]).await;
    (world, south)
}

#[tokio::test(start_paused = true)]
async fn a_simulation_tells_who_would_go_where_and_asks_those_who_could_take_them() {
    let world = World::new(BTreeMap::new());
    world.link("branch", &[ANN, BOB]).await;
    world.open(ANN).await.unwrap();
    world.open(BOB).await.unwrap();
    world.link("spare", &[ANN]).await;
    let moved = without_branch(&world, found).await;
    let nobody = "bob: branch to nobody; spare: it does not have the user's mailbox";
    assert_eq!(moved, ["ann: branch to spare", nobody]);
    assert_eq!(world.served_by(ANN).await.unwrap(), "branch", "it was only thought");
}

#[tokio::test(start_paused = true)]
async fn whose_phone_has_not_come_yet_the_directory_is_asked_about() {
    let (world, _) = divided().await;
    let moved = without_branch(&world, found).await;
    let nobody = "bob: branch to nobody; south: the user is outside its scope";
    assert_eq!(moved, ["ann: branch to south", nobody]);
}

#[tokio::test(start_paused = true)]
async fn whom_the_directory_cannot_tell_of_in_time_nobody_is_said_to_have_lost() {
    let (world, _) = divided().await;
    let failed = |user: UserId| async move {
        match user.as_str() {
            BOB => Err("the directory is busy".to_owned()),
            _ => Ok(person(&user)),
        }
    };
    let moved = without_branch(&world, failed).await;
    assert_eq!(moved, ["ann: branch to south", "bob: branch to not known; the directory is busy"]);

    let (world, _) = divided().await;
    let began = Instant::now();
    let moved = without_branch(&world, |_| std::future::pending()).await;
    assert_eq!(moved, ["ann", "bob"].map(|user| format!("{user}: branch to not known; {NO_TIME}")));
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_has_not_said_whether_a_mailbox_is_its_own_may_have_it() {
    let (world, south) = divided().await;
    south.hangs.store(true, Ordering::SeqCst);
    let moved = without_branch(&world, found).await;
    let unsaid = "south: it has not said whether it has the user's mailbox";
    assert_eq!(moved[0], format!("ann: branch to not known; {unsaid}"));
}
