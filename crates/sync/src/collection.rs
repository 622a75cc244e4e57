//! Sync of one collection (rules S1 to S6).
//!
//! A request goes on from one of two generations (see `state`): the current one, or, when the
//! phone lost an answer and repeats itself, the one before. It asks the mail system what changed
//! (`work`, `asking`), carries out what the phone did (`commands`), and takes into the answer as much as
//! fits (`window`). What the phone then holds is the next generation.

mod asking;
mod commands;
mod deleting;
mod fetching;
mod marking;
mod meetings;
mod placeholder;
mod reading;
mod request;
mod sending;
mod state;
mod window;
mod work;
mod writing;

pub use request::{
    Changes, ClientCommand, ClientId, CollectionAnswer, CollectionOptions, CollectionRequest,
    CommandResult, ConflictRule, Deletion, FilterAge, Meant, Outgoing, Saved, ServerChange, Window,
    Written,
};
pub(crate) use state::State;
pub use window::item_size;

use crate::key::GenerationNo;
use crate::locks::Lock;
use crate::{Engine, Error, FolderNo, Result, Session, Slot, SyncKey, TraceEntry, TraceEvent};
use commands::Commands;
use dme_model::CollectionId;
use state::{Base, Generation};
use std::collections::HashMap;
use work::Work;

/// Bytes of a new item's body where the phone never said how much it wants: what fills a screen
/// many times over, and no more. The rest can be fetched.
pub const UNASKED: u64 = 32 * 1024;

impl Engine {
    /// Carries out what the phone did in a collection and tells it what changed there.
    ///
    /// With key 0 the answer is only a new key. With nothing new and no commands it costs one
    /// call to the mail system and no write, and the key stays. With the key before the last one
    /// (the phone lost an answer) the same is answered again and no command is carried out twice.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] and [`Error::FolderNotFound`] concern this collection alone. With
    /// any other error the phone may repeat the very same request.
    pub async fn sync_collection(
        &self,
        session: Session<'_>,
        request: &CollectionRequest,
    ) -> Result<CollectionAnswer> {
        let (given, limit) = (request.commands.len(), self.limits.commands);
        if given > limit {
            return Err(Error::TooManyCommands { given, limit });
        }
        let slot = Slot::Collection(request.folder);
        let _one_at_a_time = self.locks.lock(Lock::State(session.device.clone(), slot)).await;
        let (collection, state) = self.load_state(session, request.folder).await?;
        if request.key.is_initial() {
            return self.begin(session, request, state).await;
        }
        let mut trace = Vec::new();
        let synced = match &state {
            Some(state) => self.go_on(session, request, &collection, state, &mut trace).await,
            None => Err(Error::InvalidKey),
        };
        if matches!(synced, Err(Error::InvalidKey)) && trace.is_empty() {
            let event = TraceEvent::Resync { reason: "the sync key is unknown".into() };
            trace.push(TraceEntry { at: session.now, folder: request.folder, event });
        }
        if !trace.is_empty() {
            self.store.record(session.device, &trace).await?;
        }
        let (mut answer, next) = synced?;
        answer.noted = trace;
        if state.as_ref() != Some(&next) {
            self.store.save(session.device, slot, next.to_bytes()).await?;
        }
        Ok(answer)
    }

    /// The collection and the state a folder number stands for.
    pub(crate) async fn load_state(
        &self,
        session: Session<'_>,
        folder: FolderNo,
    ) -> Result<(CollectionId, Option<State>)> {
        let found = self.store.load_collection(session.device, folder).await?;
        let (collection, bytes) = found.ok_or(Error::FolderNotFound(folder))?;
        Ok((collection, bytes.as_deref().and_then(State::from_bytes)))
    }

    /// Key 0: forget what the phone held.
    async fn begin(
        &self,
        session: Session<'_>,
        request: &CollectionRequest,
        earlier: Option<State>,
    ) -> Result<CollectionAnswer> {
        let no = GenerationNo::begin(session.now, earlier.map(|state| state.current.no));
        let class = self.folder_class(session, request.folder).await?;
        let mut state = State::begin(no, class, request.options.clone().unwrap_or_default());
        state.supported.clone_from(&request.supported);
        let slot = Slot::Collection(request.folder);
        self.store.save(session.device, slot, state.to_bytes()).await?;
        Ok(CollectionAnswer {
            key: SyncKey::of(no),
            results: Vec::new(),
            changes: Vec::new(),
            more_available: false,
            noted: Vec::new(),
        })
    }

    /// A key of ours: the answer, and the state after it.
    async fn go_on(
        &self,
        session: Session<'_>,
        request: &CollectionRequest,
        collection: &CollectionId,
        state: &State,
        trace: &mut Vec<TraceEntry>,
    ) -> Result<(CollectionAnswer, State)> {
        let (base, from) = state.base(&request.key)?;
        let mut next = state.clone();
        if let Some(options) = &request.options {
            next.options = options.clone();
        }
        let mut commands = Commands::new(&request.commands, base, &state.applied, request.window);
        let mut work = Work {
            engine: self,
            session,
            folder: request.folder,
            collection,
            class: state.class,
            conflict: next.options.conflict,
            notify: request.notify,
            generation: from.clone(),
            marks: HashMap::new(),
            asked: false,
            trace: Vec::new(),
        };
        let worked = work.sync(request, &next.options, &mut commands).await;
        trace.append(&mut work.trace);
        let changes = worked?;
        work.note_asked();

        let more_available = request.changes == Changes::Send && !work.generation.is_settled();
        let silent = changes.is_empty() && request.commands.is_empty();
        let key = next.advance(base, work.generation, &commands, silent);
        let results = commands.results();
        let noted = Vec::new();
        Ok((CollectionAnswer { key, results, changes, more_available, noted }, next))
    }

    /// How many changes a Sync would tell (`GetItemEstimate`, MS-ASCMD 2.2.1.9). `filter` as in
    /// the request's options; none: as remembered.
    ///
    /// # Errors
    /// As [`Engine::sync_collection`].
    pub async fn estimate(
        &self,
        session: Session<'_>,
        folder: FolderNo,
        key: &SyncKey,
        filter: Option<FilterAge>,
    ) -> Result<u64> {
        let (collection, state) = self.load_state(session, folder).await?;
        let state = state.ok_or(Error::InvalidKey)?;
        let (_, generation) = state.base(key)?;
        let mut work = Work {
            engine: self,
            session,
            folder,
            collection: &collection,
            class: state.class,
            conflict: state.options.conflict,
            notify: false,
            generation: generation.clone(),
            marks: HashMap::new(),
            asked: false,
            trace: Vec::new(),
        };
        let options = CollectionOptions {
            filter: filter.unwrap_or(state.options.filter),
            ..state.options.clone()
        };
        work.refresh(&options).await?;
        Ok(work.generation.outstanding() as u64)
    }

    /// What holds for a folder: what the phone said last of filter, view and conflicts, and of the
    /// elements it knows when it began the folder.
    ///
    /// # Errors
    /// The store's.
    pub async fn held(
        &self,
        session: Session<'_>,
        folder: FolderNo,
    ) -> Result<(CollectionOptions, Option<String>)> {
        let state = match self.load_state(session, folder).await {
            Ok((_, state)) => state,
            Err(Error::FolderNotFound(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(state.map(|state| (state.options, state.supported)).unwrap_or_default())
    }

    /// The key a folder is at, for requests that leave it out (empty and `Partial` Sync). None
    /// where the phone never began the folder.
    ///
    /// # Errors
    /// The store's.
    pub async fn current_key(
        &self,
        session: Session<'_>,
        folder: FolderNo,
    ) -> Result<Option<SyncKey>> {
        match self.load_state(session, folder).await {
            Ok((_, state)) => Ok(state.map(|state| SyncKey::of(state.current.no))),
            Err(Error::FolderNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Work<'_> {
    /// The request itself; what is left of the generation afterwards is what the phone holds.
    async fn sync(
        &mut self,
        request: &CollectionRequest,
        options: &CollectionOptions,
        commands: &mut Commands<'_>,
    ) -> Result<Vec<ServerChange>> {
        if request.changes == Changes::Hold && request.commands.is_empty() {
            return Ok(Vec::new());
        }
        self.recall(commands);
        if !self.can_wait(request, options) {
            self.refresh(options).await?;
        }
        if commands.any_new() {
            self.carry_out(commands, request.deletion, &options.view).await?;
        }
        if commands.effective
            && let Err(error) = self.take_changes(&commands.echoes).await
        {
            // What was done stands; its echoes come with the next request, as news.
            tracing::debug!(%error, "the mail system did not tell what the commands changed");
        }
        match request.changes {
            Changes::Hold => Ok(Vec::new()),
            Changes::Send => {
                let view = options.view.or_native(Some(UNASKED));
                let window = Window { bytes: commands.left, ..request.window };
                let mut told = self.take_window(window, &view).await;
                let none = matches!(&told, Ok(told) if told.is_empty());
                if none && !self.asked && self.generation.outstanding() == 0 {
                    // All that was still to be told is gone meanwhile.
                    self.refresh(options).await?;
                    told = self.take_window(window, &view).await;
                }
                Box::pin(self.take_meetings_in()).await;
                match told {
                    // What was carried out is answered first; the rest can be asked for again.
                    Err(_) if commands.effective => Ok(Vec::new()),
                    told => told,
                }
            }
        }
    }
}

impl State {
    /// Goes on to what the phone holds after this answer; says with which key.
    ///
    /// The key stays where the phone learns nothing and did nothing (`silent`), and where a
    /// repeated request is answered exactly as before.
    fn advance(
        &mut self,
        base: Base,
        mut reached: Generation,
        commands: &Commands<'_>,
        silent: bool,
    ) -> SyncKey {
        let again = base == Base::Previous && !commands.effective && {
            reached.no = self.current.no;
            reached.asked = self.current.asked;
            reached == self.current
        };
        if base == Base::Current && silent {
            self.current = reached;
        } else if !again {
            reached.no = self.current.no.next();
            let left = std::mem::replace(&mut self.current, reached);
            if base == Base::Current {
                self.previous = Some(left);
                self.applied.clear();
            }
            for applied in commands.applied() {
                if !self.applied.contains(&applied) {
                    self.applied.push(applied);
                }
            }
        }
        SyncKey::of(self.current.no)
    }
}
