//! Lock-out after failed logins: student_loginfailures (contracts/identity.md §6.1).

use chrono::{DateTime, TimeDelta, Utc};
use db::{Tx, params};

use crate::{Identity, Result, Settings};

/// State of a user's failed logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failures {
    /// Failures since the last success.
    pub count: i64,
    /// Whether the account is locked now.
    pub locked: bool,
}

impl Settings {
    fn locks_out(&self) -> bool {
        self.enable_max_failed_login_attempts
    }
}

impl Identity {
    /// Whether the account is locked now.
    pub(crate) async fn is_locked_out(&self, user_id: i64, now: DateTime<Utc>) -> Result<bool> {
        if !self.settings().locks_out() {
            return Ok(false);
        }
        let row = self
            .db()
            .read_one(
                "SELECT lockout_until FROM student_loginfailures WHERE user_id = ? \
                 ORDER BY id DESC LIMIT 1",
                &params![user_id],
            )
            .await?;
        Ok(match row {
            Some(row) => row
                .opt_datetime("lockout_until")?
                .is_some_and(|t| t > now.naive_utc()),
            None => false,
        })
    }

    /// Counts a failed login; at the limit the account is locked. The count outlives the end of a lock-out, so that
    /// the next failure locks again at once.
    pub(crate) async fn count_failure(&self, user_id: i64, now: DateTime<Utc>) -> Result<Failures> {
        let settings = self.settings();
        if !settings.locks_out() {
            return Ok(Failures {
                count: 0,
                locked: false,
            });
        }
        let until = (now
            + TimeDelta::try_seconds(settings.max_failed_login_attempts_lockout_period_secs)
                .unwrap_or_default())
        .naive_utc();
        let limit = settings.max_failed_login_attempts_allowed;
        let failures = self
            .db()
            .write(|mut tx| async move {
                let sql = format!(
                    "SELECT id, failure_count FROM student_loginfailures WHERE user_id = ? \
                     ORDER BY id DESC{}",
                    tx.dialect().for_update()
                );
                let rows = tx.read(&sql, &params![user_id]).await?;
                let Some(latest) = rows.first() else {
                    let locked = 1 >= limit;
                    tx.execute(
                        "INSERT INTO student_loginfailures (failure_count, lockout_until, user_id) \
                         VALUES (1, ?, ?)",
                        &params![locked.then_some(until), user_id],
                    )
                    .await?;
                    return Ok(Failures { count: 1, locked });
                };
                let id = latest.int("id")?;
                let count = latest.int("failure_count")? + 1;
                if rows.len() > 1 {
                    tx.execute(
                        "DELETE FROM student_loginfailures WHERE user_id = ? AND id <> ?",
                        &params![user_id, id],
                    )
                    .await?;
                }
                let locked = count >= limit;
                if locked {
                    tx.execute(
                        "UPDATE student_loginfailures SET failure_count = ?, lockout_until = ? \
                         WHERE id = ?",
                        &params![count, until, id],
                    )
                    .await?;
                } else {
                    tx.execute(
                        "UPDATE student_loginfailures SET failure_count = ? WHERE id = ?",
                        &params![count, id],
                    )
                    .await?;
                }
                Ok::<_, db::Error>(Failures { count, locked })
            })
            .await?;
        Ok(failures)
    }
}

/// Forgets a user's failures.
pub(crate) async fn clear(tx: &mut Tx, user_id: i64) -> db::Result<()> {
    tx.execute(
        "DELETE FROM student_loginfailures WHERE user_id = ?",
        &params![user_id],
    )
    .await
    .map(|_| ())
}
