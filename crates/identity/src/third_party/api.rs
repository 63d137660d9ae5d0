//! What pages and APIs say about providers (contracts/identity.md §6.2, §10.3).

use chrono::{DateTime, Utc};
use db::params;
use django_compat::encoding::quote_plus;
use records::users;
use serde_json::{Map, Value, json};

use super::config::Provider;
use crate::session::Session;
use crate::{Identity, Reply, Result, User};

impl Identity {
    fn provider_urls(&self, provider: &Provider, next: Option<&str>) -> (String, String) {
        let next = self.safe_next(next, "/dashboard");
        let url = |entry: &str| {
            format!(
                "/auth/login/{}/?auth_entry={entry}&next={}",
                provider.backend_name,
                quote_plus(&next)
            )
        };
        (url("login"), url("register"))
    }

    fn provider_json(&self, provider: &Provider, next: Option<&str>) -> Value {
        let (login, register) = self.provider_urls(provider, next);
        let image = &provider.icon_image;
        json!({
            "id": provider.id(),
            "name": provider.name,
            "iconClass": if image.is_empty() { Some(&provider.icon_class) } else { None },
            "iconImage": if image.is_empty() { None } else { Some(image) },
            "skipHintedLogin": provider.skip_hinted_login_dialog,
            "skipRegistrationForm": provider.skip_registration_form,
            "loginUrl": login,
            "registerUrl": register,
        })
    }

    /// `GET /api/mfe_context` and `/api/third_party_auth_context`.
    pub async fn mfe_context(
        &self,
        session: Option<&Session>,
        next: Option<&str>,
        tpa_hint: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let providers = self.providers().await?;
        let listed = |secondary: bool| -> Vec<Value> {
            providers
                .iter()
                .filter(|p| p.secondary == secondary)
                .filter(|p| p.visible || tpa_hint == Some(p.id().as_str()))
                .map(|p| self.provider_json(p, next))
                .collect()
        };
        let running = self.running_pipeline(session, now).await?;
        let current = running
            .as_ref()
            .and_then(|running| providers.iter().find(|p| p.backend_name == running.backend));
        let details = running.as_ref().map_or_else(
            || json!({}),
            |running| {
                json!({
                    "username": running.username,
                    "email": running.email,
                    "name": running.fullname,
                    "firstName": running.first_name,
                    "lastName": running.last_name,
                })
            },
        );
        let message = session
            .and_then(|session| session.text("_messages"))
            .and_then(|stored| serde_json::from_str::<Vec<Vec<Value>>>(stored).ok())
            .and_then(|list| {
                list.iter().find_map(|item| {
                    let tags = item.get(4).and_then(Value::as_str)?;
                    tags.starts_with("social-auth")
                        .then(|| item.get(3).cloned())?
                })
            });
        let finish = current.map(|provider| format!("/auth/complete/{}/?", provider.backend_name));
        let context = json!({
            "currentProvider": current.map(|provider| provider.name.clone()),
            "platformName": self.settings().platform_name,
            "providers": listed(false),
            "secondaryProviders": listed(true),
            "finishAuthUrl": finish,
            "errorMessage": message,
            "registerFormSubmitButtonText": "Create Account",
            "autoSubmitRegForm": current.is_some_and(|provider| provider.skip_registration_form),
            "syncLearnerProfileData":
                current.is_some_and(|provider| provider.sync_learner_profile_data),
            "countryCode": "",
            "welcomePageRedirectUrl": null,
            "pipelineUserDetails": details,
        });
        Ok(Reply::rest(
            200,
            json!({
                "contextData": context,
                "registrationFields": { "fields": {} },
                "optionalFields": { "fields": {}, "extended_profile": [] },
            }),
        ))
    }

    async fn links_of(&self, user_id: i64) -> Result<Vec<(i64, String, String)>> {
        let rows = self
            .db()
            .read(
                "SELECT id, provider, uid FROM social_auth_usersocialauth WHERE user_id = ? \
                 ORDER BY id",
                &params![user_id],
            )
            .await?;
        let mut out = Vec::new();
        for row in rows {
            out.push((row.int("id")?, row.text("provider")?, row.text("uid")?));
        }
        Ok(out)
    }

    /// `GET /api/third_party_auth/v0/users/…`: for oneself, superusers and API keys; others 403 empty, unknown 404.
    pub async fn third_party_user(
        &self,
        viewer: Option<&User>,
        has_api_key: bool,
        username: Option<&str>,
        email: Option<&str>,
    ) -> Result<Reply> {
        let found = match (username, email) {
            (Some(name), _) => users::by_username(self.db(), name).await?,
            (None, Some(email)) => users::by_email(self.db(), email).await?,
            (None, None) => {
                let body = json!(["Must provide one of ['email', 'username']"]);
                return Ok(Reply::rest(400, body));
            }
        };
        let own = |user: &User| viewer.is_some_and(|viewer| viewer.id == user.id);
        let trusted = has_api_key || viewer.is_some_and(|viewer| viewer.is_superuser);
        if !trusted && !found.as_ref().is_some_and(own) {
            return Ok(Reply::empty(403));
        }
        let Some(user) = found else {
            return Ok(Reply::empty(404));
        };
        let providers = self.providers().await?;
        let active: Vec<Value> = self
            .links_of(user.id)
            .await?
            .iter()
            .filter_map(|(_, backend, uid)| {
                let provider = providers.iter().find(|p| p.backend_name == *backend)?;
                Some(json!({
                    "provider_id": provider.id(),
                    "name": provider.name,
                    "remote_id": uid,
                }))
            })
            .collect();
        Ok(Reply::rest(200, json!({ "active": active })))
    }

    /// `GET /api/third_party_auth/v0/providers/user_status`: visible or connected providers.
    pub async fn provider_status(&self, user: &User) -> Result<Reply> {
        let links = self.links_of(user.id).await?;
        let list: Vec<Value> = self
            .providers()
            .await?
            .iter()
            .filter_map(|provider| {
                let link = links
                    .iter()
                    .find(|(_, backend, _)| *backend == provider.backend_name);
                if !provider.visible && link.is_none() {
                    return None;
                }
                let next = quote_plus("/account/settings");
                let backend = &provider.backend_name;
                let mut item = Map::new();
                item.insert("id".into(), provider.id().into());
                item.insert("name".into(), provider.name.clone().into());
                item.insert("connected".into(), link.is_some().into());
                item.insert(
                    "connect_url".into(),
                    format!("/auth/login/{backend}/?auth_entry=account_settings&next={next}")
                        .into(),
                );
                item.insert("accepts_logins".into(), true.into());
                let disconnect = match link {
                    Some((id, _, _)) => format!("/auth/disconnect/{backend}/{id}/?"),
                    None => format!("/auth/disconnect/{backend}/?"),
                };
                item.insert("disconnect_url".into(), disconnect.into());
                Some(Value::Object(item))
            })
            .collect();
        Ok(Reply::rest(200, list.into()))
    }
}
