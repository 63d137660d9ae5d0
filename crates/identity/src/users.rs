//! Accounts: finding, checking, making (contracts/identity.md §6, §7.1, §12).

use chrono::{DateTime, Utc};
use db::params;
use records::table::{Table, columns};
use records::users::{self, UserProfile};

pub use records::users::User;

use crate::{Error, Identity, Result, passwords, random};

/// Characters of an activation key.
const ACTIVATION_KEY_LENGTH: usize = 32;

/// An account to make. What is not given is empty.
#[derive(Debug, Clone, Default)]
pub struct NewUser {
    /// Username, already validated.
    pub username: String,
    /// E-mail address; its domain is lower-cased.
    pub email: String,
    /// Password in clear; none makes it unusable.
    pub password: Option<String>,
    /// Full name.
    pub name: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Active at once.
    pub is_active: bool,
    /// Global staff.
    pub is_staff: bool,
    /// Superuser.
    pub is_superuser: bool,
    /// Further profile fields.
    pub profile: UserProfile,
    /// Preference `pref-lang`, if known.
    pub language: Option<String>,
}

/// How pages address a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Persona {
    /// Full name of the profile; empty without one.
    pub name: String,
    /// Preference `time_zone`.
    pub time_zone: Option<String>,
    /// Preference `pref-lang`.
    pub language: Option<String>,
}

/// A user with what decides whether credentials may still be used.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub user: User,
    pub persona: Persona,
    /// student_userstanding says `disabled`.
    pub disabled: bool,
    /// Owns an OAuth application: such service users have no password and still work.
    pub owns_application: bool,
}

impl Account {
    /// Whether every credential of the account is refused: disabled standing, or an unusable password (retired
    /// accounts have one) without an application (§5.2, §14).
    pub fn is_closed(&self) -> bool {
        self.disabled
            || (!django_compat::passwords::is_usable(&self.user.password) && !self.owns_application)
    }
}

impl Identity {
    /// The account of an id, with its standing: one statement.
    pub(crate) async fn account_by_id(&self, id: i64) -> Result<Option<Account>> {
        self.find_account("u.id = ?", &params![id]).await
    }

    /// The account of a username, compared as the column's collation does.
    pub(crate) async fn account_by_username(&self, username: &str) -> Result<Option<Account>> {
        self.find_account("u.username = ?", &params![username])
            .await
    }

    async fn find_account(&self, condition: &str, values: &[db::Value]) -> Result<Option<Account>> {
        let sql = format!(
            "SELECT {}, st.account_status AS standing, \
             EXISTS (SELECT 1 FROM oauth2_provider_application a WHERE a.user_id = u.id) \
             AS owns_application, p.name AS persona_name, \
             (SELECT MAX(f.value) FROM user_api_userpreference f \
             WHERE f.user_id = u.id AND f.`key` = 'time_zone') AS time_zone, \
             (SELECT MAX(f.value) FROM user_api_userpreference f \
             WHERE f.user_id = u.id AND f.`key` = 'pref-lang') AS pref_lang \
             FROM auth_user u LEFT JOIN student_userstanding st ON st.user_id = u.id \
             LEFT JOIN auth_userprofile p ON p.user_id = u.id \
             WHERE {condition}",
            columns::<User>("u.")
        );
        let Some(row) = self.db().read_one(&sql, values).await? else {
            return Ok(None);
        };
        Ok(Some(Account {
            user: User::from_row(&row)?,
            persona: Persona {
                name: row.opt_text("persona_name")?.unwrap_or_default(),
                time_zone: row.opt_text("time_zone")?,
                language: row.opt_text("pref_lang")?,
            },
            disabled: row.opt_text("standing")?.as_deref() == Some("disabled"),
            owns_application: row.bool("owns_application")?,
        }))
    }

    /// Checks a username or e-mail address with a password, as the password grant does (§4.3): inactive users pass,
    /// lock-outs are not consulted. An unknown user costs the same time. A hash of an old kind is renewed.
    pub async fn authenticate(&self, name: &str, password: &str) -> Result<Option<User>> {
        let user = match users::by_username(self.db(), name).await? {
            Some(user) => Some(user),
            None => users::by_email(self.db(), name).await?,
        };
        self.check_password(user, password).await
    }

    /// Checks a found (or not found) user's password and renews old hashes.
    pub(crate) async fn check_password(
        &self,
        user: Option<User>,
        password: &str,
    ) -> Result<Option<User>> {
        let password = django_compat::ids::nfkc(password);
        let iterations = self.settings().password_iterations;
        let Some(mut user) = user else {
            passwords::burn(password, iterations).await?;
            return Ok(None);
        };
        if !passwords::check(&password, &user.password, iterations).await? {
            return Ok(None);
        }
        if django_compat::passwords::must_update(&user.password, iterations) {
            user.password = passwords::encode(password, iterations).await?;
            let (id, encoded) = (user.id, user.password.as_str());
            self.db()
                .write(|mut tx| async move { users::set_password(&mut tx, id, encoded).await })
                .await?;
        }
        Ok(Some(user))
    }

    /// Makes an account with everything that the platform makes beside it: profile, activation key and language
    /// preference.
    ///
    /// # Errors
    /// [`Error::Taken`] when the username or e-mail address is in use.
    pub async fn create_user(&self, new: &NewUser, now: DateTime<Utc>) -> Result<User> {
        if users::by_username(self.db(), &new.username)
            .await?
            .is_some()
        {
            return Err(Error::Taken("username"));
        }
        let email = django_compat::ids::normalize_email(&new.email);
        if users::by_email(self.db(), &email).await?.is_some() {
            return Err(Error::Taken("email"));
        }
        let password = match &new.password {
            Some(password) => self.encode_password(password).await?,
            None => passwords::unusable()?,
        };
        let key = random::hex(ACTIVATION_KEY_LENGTH)?;
        let user = User {
            id: 0,
            password,
            last_login: None,
            is_superuser: new.is_superuser,
            username: new.username.clone(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            email,
            is_staff: new.is_staff,
            is_active: new.is_active,
            date_joined: now.naive_utc(),
        };
        let mut profile = UserProfile {
            name: new.name.clone(),
            ..new.profile.clone()
        };
        if profile.courseware.is_empty() {
            "course.xml".clone_into(&mut profile.courseware);
        }
        let (user, profile, key) = (&user, &profile, &key);
        let made = self
            .db()
            .write(|mut tx| async move {
                let mut user = user.clone();
                let mut profile = profile.clone();
                users::create(&mut tx, &mut user, &mut profile, Some(key)).await?;
                if let Some(language) = &new.language {
                    tx.execute(
                        "INSERT INTO user_api_userpreference (`key`, `value`, user_id) \
                         VALUES ('pref-lang', ?, ?)",
                        &params![language, user.id],
                    )
                    .await?;
                }
                Ok::<_, db::Error>(user)
            })
            .await;
        match made {
            Err(db::Error::Unique { message, .. }) => {
                Err(Error::Taken(if message.contains("email") {
                    "email"
                } else {
                    "username"
                }))
            }
            other => Ok(other?),
        }
    }

    /// Encodes a password in its normal form.
    pub async fn encode_password(&self, password: &str) -> Result<String> {
        let iterations = self.settings().password_iterations;
        passwords::encode(django_compat::ids::nfkc(password), iterations).await
    }

    /// Sets a new password; every session of the user ends with it, since their hash no longer fits.
    pub async fn set_password(&self, user_id: i64, password: &str) -> Result<()> {
        let encoded = self.encode_password(password).await?;
        let encoded = encoded.as_str();
        self.db()
            .write(|mut tx| async move {
                users::set_password(&mut tx, user_id, encoded).await?;
                tx.execute(
                    "DELETE FROM student_loginfailures WHERE user_id = ?",
                    &params![user_id],
                )
                .await
            })
            .await?;
        Ok(())
    }
}
