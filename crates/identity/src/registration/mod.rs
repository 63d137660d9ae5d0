//! Making one's own account (contracts/identity.md §7.1, §7.2).

mod form;
mod rules;
mod suggestions;
mod validation;

pub use form::registration_form;
pub use rules::{is_country_code, is_valid_email};
pub use suggestions::username_candidates;
pub use validation::ValidationRequest;

use chrono::{DateTime, Utc};
use db::params;
use records::users::UserProfile;
use serde_json::{Map, Value, json};

use crate::session::Session;
use crate::third_party::Pipeline;
use crate::{Error, Form, Identity, NewUser, Reply, Result, User, random};

/// Registrations an address in [`WEEK`].
const REGISTRATIONS_PER_IP: u32 = 60;
/// Characters of the password that somebody who never needs one gets.
const RANDOM_PASSWORD_LENGTH: usize = 25;
/// Seven days, seconds.
pub(crate) const WEEK: i64 = 604_800;
const EMAIL_TAKEN: &str = "This email is already associated with an existing account";
const USERNAME_TAKEN: &str = "It looks like this username is already taken";
const COUNTRY: &str = "Select your country or region of residence";

/// A POST of the registration form. There is no CSRF check (§3).
#[derive(Debug)]
pub struct RegistrationRequest<'a> {
    /// Form fields.
    pub form: &'a Form,
    /// Address of the client.
    pub ip: &'a str,
    /// The session that the request came with.
    pub session: Option<Session>,
    /// Language of the request, for `pref-lang`.
    pub language: Option<&'a str>,
}

/// Outcome of a registration.
#[derive(Debug)]
pub enum RegistrationOutcome {
    /// Made and signed in: 200. The account is inactive unless FEATURES.SKIP_EMAIL_VALIDATION.
    Created {
        /// The user.
        user: Box<User>,
        /// The session, stored.
        session: Session,
        /// The reply with the cookies of §2.1.
        reply: Reply,
    },
    /// Refused: 400, 403 or 409.
    Refused(Reply),
}

impl RegistrationOutcome {
    /// The reply.
    #[must_use]
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Created { reply, .. } | Self::Refused(reply) => reply,
        }
    }
}

fn message(text: &str) -> Value {
    json!([{ "user_message": text }])
}

impl Identity {
    /// `POST …/account/registration/`, versions 1 and 2, and `/create_account`.
    pub async fn register(
        &self,
        request: RegistrationRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<RegistrationOutcome> {
        let settings = self.settings();
        let refuse = |reply| Ok(RegistrationOutcome::Refused(reply));
        if self.limiter().exceeded(
            "registration",
            request.ip,
            REGISTRATIONS_PER_IP,
            WEEK,
            now.timestamp(),
        ) {
            return refuse(Reply::platform(
                403,
                json!({ "error_code": "forbidden-request" }),
            ));
        }
        if !settings.allow_public_account_creation {
            return refuse(Reply::text(403, "Account creation not allowed."));
        }
        let form = request.form;
        if let Some(reply) = self.duplicates(form).await? {
            return refuse(reply);
        }
        let country = form.text("country");
        let country_required = settings.extra_field("country") == "required";
        if (!country.is_empty() && !is_country_code(country))
            || (country.is_empty() && country_required)
        {
            let body = json!({ "country": message(COUNTRY), "error_code": "invalid-country" });
            return refuse(Reply::platform(400, body));
        }
        let running = self.running_pipeline(request.session.as_ref(), now).await?;
        if let Some(provider) = form
            .get("social_auth_provider")
            .filter(|name| !name.is_empty())
            && running.is_none()
        {
            let text = format!("Registration using {provider} has timed out.");
            let body = json!({
                "session_expired": message(&text),
                "error_code": "tpa-session-expired",
            });
            return refuse(Reply::platform(400, body));
        }
        let by_token = settings.third_party.enabled && !form.text("provider").is_empty();
        let social = by_token || running.is_some();
        let broken = rules::broken_fields(form, settings, social);
        if !broken.is_empty() {
            let mut body = Map::new();
            for (field, text) in broken {
                body.insert(field, message(&text));
            }
            body.insert("error_code".into(), "validation-error".into());
            return refuse(Reply::platform(400, Value::Object(body)));
        }
        let person = if by_token {
            match self.person_to_link(form).await? {
                Ok(person) => Some(person),
                Err(reply) => return refuse(reply),
            }
        } else {
            running.clone()
        };
        let mut new = self.new_user(form, request.language);
        if let Some(person) = &person {
            new.password = Some(random::text(RANDOM_PASSWORD_LENGTH)?);
            let provider = self.provider(&person.backend).await?;
            let same = person.email.eq_ignore_ascii_case(&new.email);
            new.is_active |= same && provider.is_some_and(|p| p.skip_email_verification);
        }
        let user = match self.create_user(&new, now).await {
            Ok(user) => user,
            // Somebody was faster: answer as the check before would have.
            Err(Error::Taken(_)) => {
                let reply = self.duplicates(form).await?;
                return refuse(
                    reply.unwrap_or_else(|| Reply::text(403, "Account creation not allowed.")),
                );
            }
            Err(error) => return Err(error),
        };
        if let Some(person) = person.filter(|_| by_token) {
            self.link(&person, user.id, now).await?;
        }
        if !user.is_active {
            self.queue_mail("mail.activation", user.id, now).await?;
        }
        // A browser session.
        let session = self.start_login(request.session, &user, 0, now).await?;
        let redirect_url = match &running {
            Some(running) => settings.absolute(&format!("/auth/complete/{}/?", running.backend)),
            None => self.safe_target(form.get("next"), "/dashboard"),
        };
        let reply = Reply::platform(
            200,
            json!({
                "authenticated_user": {
                    "username": user.username,
                    "full_name": new.name,
                    "user_id": user.id,
                },
                "success": true,
                "redirect_url": redirect_url,
            }),
        )
        .cookies(self.login_cookies(&user, &session, now).await?);
        Ok(RegistrationOutcome::Created {
            user: Box::new(user),
            session,
            reply,
        })
    }

    /// Who stands behind `provider` and `access_token`, if nobody is linked to it yet.
    async fn person_to_link(&self, form: &Form) -> Result<std::result::Result<Pipeline, Reply>> {
        let provider = form.text("provider");
        let refuse = |text: &str, code: &str| {
            let body = json!({ "access_token": message(text), "error_code": code });
            Ok(Err(Reply::platform(400, body)))
        };
        let token = form.text("access_token");
        if token.is_empty() {
            let text = format!(
                "An access_token is required when passing value ({provider}) for provider."
            );
            return refuse(&text, "tpa-missing-access-token");
        }
        let Some(person) = self.person_of_token(provider, token).await? else {
            let text = "The provided access_token is not valid.";
            return refuse(text, "tpa-invalid-access-token");
        };
        if self.linked_user(provider, &person.uid).await?.is_some() {
            let text = "The provided access_token is already associated with another user.";
            return refuse(text, "tpa-token-already-associated");
        }
        Ok(Ok(person))
    }

    fn new_user(&self, form: &Form, language: Option<&str>) -> NewUser {
        let optional = |name: &str| Some(form.text(name).to_owned());
        // Callers send other vocabularies than these columns hold (mitxonline.md A1); that never fails.
        let short = |name: &str| Some(form.text(name).chars().take(6).collect());
        NewUser {
            username: form.text("username").trim().to_owned(),
            email: form.text("email").trim().to_owned(),
            password: Some(form.text("password").to_owned()),
            name: form.text("name").trim().to_owned(),
            first_name: form.text("first_name").to_owned(),
            last_name: form.text("last_name").to_owned(),
            is_active: self.settings().skip_email_validation,
            language: language.map(str::to_owned),
            profile: UserProfile {
                year_of_birth: form.text("year_of_birth").trim().parse().ok(),
                gender: short("gender"),
                level_of_education: short("level_of_education"),
                mailing_address: optional("mailing_address"),
                city: optional("city"),
                country: optional("country"),
                goals: optional("goals"),
                ..UserProfile::default()
            },
            ..NewUser::default()
        }
    }

    /// 409 when the username or e-mail address is in use, was retired, or is someone's recovery address.
    async fn duplicates(&self, form: &Form) -> Result<Option<Reply>> {
        let email_taken = match form.get("email") {
            Some(email) => self.email_is_taken(email).await?,
            None => false,
        };
        let username_taken = match form.get("username") {
            Some(username) => self.username_is_taken(username).await?,
            None => false,
        };
        let mut body = Map::new();
        if email_taken {
            body.insert("email".into(), message(EMAIL_TAKEN));
        }
        if username_taken {
            body.insert("username".into(), message(USERNAME_TAKEN));
            let suggestions = self.username_suggestions(form.text("username")).await?;
            body.insert("username_suggestions".into(), suggestions.into());
        }
        let code = match (email_taken, username_taken) {
            (true, true) => "duplicate-email-username",
            (true, false) => "duplicate-email",
            (false, true) => "duplicate-username",
            (false, false) => return Ok(None),
        };
        body.insert("error_code".into(), code.into());
        Ok(Some(Reply::platform(409, Value::Object(body))))
    }

    /// Whether a username is in use or was retired under any salt.
    pub async fn username_is_taken(&self, username: &str) -> Result<bool> {
        let settings = self.settings();
        let mut names = django_compat::ids::all_retired_values(
            username,
            &settings.retired_user_salts,
            &settings.retired_username_fmt,
        );
        names.push(username.to_owned());
        Ok(!records::users::by_usernames(self.db(), &names)
            .await?
            .is_empty())
    }

    /// Whether an e-mail address is in use, was retired under any salt, or is someone's recovery address.
    pub async fn email_is_taken(&self, email: &str) -> Result<bool> {
        let settings = self.settings();
        let mut emails = django_compat::ids::all_retired_values(
            email,
            &settings.retired_user_salts,
            &settings.retired_email_fmt,
        );
        emails.push(email.to_owned());
        if !records::users::by_emails(self.db(), &emails)
            .await?
            .is_empty()
        {
            return Ok(true);
        }
        let recovery = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM auth_accountrecovery WHERE secondary_email = ?",
                &params![email],
            )
            .await?;
        Ok(recovery > 0)
    }

    /// Up to three free usernames like a name.
    pub async fn username_suggestions(&self, name: &str) -> Result<Vec<String>> {
        let mut draws = Vec::new();
        for _ in 0..5 {
            // 30 random bits are plenty for five digits.
            let bits = crate::random::hex(8)?;
            draws.push(u32::from_str_radix(&bits, 16).unwrap_or_default());
        }
        let mut draws = draws.into_iter();
        let candidates = username_candidates(name, |low, high| {
            low + draws.next().unwrap_or_default() % (high - low + 1)
        });
        let taken: Vec<String> = records::users::by_usernames(self.db(), &candidates)
            .await?
            .into_iter()
            .map(|user| user.username.to_lowercase())
            .collect();
        Ok(candidates
            .into_iter()
            .filter(|candidate| !taken.contains(candidate))
            .take(3)
            .collect())
    }

    /// An absolute address of the LMS from a `next` parameter, if it is safe, else from `default`.
    pub(crate) fn safe_target(&self, next: Option<&str>, default: &str) -> String {
        let settings = self.settings();
        let hosts = self.safe_hosts();
        let next =
            next.filter(|next| django_compat::redirect::is_safe(next, &hosts, settings.is_https()));
        settings.absolute(next.map_or(default, django_compat::redirect::trimmed))
    }

    /// Queues an e-mail about a user; what it says is looked up when it is sent, so no secret is stored with it.
    pub(crate) async fn queue_mail(
        &self,
        topic: &str,
        user_id: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        self.queue_mail_with(topic, user_id, &json!({ "user_id": user_id }), now)
            .await
    }

    /// As [`Self::queue_mail`], with more than the user.
    pub(crate) async fn queue_mail_with(
        &self,
        topic: &str,
        user_id: i64,
        payload: &Value,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let key = &user_id.to_string();
        let time = now.naive_utc();
        self.db()
            .write(|mut tx| async move {
                records::outbox::put(&mut tx, topic, key, payload, time, time).await
            })
            .await?;
        Ok(())
    }
}
