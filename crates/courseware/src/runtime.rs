//! What showing and answering blocks needs besides the view of a course: stores, settings, scripts and locks.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use blobs::Blobs;
use capa::script::ScriptRunner;
use db::Db;
use identity::Identity;
use modulestore::ModuleStore;
use opaque_keys::{CourseKey, UsageKey, quote_slashes};

/// Settings that blocks show or are bound by.
#[derive(Debug, Clone, Default)]
pub struct RuntimeSettings {
    /// `PLATFORM_NAME`.
    pub platform_name: String,
    /// Address of the LMS, without a slash at the end.
    pub lms_url: String,
    /// Address of Studio; empty hides links to it.
    pub studio_url: String,
    /// Address of the service that translates transcripts; empty without one.
    pub ai_translations_url: String,
    /// Whether absolute links that blocks make say https though the server speaks http.
    pub block_links_https: bool,
    /// Whether staff see debug dialogs below blocks.
    pub staff_debug: bool,
}

/// Runs the scripts of one request.
pub type Scripts = Arc<dyn ScriptRunner + Send + Sync>;

/// Makes what runs the scripts of one request, which share a deadline.
pub type ScriptSource = Arc<dyn Fn(Instant) -> Scripts + Send + Sync>;

/// Time that the scripts of one request may take together (design.md, "Learner submits a problem").
const SCRIPT_TIME: Duration = Duration::from_secs(10);

/// Shows blocks and answers their requests. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    /// System of record.
    pub db: Db,
    /// Courses and assets.
    pub store: ModuleStore,
    /// Transcripts and uploads.
    pub blobs: Blobs,
    /// Accounts: anonymous ids of learners.
    pub identity: Identity,
    /// Settings.
    pub settings: Arc<RuntimeSettings>,
    /// Runs scripts of problems; without it, problems with scripts say that they do not load.
    pub scripts: Option<ScriptSource>,
    locks: Arc<Locks>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("settings", &self.settings)
            .field("scripts", &self.scripts.is_some())
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// A runtime over stores.
    #[must_use]
    pub fn new(
        db: Db,
        store: ModuleStore,
        blobs: Blobs,
        identity: Identity,
        settings: RuntimeSettings,
        scripts: Option<ScriptSource>,
    ) -> Self {
        Self {
            db,
            store,
            blobs,
            identity,
            settings: Arc::new(settings),
            scripts,
            locks: Arc::default(),
        }
    }

    /// What runs the scripts of a request that starts now.
    pub(crate) fn scripts_of_request(&self) -> Option<Scripts> {
        let source = self.scripts.as_ref()?;
        Some(source(Instant::now() + SCRIPT_TIME))
    }

    /// Waits until no other request of this process works on the learner's state of a block.
    pub(crate) async fn lock(
        &self,
        user_id: i64,
        usage: &UsageKey,
    ) -> tokio::sync::OwnedMutexGuard<()> {
        self.locks
            .of(user_id, &usage.to_string())
            .lock_owned()
            .await
    }
}

type LockTable = HashMap<(i64, String), Weak<tokio::sync::Mutex<()>>>;

/// One lock for each learner and block that is worked on now. They keep requests of one process from undoing each
/// other; between processes the locked row does.
#[derive(Debug, Default)]
struct Locks {
    table: Mutex<LockTable>,
}

/// Entries after which those that nobody holds are dropped.
const SWEEP_AT: usize = 1024;

impl Locks {
    fn of(&self, user_id: i64, usage: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= SWEEP_AT {
            table.retain(|_, lock| lock.strong_count() > 0);
        }
        let entry = table.entry((user_id, usage.to_owned())).or_default();
        if let Some(lock) = entry.upgrade() {
            return lock;
        }
        let lock = Arc::default();
        *entry = Arc::downgrade(&lock);
        lock
    }
}

/// Address of a handler of a block, without a slash at the end.
#[must_use]
pub fn handler_url(usage: &UsageKey, name: &str, suffix: &str) -> String {
    let course = usage.course_key();
    let usage = quote_slashes(&usage.to_string());
    let slash = if suffix.is_empty() { "" } else { "/" };
    format!("/courses/{course}/xblock/{usage}/handler/{name}{slash}{suffix}")
}

/// A course's key as addresses write it.
pub(crate) fn course_text(course: &CourseKey) -> String {
    records::keys::course_text(course)
}

#[cfg(test)]
mod tests {
    use course_model::unique_id;
    use opaque_keys::unquote_slashes;

    use super::*;

    /// courseware.md §1.5 and §17, check 9.
    #[test]
    fn handler_quoting_goes_both_ways() {
        let key = "i4x://Acme/Bio/problem/p;1";
        assert_eq!(quote_slashes(key), "i4x:;_;_Acme;_Bio;_problem;_p;;1");
        assert_eq!(unquote_slashes(&quote_slashes(key)), key);
        let key = "block-v1:Acme+Bio+R1+type@problem+block@p1";
        assert_eq!(quote_slashes(key), key);
    }

    /// The id that the recorded platform gave a discussion without one.
    #[test]
    fn a_made_up_id_is_the_recorded_one() {
        let usage = UsageKey::parse(
            "block-v1:OpenedX+DemoX+DemoCourse+type@discussion+block@01b57eb7ba284241bd61462a99798516",
        )
        .unwrap();
        let id = unique_id(&usage, "discussion_id");
        assert_eq!(id, "b51022f7e50af3870802e6e21d09c342eb6b17b4");
    }

    #[tokio::test]
    async fn a_lock_is_shared_by_those_who_hold_it() {
        let locks = Locks::default();
        let held = locks.of(1, "a").lock_owned().await;
        assert!(locks.of(1, "a").try_lock().is_err());
        assert!(locks.of(2, "a").try_lock().is_ok());
        drop(held);
        assert!(locks.of(1, "a").try_lock().is_ok());
    }
}
