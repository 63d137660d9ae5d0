//! From the provider's answer to a signed-in user (contracts/identity.md §10.1).

use chrono::{DateTime, TimeDelta, Utc};
use db::params;
use django_compat::encoding::quote_plus;
use django_compat::signing::constant_time_eq;
use records::users;
use serde_json::json;

use super::AuthEntry;
use super::config::{Backend, Provider};
use super::provider::NONCE_LENGTH;
use super::storage::{PARTIAL_TOKEN, Pipeline, add_message};
use crate::cookies::Cookie;
use crate::session::Session;
use crate::{Form, Identity, Reply, Result, User, random};

/// Characters of the state.
const STATE_LENGTH: usize = 32;
/// Lifetime of a session after a social sign-in, seconds.
const SOCIAL_SESSION_AGE: i64 = 1_209_600;
/// Days that a verification by sign-in counts.
const VERIFICATION_DAYS: i64 = 365;
/// Level of error messages.
const ERROR: i64 = 40;
const PROVIDER_TYPE: &str = "third_party_auth.models.OAuth2ProviderConfig";

/// The browser's return from the provider, or its way on after registering or signing in.
#[derive(Debug)]
pub struct CompleteRequest<'a> {
    /// Backend name of the path.
    pub backend: &'a str,
    /// Query or form fields.
    pub fields: &'a Form,
    /// The session of the request.
    pub session: Option<Session>,
    /// Who is signed in.
    pub user: Option<&'a User>,
    /// Whether all four login cookies came with the request.
    pub has_login_cookies: bool,
}

/// Outcome of a step of a social sign-in.
#[derive(Debug)]
pub enum SocialOutcome {
    /// 302 to this address, with these cookies (the session's among them).
    Redirect {
        /// Where to.
        to: String,
        /// Cookies to set.
        cookies: Vec<Cookie>,
    },
    /// Unknown backend, or one that is not enabled: 404.
    NotFound,
    /// Another answer: 400 for APIs, 403 "Your account is disabled".
    Reply(Reply),
}

/// What a step of the pipeline decides.
enum Step {
    Go(Box<User>),
    Stop(SocialOutcome),
}

impl Identity {
    /// `GET|POST /auth/login/<backend>/?auth_entry=&next=`: 302 to the provider.
    pub async fn social_login(
        &self,
        backend: &str,
        fields: &Form,
        session: Option<Session>,
        now: DateTime<Utc>,
    ) -> Result<SocialOutcome> {
        let (Some(kind), Some(provider)) =
            (Backend::by_name(backend), self.provider(backend).await?)
        else {
            return Ok(SocialOutcome::NotFound);
        };
        let mut session = session.unwrap_or_default();
        let entry = fields.get("auth_entry").unwrap_or("login");
        if AuthEntry::by_name(entry).is_none() {
            let text = "Authentication failed: unknown entry.";
            return self.fail(session, None, backend, text, now).await;
        }
        session.set_text("auth_entry", entry);
        match fields.get("next").filter(|next| !next.is_empty()) {
            Some(next) => session.set_text("next", next),
            None => session.set("next", django_compat::pickle::Value::None),
        }
        let endpoints = match self.endpoints(&provider).await {
            Ok(endpoints) => endpoints,
            Err(text) => return self.fail(session, Some(entry), backend, &text, now).await,
        };
        let state_key = format!("{backend}_state");
        let state = match session.text(&state_key) {
            Some(state) => state.to_owned(),
            None => random::text(STATE_LENGTH)?,
        };
        session.set_text(&state_key, state.clone());
        let mut query = vec![
            ("client_id", provider.key.clone()),
            ("redirect_uri", self.complete_url(kind, &state)),
            ("state", state),
            ("response_type", "code".to_owned()),
        ];
        let default_scope = match kind {
            Backend::OlOauth2 => "user:read",
            Backend::Oidc => "openid profile email",
        };
        let scope = provider
            .setting("SCOPE")
            .unwrap_or(default_scope)
            .to_owned();
        if kind == Backend::Oidc {
            let nonce = random::text(NONCE_LENGTH)?;
            self.save_nonce(&endpoints.authorization, &nonce).await?;
            query.push(("nonce", nonce));
        }
        query.push(("scope", scope));
        let mark = if endpoints.authorization.contains('?') {
            '&'
        } else {
            '?'
        };
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", quote_plus(value)))
            .collect();
        let to = format!("{}{mark}{}", endpoints.authorization, query.join("&"));
        self.redirect(session, to, Vec::new(), now).await
    }

    /// `GET|POST /auth/complete/<backend>/`: runs the sign-in, or goes on with the one under way. No CSRF check: the
    /// state does that.
    pub async fn social_complete(
        &self,
        request: CompleteRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<SocialOutcome> {
        let backend = request.backend;
        let (Some(kind), Some(provider)) =
            (Backend::by_name(backend), self.provider(backend).await?)
        else {
            return Ok(SocialOutcome::NotFound);
        };
        let mut session = request.session.unwrap_or_default();
        let entry = session.text("auth_entry").map(str::to_owned);
        let fields = request.fields;
        let arrived = fields.get("code").is_some() || fields.get("error").is_some();
        let running = if arrived {
            None
        } else {
            self.running_pipeline(Some(&session), now)
                .await?
                .filter(|pipeline| pipeline.backend == backend)
        };
        let pipeline = match running {
            Some(pipeline) => pipeline,
            None => match self
                .arrive(&provider, kind, fields, &mut session, now)
                .await?
            {
                Ok(pipeline) => Pipeline {
                    auth_entry: entry.clone(),
                    ..pipeline
                },
                Err(text) => {
                    return self
                        .fail(session, entry.as_deref(), backend, &text, now)
                        .await;
                }
            },
        };
        let user = match self
            .find_user(&provider, &pipeline, request.user, &mut session, now)
            .await?
        {
            Step::Go(user) => user,
            Step::Stop(outcome) => return Ok(outcome),
        };
        let account = self.account_by_id(user.id).await?;
        if account.is_none_or(|account| account.is_closed()) {
            let body = json!("Your account is disabled");
            return Ok(SocialOutcome::Reply(Reply::platform(403, body)));
        }
        let mut user = *user;
        self.link(&pipeline, user.id, now).await?;
        self.follow_provider(&provider, &pipeline, &mut user, now)
            .await?;
        if provider.enable_sso_id_verification {
            self.verify_identity(&provider, &user, now).await?;
        }
        if !request.has_login_cookies {
            // The cookies go out with a redirect to this very address, and the sign-in continues when they are back.
            let pipeline = Pipeline {
                user_id: Some(user.id),
                ..pipeline
            };
            self.save_pipeline(&pipeline, &mut session, now).await?;
            let mut cookies = self.login_cookies(&user, &session, now).await?;
            cookies.retain(|cookie| cookie.name != self.settings().session_cookie_name);
            let to = format!("/auth/complete/{backend}/?");
            return self.redirect(session, to, cookies, now).await;
        }
        self.end_pipeline(&mut session).await?;
        let next = session.text("next").map(str::to_owned);
        session.remove("next");
        session.remove(&format!("{backend}_state"));
        session.set_text("social_auth_last_login_backend", backend);
        let age = provider.max_session_length.unwrap_or(SOCIAL_SESSION_AGE);
        let session = self.start_login(Some(session), &user, age, now).await?;
        let target = self.safe_next(next.as_deref(), "/dashboard");
        let to = if user.is_active {
            target
        } else {
            format!("/auth/inactive?next={}", quote_plus(&target))
        };
        let cookies = self.login_cookies(&user, &session, now).await?;
        Ok(SocialOutcome::Redirect { to, cookies })
    }

    /// Checks state and code of the browser's return, and asks the provider who it is.
    async fn arrive(
        &self,
        provider: &Provider,
        kind: Backend,
        fields: &Form,
        session: &mut Session,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Pipeline, String>> {
        let state_key = format!("{}_state", kind.name());
        let known = session.text(&state_key).map(str::to_owned);
        let given = fields.get("state").or_else(|| fields.get("redirect_state"));
        if let Some(error) = fields.get("error") {
            let text = if error == "access_denied" {
                "Authentication process canceled".to_owned()
            } else {
                format!("Authentication failed: {error}")
            };
            return Ok(Err(text));
        }
        let Some(known) = known else {
            return Ok(Err("Session value state missing.".into()));
        };
        let Some(given) = given else {
            return Ok(Err("Missing needed parameter state".into()));
        };
        if !constant_time_eq(given, &known) {
            return Ok(Err("Wrong state parameter given.".into()));
        }
        let Some(code) = fields.get("code").filter(|code| !code.is_empty()) else {
            return Ok(Err("Missing needed parameter code".into()));
        };
        session.remove(&state_key);
        self.redeem(provider, kind, code, &known, now).await
    }

    /// The user of a sign-in: the linked one, the one signed in, or the active one with the address; else the way to
    /// the form that makes or proves one.
    async fn find_user(
        &self,
        provider: &Provider,
        pipeline: &Pipeline,
        signed_in: Option<&User>,
        session: &mut Session,
        now: DateTime<Utc>,
    ) -> Result<Step> {
        let backend = provider.backend_name.as_str();
        let linked = self.linked_user(backend, &pipeline.uid).await?;
        if let (Some(linked), Some(signed_in)) = (&linked, signed_in)
            && linked.id != signed_in.id
        {
            let text = "This account is already in use.";
            let session = std::mem::take(session);
            let entry = pipeline.auth_entry.as_deref();
            return Ok(Step::Stop(
                self.fail(session, entry, backend, text, now).await?,
            ));
        }
        if let Some(user) = linked {
            return Ok(Step::Go(Box::new(user)));
        }
        if let Some(user) = signed_in {
            return Ok(Step::Go(Box::new(user.clone())));
        }
        if let Some(id) = pipeline.user_id
            && let Some(user) = users::by_id(self.db(), id).await?
        {
            return Ok(Step::Go(Box::new(user)));
        }
        if !pipeline.email.is_empty()
            && let Some(user) = users::by_email(self.db(), &pipeline.email).await?
            && user.is_active
        {
            return Ok(Step::Go(Box::new(user)));
        }
        let entry = pipeline.auth_entry.as_deref().and_then(AuthEntry::by_name);
        let known = if pipeline.email.is_empty() {
            self.username_is_taken(&pipeline.username).await?
        } else {
            self.email_is_taken(&pipeline.email).await?
        };
        let to = match entry.unwrap_or(AuthEntry::Login) {
            AuthEntry::LoginApi | AuthEntry::RegisterApi => {
                return Ok(Step::Stop(SocialOutcome::Reply(Reply::empty(400))));
            }
            _ if known => "/login",
            AuthEntry::Register => "/register",
            AuthEntry::Login
                if provider.skip_email_verification || provider.send_to_registration_first =>
            {
                "/register"
            }
            AuthEntry::Login => "/login",
            AuthEntry::AccountSettings => {
                let text = "Authentication failed: nobody is signed in.";
                let session = std::mem::take(session);
                let entry = Some("account_settings");
                return Ok(Step::Stop(
                    self.fail(session, entry, backend, text, now).await?,
                ));
            }
        };
        self.save_pipeline(pipeline, session, now).await?;
        let session = std::mem::take(session);
        let outcome = self
            .redirect(session, to.to_owned(), Vec::new(), now)
            .await?;
        Ok(Step::Stop(outcome))
    }

    /// Takes over what the provider says about a linked user; never the username.
    async fn follow_provider(
        &self,
        provider: &Provider,
        pipeline: &Pipeline,
        user: &mut User,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let set = |current: &mut String, new: &str| {
            if !new.is_empty() && current != new {
                new.clone_into(current);
                true
            } else {
                false
            }
        };
        let mut changed = set(&mut user.first_name, &pipeline.first_name);
        changed |= set(&mut user.last_name, &pipeline.last_name);
        let mut old_email = None;
        if provider.sync_learner_profile_data && !pipeline.email.is_empty() {
            let email = django_compat::ids::normalize_email(&pipeline.email);
            if !email.eq_ignore_ascii_case(&user.email) {
                if self.email_is_taken(&email).await? {
                    tracing::warn!(
                        user_id = user.id,
                        "the provider's address is somebody else's"
                    );
                } else {
                    old_email = Some(std::mem::replace(&mut user.email, email));
                    changed = true;
                }
            }
        }
        let name = (provider.sync_learner_profile_data && !pipeline.fullname.is_empty())
            .then_some(pipeline.fullname.as_str());
        if !changed && name.is_none() {
            return Ok(());
        }
        let user_ref = &*user;
        self.db()
            .write(|mut tx| async move {
                if changed {
                    tx.execute(
                        "UPDATE auth_user SET first_name = ?, last_name = ?, email = ? WHERE id = ?",
                        &params![
                            &user_ref.first_name,
                            &user_ref.last_name,
                            &user_ref.email,
                            user_ref.id
                        ],
                    )
                    .await?;
                }
                if let Some(name) = name {
                    tx.execute(
                        "UPDATE auth_userprofile SET name = ? WHERE user_id = ?",
                        &params![name, user_ref.id],
                    )
                    .await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        if let Some(old) = old_email {
            let payload = json!({ "user_id": user.id, "old_email": old });
            self.queue_mail_with("mail.email_changed", user.id, &payload, now)
                .await?;
        }
        Ok(())
    }

    /// Notes once that a provider vouches for a user's identity.
    async fn verify_identity(
        &self,
        provider: &Provider,
        user: &User,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let known = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM verify_student_ssoverification WHERE user_id = ? \
                 AND identity_provider_type = ? AND identity_provider_slug = ? \
                 AND status = 'approved'",
                &params![user.id, PROVIDER_TYPE, &provider.slug],
            )
            .await?;
        if known > 0 {
            return Ok(());
        }
        let name = users::profile(self.db(), user.id)
            .await?
            .map(|profile| profile.name);
        let expires = now + TimeDelta::try_days(VERIFICATION_DAYS).unwrap_or_default();
        self.db()
            .execute(
                "INSERT INTO verify_student_ssoverification (status, status_changed, name, \
                 created_at, updated_at, identity_provider_type, identity_provider_slug, user_id, \
                 expiration_date) VALUES ('approved', ?, ?, ?, ?, ?, ?, ?, ?)",
                &params![
                    now,
                    name.unwrap_or_default(),
                    now,
                    now,
                    PROVIDER_TYPE,
                    &provider.slug,
                    user.id,
                    expires
                ],
            )
            .await?;
        Ok(())
    }

    /// A safe address from `next`, as given (relative stays relative).
    pub(crate) fn safe_next(&self, next: Option<&str>, default: &str) -> String {
        let hosts = self.safe_hosts();
        next.filter(|next| {
            django_compat::redirect::is_safe(next, &hosts, self.settings().is_https())
        })
        .map_or(default, django_compat::redirect::trimmed)
        .to_owned()
    }

    /// Stores the session and redirects.
    async fn redirect(
        &self,
        mut session: Session,
        to: String,
        mut cookies: Vec<Cookie>,
        now: DateTime<Utc>,
    ) -> Result<SocialOutcome> {
        self.save_session(&mut session, now).await?;
        cookies.extend(self.session_cookie(&session, now)?);
        Ok(SocialOutcome::Redirect { to, cookies })
    }

    /// Leaves a message for the page where the sign-in began, and goes there.
    async fn fail(
        &self,
        mut session: Session,
        entry: Option<&str>,
        backend: &str,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<SocialOutcome> {
        add_message(&mut session, ERROR, text, &format!("social-auth {backend}"));
        session.remove(PARTIAL_TOKEN);
        let to = AuthEntry::page(entry).to_owned();
        self.redirect(session, to, Vec::new(), now).await
    }

    /// `POST /auth/disconnect/<backend>/[<id>/]`: 302 to the dashboard; the caller has checked sign-in and CSRF.
    pub async fn social_disconnect(
        &self,
        user: &User,
        backend: &str,
        association: Option<i64>,
    ) -> Result<SocialOutcome> {
        if Backend::by_name(backend).is_none() {
            return Ok(SocialOutcome::NotFound);
        }
        let mut sql =
            "DELETE FROM social_auth_usersocialauth WHERE user_id = ? AND provider = ?".to_owned();
        let mut values = params![user.id, backend].to_vec();
        if let Some(id) = association {
            sql.push_str(" AND id = ?");
            values.push(id.into());
        }
        self.db().execute(&sql, &values).await?;
        let to = self.settings().absolute("/dashboard");
        Ok(SocialOutcome::Redirect {
            to,
            cookies: Vec::new(),
        })
    }

    /// The person behind a third party's access token (registration and exchange by API); none when the provider does
    /// not accept it.
    pub(crate) async fn person_of_token(
        &self,
        backend: &str,
        access_token: &str,
    ) -> Result<Option<Pipeline>> {
        let (Some(kind), Some(provider)) =
            (Backend::by_name(backend), self.provider(backend).await?)
        else {
            return Ok(None);
        };
        let Ok(endpoints) = self.endpoints(&provider).await else {
            return Ok(None);
        };
        let none = serde_json::Map::new();
        Ok(self
            .who(&endpoints, kind, &provider, access_token, &none)
            .await
            .ok())
    }
}
