//! `PATCH /accounts/<username>` (contracts/identity.md §8.1).

use chrono::{DateTime, Utc};
use db::{Tx, params};
use records::users::{self, UserProfile};
use serde_json::{Map, Value, json};

use super::codes::{SOCIAL_PLATFORMS, is_language};
use super::python::{repr, str};
use super::{ACCOUNT_PRIVACY, View};
use crate::registration::{is_country_code, is_valid_email};
use crate::{Identity, Reply, Result, User, random};

/// Longest text about oneself.
const MAX_BIO: usize = 300;
const READ_ONLY: [&str; 6] = [
    "username",
    "date_joined",
    "is_active",
    "password_toggle_history",
    "profile_image",
    "requires_parental_consent",
];
const EDUCATION: [&str; 9] = ["p", "m", "b", "a", "hs", "jhs", "el", "none", "other"];
const INVALID: &str = "This value is invalid.";

/// Errors by field: developer's and user's message.
#[derive(Default)]
struct Errors(Map<String, Value>);

impl Errors {
    fn add(&mut self, field: &str, developer: impl Into<String>, user: impl Into<String>) {
        let body = json!({ "developer_message": developer.into(), "user_message": user.into() });
        self.0.insert(field.to_owned(), body);
    }

    fn invalid(&mut self, field: &str, value: &Value, reasons: &str) {
        let quoted = match value {
            Value::String(text) => format!("'{text}'"),
            other => format!("'{}'", repr(other)),
        };
        self.add(
            field,
            format!("Value {quoted} is not valid for field '{field}': {reasons}"),
            INVALID,
        );
    }
}

/// The changes of a patch, checked.
#[derive(Default)]
struct Changes {
    profile: Option<UserProfile>,
    old_name: Option<String>,
    /// The new text, or an empty one to delete the preference.
    privacy: Option<String>,
    languages: Option<Vec<String>>,
    links: Option<Vec<(String, Option<String>)>>,
    email: Option<String>,
    meta: Vec<(String, Value)>,
}

fn choice(text: &str) -> String {
    format!("['\"{text}\" is not a valid choice.']")
}

impl Identity {
    /// Patches one's own account: 200 with the whole object, 400 with errors by field, 403 empty for another's,
    /// whoever asks (names are compared with case). Media type and authentication are the caller's.
    pub async fn update_account(
        &self,
        viewer: &User,
        username: &str,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if viewer.username != username {
            return Ok(Reply::empty(403));
        }
        let Some(patch) = body.as_object() else {
            let text = "Expected an object.";
            let body = json!({ "developer_message": text, "user_message": text });
            return Ok(Reply::rest(400, body));
        };
        let accounts = self.load_accounts(vec![viewer.clone()]).await?;
        let Some(account) = accounts.into_iter().next() else {
            return Ok(Reply::empty(404));
        };
        let mut errors = Errors::default();
        let mut changes = Changes::default();
        let mut profile = account.profile.clone();
        for (field, value) in patch {
            if READ_ONLY.contains(&field.as_str()) {
                errors.add(
                    field,
                    "This field is not editable via this API",
                    format!("The '{field}' field cannot be edited."),
                );
                continue;
            }
            check_field(field, value, &mut profile, &mut changes, &mut errors);
            match (field.as_str(), value.as_str()) {
                ("name", Some(name)) if name != account.profile.name => {
                    if self
                        .name_needs_verification(viewer.id, &account.profile, name)
                        .await?
                    {
                        let text = "This name change requires ID verification.";
                        errors.add(
                            "name",
                            format!("Error thrown from validate_name: '{text}'"),
                            text,
                        );
                    }
                    changes.old_name = Some(account.profile.name.clone());
                }
                ("email", Some(email)) => {
                    self.check_email(viewer, email, &mut changes, &mut errors);
                }
                _ => {}
            }
        }
        self.check_links(patch, &mut changes, &mut errors);
        if !errors.0.is_empty() {
            return Ok(Reply::rest(400, json!({ "field_errors": errors.0 })));
        }
        if profile.country.as_deref().unwrap_or_default() != "US" && patch.contains_key("country") {
            profile.state = None;
        }
        changes.profile = Some(profile);
        self.write_changes(viewer, changes, now).await?;
        let user = users::by_id(self.db(), viewer.id).await?;
        let accounts = self.load_accounts(user.into_iter().collect()).await?;
        Ok(match accounts.first() {
            Some(account) => Reply::rest(200, self.account_json(account, &View::Admin, now)),
            None => Reply::empty(404),
        })
    }

    fn check_email(&self, viewer: &User, email: &str, changes: &mut Changes, errors: &mut Errors) {
        let text = if !is_valid_email(email) {
            "Valid e-mail address required."
        } else if email == viewer.email {
            "Old email is the same as the new email."
        } else {
            if self.settings().allow_email_address_change {
                changes.email = Some(email.to_owned());
            } else {
                let text = "Email address changes have been disabled by the site operators.";
                errors.add("email", text, text);
            }
            return;
        };
        errors.add(
            "email",
            format!("Error thrown from validate_new_email: '{text}'"),
            text,
        );
    }

    fn check_links(&self, patch: &Map<String, Value>, changes: &mut Changes, errors: &mut Errors) {
        let Some(value) = patch.get("social_links") else {
            return;
        };
        let Some(items) = value.as_array() else {
            errors.invalid("social_links", value, "['Expected a list of items.']");
            return;
        };
        let mut links = Vec::new();
        for item in items {
            let platform = item
                .get("platform")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let link = item
                .get("social_link")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let known = SOCIAL_PLATFORMS
                .iter()
                .find(|(name, _, _)| *name == platform);
            let Some((_, stub, title)) = known else {
                let reasons = format!("[{{'platform': {}}}]", choice(platform));
                errors.invalid("social_links", value, &reasons);
                return;
            };
            if link.is_empty() {
                links.push((platform.to_owned(), None));
                continue;
            }
            let name = match link.split_once(stub) {
                Some((_, name)) => Some(name),
                None if !link.contains('/') => Some(link),
                None => None,
            };
            let name = name
                .map(|name| name.trim_end_matches('/'))
                .filter(|name| !name.is_empty());
            let Some(name) = name else {
                let text = format!(
                    "Make sure that you are providing a valid username or a URL that contains \"{stub}\". \
                     To remove the link from your {} profile, leave this field blank.",
                    self.settings().platform_name
                );
                let _ = title;
                errors.add(
                    "social_links",
                    format!("Error when adding new social link: '{text}'"),
                    text,
                );
                return;
            };
            links.push((
                platform.to_owned(),
                Some(format!("https://www.{stub}{name}")),
            ));
        }
        changes.links = Some(links);
    }

    /// Whether a verified learner with a certificate changes the name by more than a small correction.
    async fn name_needs_verification(
        &self,
        user_id: i64,
        profile: &UserProfile,
        name: &str,
    ) -> Result<bool> {
        let meta: Map<String, Value> = serde_json::from_str(&profile.meta).unwrap_or_default();
        let changed_often = meta
            .get("old_names")
            .and_then(Value::as_array)
            .is_some_and(|old| old.len() >= 2);
        if !changed_often && !name.contains("  ") && is_small_change(&profile.name, name) {
            return Ok(false);
        }
        let modes = enrollment::modes::VERIFIED_MODES;
        let sql = format!(
            "SELECT COUNT(*) AS n FROM student_courseenrollment e WHERE e.user_id = ? \
             AND e.is_active = 1 AND e.mode IN ({}) AND EXISTS \
             (SELECT 1 FROM certificates_generatedcertificate c WHERE c.user_id = e.user_id \
             AND c.status IN ('downloadable', 'generating'))",
            db::placeholders(modes.len())
        );
        let mut values = params![user_id].to_vec();
        values.extend(modes.iter().map(|mode| db::Value::from(*mode)));
        Ok(self.db().read_int(&sql, &values).await? > 0)
    }

    async fn write_changes(&self, user: &User, changes: Changes, now: DateTime<Utc>) -> Result<()> {
        // An address that is taken is dropped without a word.
        let email = match &changes.email {
            Some(email) if !self.email_is_taken(email).await? => Some((email, random::hex(32)?)),
            _ => None,
        };
        let (changes, email) = (&changes, &email);
        self.db()
            .write(|mut tx| async move {
                if let Some(profile) = &changes.profile {
                    let mut profile = profile.clone();
                    profile.user_id = user.id;
                    merge_meta(&mut profile, changes, user, now);
                    users::save_profile(&mut tx, &profile).await?;
                    if profile.id != 0 {
                        write_lists(&mut tx, profile.id, changes).await?;
                    }
                }
                match &changes.privacy {
                    Some(text) if text.is_empty() => {
                        records::preferences::delete(&mut tx, user.id, ACCOUNT_PRIVACY).await?;
                    }
                    Some(text) => {
                        records::preferences::set(&mut tx, user.id, ACCOUNT_PRIVACY, text).await?;
                    }
                    None => {}
                }
                if let Some((address, key)) = email {
                    let sql = tx.dialect().upsert(
                        "student_pendingemailchange",
                        &["user_id"],
                        &["new_email", "activation_key"],
                    );
                    tx.execute(&sql, &params![user.id, *address, key]).await?;
                    let time = now.naive_utc();
                    let payload = json!({ "user_id": user.id });
                    let topic = "mail.email_change";
                    records::outbox::put(
                        &mut tx,
                        topic,
                        &user.id.to_string(),
                        &payload,
                        time,
                        time,
                    )
                    .await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(())
    }
}

/// Whether two names differ by at most one added, removed or replaced character that is no blank (and blanks at its
/// sides).
fn is_small_change(old: &str, new: &str) -> bool {
    let strip = |text: &str| text.chars().filter(|ch| *ch != ' ').collect::<Vec<char>>();
    let (old, new) = (strip(old), strip(new));
    let prefix = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - prefix;
    let suffix = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take(rest)
        .take_while(|(a, b)| a == b)
        .count();
    old.len() - prefix - suffix <= 1 && new.len() - prefix - suffix <= 1
}

/// Adds the old name and extended fields to the profile's meta.
fn merge_meta(profile: &mut UserProfile, changes: &Changes, user: &User, now: DateTime<Utc>) {
    if changes.old_name.is_none() && changes.meta.is_empty() {
        return;
    }
    let mut meta: Map<String, Value> = serde_json::from_str(&profile.meta).unwrap_or_default();
    if let Some(old) = &changes.old_name {
        let reason = format!(
            "Name change requested through account API by {}",
            user.username
        );
        let entry = json!([
            old,
            reason,
            now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
        ]);
        match meta.get_mut("old_names").and_then(Value::as_array_mut) {
            Some(list) => list.push(entry),
            None => {
                meta.insert("old_names".into(), json!([entry]));
            }
        }
    }
    for (name, value) in &changes.meta {
        meta.insert(name.clone(), value.clone());
    }
    profile.meta =
        django_compat::pyjson::dumps(&Value::Object(meta), django_compat::pyjson::Style::DEFAULT);
}

async fn write_lists(tx: &mut Tx, profile_id: i64, changes: &Changes) -> db::Result<()> {
    if let Some(languages) = &changes.languages {
        let sql = "DELETE FROM student_languageproficiency WHERE user_profile_id = ?";
        tx.execute(sql, &params![profile_id]).await?;
        for code in languages {
            let sql =
                "INSERT INTO student_languageproficiency (code, user_profile_id) VALUES (?, ?)";
            tx.execute(sql, &params![code, profile_id]).await?;
        }
    }
    for (platform, link) in changes.links.iter().flatten() {
        let sql = "DELETE FROM student_sociallink WHERE user_profile_id = ? AND platform = ?";
        tx.execute(sql, &params![profile_id, platform]).await?;
        if let Some(link) = link {
            let sql = "INSERT INTO student_sociallink (platform, social_link, user_profile_id) \
                       VALUES (?, ?, ?)";
            tx.execute(sql, &params![platform, link, profile_id])
                .await?;
        }
    }
    Ok(())
}

fn optional_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        other => Some(str(other)),
    }
}

/// Checks one field of the profile and writes it to the copy.
fn check_field(
    field: &str,
    value: &Value,
    profile: &mut UserProfile,
    changes: &mut Changes,
    errors: &mut Errors,
) {
    let text = value.as_str();
    match field {
        "name" => match text {
            Some(name) if name.contains(['<', '>']) => {
                let sentence = "Full Name cannot contain the following characters: < >";
                errors.add(
                    field,
                    format!("Error thrown from validate_name: '{sentence}'"),
                    sentence,
                );
            }
            Some(name) if name.contains("://") => {
                let sentence = "Enter a valid name";
                errors.add(
                    field,
                    format!("Error thrown from validate_name: '{sentence}'"),
                    sentence,
                );
            }
            Some(name) if !name.trim().is_empty() => name.clone_into(&mut profile.name),
            Some(_) => errors.add(
                field,
                "Error thrown from validate_name: 'Your legal name must be a minimum of one character long'",
                "Your legal name must be a minimum of one character long",
            ),
            None => errors.invalid(field, value, "['This field may not be null.']"),
        },
        "gender" => match value {
            Value::Null => profile.gender = None,
            _ if text.is_some_and(|code| ["m", "f", "o", ""].contains(&code)) => {
                profile.gender = optional_text(value);
            }
            _ => errors.invalid(field, value, &choice(&str(value))),
        },
        "level_of_education" => match value {
            Value::Null => profile.level_of_education = None,
            _ if text.is_some_and(|code| code.is_empty() || EDUCATION.contains(&code)) => {
                profile.level_of_education = optional_text(value);
            }
            _ => errors.invalid(field, value, &choice(&str(value))),
        },
        "country" => match value {
            Value::Null => profile.country = None,
            _ if text.is_some_and(|code| code.is_empty() || is_country_code(code)) => {
                profile.country = optional_text(value);
            }
            _ => errors.invalid(field, value, &choice(&str(value))),
        },
        "year_of_birth" => match (value, str(value).trim().parse::<i64>()) {
            (Value::Null, _) => profile.year_of_birth = None,
            (_, Ok(year)) => profile.year_of_birth = Some(year),
            _ => errors.invalid(field, value, "['A valid integer is required.']"),
        },
        "bio" => {
            let bio = optional_text(value);
            if bio.as_ref().is_some_and(|bio| bio.chars().count() > MAX_BIO) {
                let sentence = format!("The about me field must be at most {MAX_BIO} characters long.");
                errors.add(
                    field,
                    format!("Value '{}' is not valid for field 'bio': ['{sentence}']", str(value)),
                    sentence,
                );
            } else {
                profile.bio = bio;
            }
        }
        "phone_number" => {
            profile.phone_number = optional_text(value).map(|phone| {
                let plus = if phone.trim_start().starts_with('+') { "+" } else { "" };
                let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
                format!("{plus}{digits}").chars().take(50).collect()
            });
        }
        "goals" => profile.goals = optional_text(value),
        "mailing_address" => profile.mailing_address = optional_text(value),
        "city" => profile.city = optional_text(value),
        "state" => {
            let state = optional_text(value);
            if state.as_ref().is_some_and(|state| state.chars().count() > 2) {
                errors.invalid(field, value, &choice(&str(value)));
            } else {
                profile.state = state;
            }
        }
        "account_privacy" => changes.privacy = Some(optional_text(value).unwrap_or_default()),
        "language_proficiencies" => check_languages(value, changes, errors),
        "extended_profile" => {
            for item in value.as_array().into_iter().flatten() {
                if let (Some(name), Some(value)) =
                    (item.get("field_name").and_then(Value::as_str), item.get("field_value"))
                {
                    changes.meta.push((name.to_owned(), value.clone()));
                }
            }
        }
        _ => {}
    }
}

fn check_languages(value: &Value, changes: &mut Changes, errors: &mut Errors) {
    let field = "language_proficiencies";
    let Some(items) = value.as_array() else {
        errors.invalid(field, value, "['Expected a list of items.']");
        return;
    };
    let mut codes = Vec::new();
    let mut reasons = Vec::new();
    for item in items {
        let code = item.get("code").map(str).unwrap_or_default();
        if is_language(&code) {
            reasons.push("{}".to_owned());
        } else {
            reasons.push(format!("{{'code': {}}}", choice(&code)));
        }
        codes.push(code);
    }
    if reasons.iter().any(|reason| reason != "{}") {
        errors.invalid(field, value, &format!("[{}]", reasons.join(", ")));
        return;
    }
    let mut unique = codes.clone();
    unique.sort();
    unique.dedup();
    if unique.len() != codes.len() {
        let sentence = "['The language_proficiencies field must consist of unique languages.']";
        errors.invalid(field, value, sentence);
        return;
    }
    changes.languages = Some(codes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §8.1: what counts as a small change of a name.
    #[test]
    fn small_changes() {
        assert!(is_small_change("Ann Lee", "Anne Lee"));
        assert!(is_small_change("Ann Lee", "Ann Leo"));
        assert!(is_small_change("Ann Lee", "AnnLee"));
        assert!(!is_small_change("Ann Lee", "Bob Lee"));
        assert!(!is_small_change("Ann Lee", "Annie Lee"));
    }
}
