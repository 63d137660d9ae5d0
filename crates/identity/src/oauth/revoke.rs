//! `POST /oauth2/revoke_token` (contracts/identity.md §4.5).

use chrono::{DateTime, Utc};
use db::params;

use super::OAuthError;
use super::store::delete_access_token;
use crate::{Form, Identity, Reply, Result};

impl Identity {
    /// 200 without body whenever the client is known, also for unknown tokens; 400 without a token; 401 for a bad
    /// client. Only the client's own tokens are revoked (§14).
    pub async fn revoke_token(
        &self,
        form: &Form,
        authorization: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let token = form.text("token");
        if token.is_empty() {
            let error = OAuthError::described("invalid_request", "Missing token parameter.");
            return Ok(error.reply());
        }
        let client = match self.client(authorization, form, true).await? {
            Ok(client) => client,
            Err(error) => return Ok(error.reply()),
        };
        let client_id = client.id;
        self.db()
            .write(|mut tx| async move {
                let access = tx
                    .read(
                        "SELECT id, token FROM oauth2_provider_accesstoken \
                         WHERE token = ? AND application_id = ?",
                        &params![token, client_id],
                    )
                    .await?;
                for row in access {
                    if row.text("token")? == token {
                        delete_access_token(&mut tx, row.int("id")?).await?;
                    }
                }
                let refresh = tx
                    .read(
                        "SELECT id, token, access_token_id FROM oauth2_provider_refreshtoken \
                         WHERE token = ? AND application_id = ? AND revoked IS NULL",
                        &params![token, client_id],
                    )
                    .await?;
                for row in refresh {
                    if row.text("token")? != token {
                        continue;
                    }
                    tx.execute(
                        "UPDATE oauth2_provider_refreshtoken SET revoked = ?, updated = ? \
                         WHERE id = ?",
                        &params![now.naive_utc(), now.naive_utc(), row.int("id")?],
                    )
                    .await?;
                    if let Some(access) = row.opt_int("access_token_id")? {
                        delete_access_token(&mut tx, access).await?;
                    }
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(Reply::text(200, ""))
    }
}
