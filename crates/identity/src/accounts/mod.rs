//! The accounts API (contracts/identity.md §8).

mod codes;
mod lists;
mod name_change;
mod preferences;
mod python;
mod update;

pub use lists::PageQuery;
pub use preferences::PreferenceOutcome;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};
use db::{Value as Cell, params};
use records::users::{self, UserProfile};
use serde_json::{Map, Value, json};

use crate::{Identity, Reply, Result, User};

/// Preference that says who sees the account.
pub const ACCOUNT_PRIVACY: &str = "account_privacy";
/// Everybody sees it.
pub const ALL_USERS: &str = "all_users";
/// Nobody does.
pub const PRIVATE: &str = "private";
/// Field by field.
pub const CUSTOM: &str = "custom";
/// Most names in one request.
const MAX_NAMES: usize = 100;

const PUBLIC_FIELDS: [&str; 3] = ["account_privacy", "profile_image", "username"];
const BULK_FIELDS: [&str; 8] = [
    "bio",
    "course_certificates",
    "country",
    "date_joined",
    "language_proficiencies",
    "level_of_education",
    "social_links",
    "time_zone",
];

/// Everything that the accounts API shows of one user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub user: User,
    pub profile: UserProfile,
    pub preferences: BTreeMap<String, String>,
    pub languages: Vec<String>,
    pub social_links: Vec<(String, String)>,
    pub verified_name: Option<String>,
    pub pending_name: Option<String>,
    pub secondary_email: Option<(String, bool)>,
}

/// Verified name, name asked for, and recovery address with whether it is confirmed.
type Extras = (Option<String>, Option<String>, Option<(String, bool)>);

/// A moment without microseconds.
fn whole_seconds(moment: NaiveDateTime) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment as REST framework writes it.
pub(super) fn moment(moment: NaiveDateTime) -> String {
    if moment.nanosecond() / 1000 == 0 {
        whole_seconds(moment)
    } else {
        moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

/// An empty text is shown as null.
fn filled(text: Option<&String>) -> Value {
    text.filter(|text| !text.is_empty()).cloned().into()
}

impl Account {
    fn requires_parental_consent(&self, age_limit: i64, year: i32) -> bool {
        self.profile
            .year_of_birth
            .is_none_or(|born| i64::from(year) - born - 1 < age_limit)
    }
}

/// How much of an account a viewer gets.
enum View {
    Admin,
    Shared,
}

impl Identity {
    /// Accounts of users with all that belongs to them, in the order of the ids: seven statements for any number.
    pub(crate) async fn load_accounts(&self, found: Vec<User>) -> Result<Vec<Account>> {
        let ids: Vec<i64> = found.iter().map(|user| user.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let profiles: HashMap<i64, UserProfile> = users::profiles(self.db(), &ids)
            .await?
            .into_iter()
            .map(|profile| (profile.user_id, profile))
            .collect();
        let profile_ids: Vec<i64> = profiles.values().map(|profile| profile.id).collect();
        let mut preferences: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
        for row in self
            .rows_of(
                "SELECT user_id, `key`, `value` FROM user_api_userpreference WHERE user_id",
                &ids,
            )
            .await?
        {
            preferences
                .entry(row.int("user_id")?)
                .or_default()
                .insert(row.text("key")?, row.text("value")?);
        }
        let mut languages: HashMap<i64, Vec<String>> = HashMap::new();
        for row in self
            .rows_of(
                "SELECT user_profile_id, code FROM student_languageproficiency WHERE user_profile_id",
                &profile_ids,
            )
            .await?
        {
            languages.entry(row.int("user_profile_id")?).or_default().push(row.text("code")?);
        }
        let mut links: HashMap<i64, Vec<(String, String)>> = HashMap::new();
        for row in self
            .rows_of(
                "SELECT user_profile_id, platform, social_link FROM student_sociallink \
                 WHERE user_profile_id",
                &profile_ids,
            )
            .await?
        {
            links
                .entry(row.int("user_profile_id")?)
                .or_default()
                .push((row.text("platform")?, row.text("social_link")?));
        }
        let mut extras: HashMap<i64, Extras> = HashMap::new();
        for row in self
            .rows_of(
                "SELECT u.id AS user_id, p.new_name, r.secondary_email, r.is_active, \
                 (SELECT n.verified_name FROM nameaffirmation_verifiedname n \
                 WHERE n.user_id = u.id AND n.status = 'approved' \
                 ORDER BY n.created DESC, n.id DESC LIMIT 1) AS verified_name \
                 FROM auth_user u \
                 LEFT JOIN student_pendingnamechange p ON p.user_id = u.id \
                 LEFT JOIN auth_accountrecovery r ON r.user_id = u.id WHERE u.id",
                &ids,
            )
            .await?
        {
            let secondary = match row.opt_text("secondary_email")? {
                Some(email) => Some((email, row.bool("is_active")?)),
                None => None,
            };
            extras.insert(
                row.int("user_id")?,
                (
                    row.opt_text("verified_name")?,
                    row.opt_text("new_name")?,
                    secondary,
                ),
            );
        }
        Ok(found
            .into_iter()
            .map(|user| {
                let profile = profiles.get(&user.id).cloned().unwrap_or_default();
                let mut languages = languages.remove(&profile.id).unwrap_or_default();
                languages.sort();
                let mut social_links = links.remove(&profile.id).unwrap_or_default();
                social_links.sort();
                let (verified_name, pending_name, secondary_email) =
                    extras.remove(&user.id).unwrap_or_default();
                Account {
                    preferences: preferences.remove(&user.id).unwrap_or_default(),
                    languages,
                    social_links,
                    verified_name,
                    pending_name,
                    secondary_email,
                    user,
                    profile,
                }
            })
            .collect())
    }

    async fn rows_of(&self, select: &str, ids: &[i64]) -> Result<Vec<db::Row>> {
        let ids: Vec<Cell> = ids.iter().copied().map(Cell::from).collect();
        let mut out = Vec::new();
        for (marks, chunk) in db::in_chunks(&ids) {
            out.extend(
                self.db()
                    .read(&format!("{select} IN ({marks})"), &chunk)
                    .await?,
            );
        }
        Ok(out)
    }

    /// The account as one viewer may see it.
    fn account_json(&self, account: &Account, view: &View, now: DateTime<Utc>) -> Value {
        let all = self.all_fields(account, now);
        let field = |name: &str| all.get(name).cloned().unwrap_or(Value::Null);
        let mut out = Map::new();
        let mut add = |name: &str| out.insert(name.to_owned(), field(name));
        match view {
            View::Admin => return Value::Object(all),
            View::Shared => {
                for name in PUBLIC_FIELDS {
                    add(name);
                }
                match all.get(ACCOUNT_PRIVACY).and_then(Value::as_str) {
                    Some(ALL_USERS) => {
                        for name in BULK_FIELDS {
                            add(name);
                        }
                    }
                    Some(CUSTOM) => {
                        for name in BULK_FIELDS.iter().chain(&["name"]) {
                            let visibility = account.preferences.get(&format!("visibility.{name}"));
                            if visibility.map(String::as_str) == Some(ALL_USERS) {
                                add(name);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        Value::Object(out)
    }

    fn all_fields(&self, account: &Account, now: DateTime<Utc>) -> Map<String, Value> {
        let settings = self.settings();
        let (user, profile) = (&account.user, &account.profile);
        let consent =
            account.requires_parental_consent(settings.parental_consent_age_limit, now.year());
        let privacy = if consent {
            PRIVATE
        } else {
            account
                .preferences
                .get(ACCOUNT_PRIVACY)
                .map_or(ALL_USERS, String::as_str)
        };
        let images = settings.profile_images(&user.username, profile.profile_image_uploaded_at);
        let meta: Map<String, Value> = serde_json::from_str(&profile.meta).unwrap_or_default();
        let extended: Vec<Value> = settings
            .extended_profile_fields
            .iter()
            .map(|name| {
                let value = meta.get(name).cloned().unwrap_or_else(|| "".into());
                json!({ "field_name": name, "field_value": value })
            })
            .collect();
        let (secondary, secondary_enabled) = match &account.secondary_email {
            Some((email, active)) if settings.enable_secondary_email => {
                (json!(email), json!(active))
            }
            _ => (Value::Null, Value::Null),
        };
        let value = json!({
            "account_privacy": privacy,
            "profile_image": images.account_json(),
            "username": user.username,
            "bio": filled(profile.bio.as_ref()),
            "course_certificates": null,
            "country": filled(profile.country.as_ref()),
            "date_joined": whole_seconds(user.date_joined),
            "language_proficiencies":
                account.languages.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>(),
            "level_of_education": filled(profile.level_of_education.as_ref()),
            "social_links": account.social_links.iter()
                .map(|(platform, link)| json!({ "platform": platform, "social_link": link }))
                .collect::<Vec<_>>(),
            "time_zone": null,
            "name": profile.name,
            "email": user.email,
            "id": user.id,
            "verified_name": account.verified_name,
            "extended_profile": extended,
            "gender": filled(profile.gender.as_ref()),
            "state": filled(profile.state.as_ref()),
            "goals": profile.goals,
            "is_active": user.is_active,
            "last_login": user.last_login.map(moment),
            "mailing_address": profile.mailing_address,
            "requires_parental_consent": consent,
            "secondary_email": secondary,
            "secondary_email_enabled": secondary_enabled,
            "year_of_birth": profile.year_of_birth,
            "phone_number": profile.phone_number,
            // A secret: never given out (§14).
            "activation_key": null,
            "pending_name_change": account.pending_name,
        });
        match value {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn view_of(viewer: &User, account: &Account, shared: bool) -> View {
        if !shared && (viewer.id == account.user.id || viewer.is_staff) {
            View::Admin
        } else {
            View::Shared
        }
    }

    /// `GET /accounts/<username>[?view=shared]`: 200, or 404 empty.
    pub async fn account(
        &self,
        viewer: &User,
        username: &str,
        shared: bool,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let Some(user) = users::by_username(self.db(), username).await? else {
            return Ok(Reply::empty(404));
        };
        let accounts = self.load_accounts(vec![user]).await?;
        Ok(match accounts.first() {
            Some(account) => {
                let view = Self::view_of(viewer, account, shared);
                Reply::rest(200, self.account_json(account, &view, now))
            }
            None => Reply::empty(404),
        })
    }

    /// `GET /accounts?username=a,b`, or without parameter the viewer's own: a list; 404 empty when none is found.
    pub async fn accounts_by_username(
        &self,
        viewer: &User,
        names: Option<&str>,
        shared: bool,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let names: Vec<String> = match names {
            Some(names) => names
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .take(MAX_NAMES)
                .collect(),
            None => vec![viewer.username.clone()],
        };
        let found = users::by_usernames(self.db(), &names).await?;
        self.account_list(viewer, found, shared, now).await
    }

    /// `GET /accounts?email=`: staff only; a retired address says so.
    pub async fn accounts_by_email(
        &self,
        viewer: &User,
        email: &str,
        shared: bool,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !viewer.is_staff && !viewer.is_superuser {
            return Ok(forbidden());
        }
        let settings = self.settings();
        let found = users::by_email(self.db(), email).await?;
        if found.is_none() {
            let retired = django_compat::ids::all_retired_values(
                email,
                &settings.retired_user_salts,
                &settings.retired_email_fmt,
            );
            if let Some(user) = users::by_emails(self.db(), &retired)
                .await?
                .into_iter()
                .next()
            {
                return self.retired_reply(user.id, now).await;
            }
            return Ok(Reply::empty(404));
        }
        self.account_list(viewer, found.into_iter().collect(), shared, now)
            .await
    }

    async fn retired_reply(&self, user_id: i64, now: DateTime<Utc>) -> Result<Reply> {
        let row = self
            .db()
            .read_one(
                "SELECT s.id, s.created, t.state_name FROM user_api_userretirementstatus s \
                 JOIN user_api_retirementstate t ON t.id = s.current_state_id WHERE s.user_id = ?",
                &params![user_id],
            )
            .await?;
        let (id, cancellable) = match row {
            Some(row) => {
                let age = now.naive_utc() - row.datetime("created")?;
                let pending = row.text("state_name")? == "PENDING";
                (Some(row.int("id")?), pending && age.num_days() < 14)
            }
            None => (None, false),
        };
        Ok(Reply::rest(
            404,
            json!({
                "error_msg": "This email is associated to a retired account.",
                "can_cancel_retirement": cancellable,
                "retirement_id": id,
            }),
        ))
    }

    /// `GET /accounts?lms_user_id=`: staff only.
    pub async fn accounts_by_id(
        &self,
        viewer: &User,
        id: &str,
        shared: bool,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !viewer.is_staff && !viewer.is_superuser {
            return Ok(forbidden());
        }
        let Ok(id) = id.trim().parse::<i64>() else {
            return Ok(Reply::empty(400));
        };
        let found = users::by_id(self.db(), id).await?;
        self.account_list(viewer, found.into_iter().collect(), shared, now)
            .await
    }

    async fn account_list(
        &self,
        viewer: &User,
        found: Vec<User>,
        shared: bool,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if found.is_empty() {
            return Ok(Reply::empty(404));
        }
        let list: Vec<Value> = self
            .load_accounts(found)
            .await?
            .iter()
            .map(|account| self.account_json(account, &Self::view_of(viewer, account, shared), now))
            .collect();
        Ok(Reply::rest(200, list.into()))
    }

    /// `POST /accounts/search_emails` `{"emails": […]}`: staff only.
    pub async fn search_emails(&self, viewer: &User, body: &Value) -> Result<Reply> {
        if !viewer.is_staff {
            let body = json!({ "developer_message": "not_found", "user_message": "Not Found" });
            return Ok(Reply::rest(404, body));
        }
        let Some(emails) = body.get("emails").and_then(Value::as_array) else {
            let text = "'emails' field is required";
            let body = json!({ "developer_message": text, "user_message": text });
            return Ok(Reply::rest(400, body));
        };
        let emails: Vec<String> = emails
            .iter()
            .filter_map(|email| email.as_str().map(str::to_owned))
            .collect();
        let list: Vec<Value> = users::by_emails(self.db(), &emails)
            .await?
            .iter()
            .map(|user| json!({ "email": user.email, "id": user.id, "username": user.username }))
            .collect();
        Ok(Reply::rest(200, list.into()))
    }
}

fn forbidden() -> Reply {
    Reply::rest(
        403,
        json!({ "detail": "You do not have permission to perform this action." }),
    )
}
