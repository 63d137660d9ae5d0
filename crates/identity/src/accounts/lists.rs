//! Lists of users and preferences for servers with the API key, and identity verification (contracts/identity.md §8.4).

use chrono::{DateTime, NaiveDateTime, Utc};
use db::params;
use records::users;
use serde_json::{Map, Value, json};

use crate::{Identity, Reply, Result, User};

/// Items a page.
const PAGE_SIZE: i64 = 10;
/// Most items a page.
const MAX_PAGE_SIZE: i64 = 100;

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery<'a> {
    /// Absolute address of the list, without query.
    pub url: &'a str,
    /// Parameter `page`.
    pub page: Option<&'a str>,
    /// Parameter `page_size`.
    pub page_size: Option<&'a str>,
}

impl PageQuery<'_> {
    fn size(&self) -> i64 {
        let wanted = self.page_size.and_then(|size| size.parse().ok());
        wanted
            .filter(|size| *size > 0)
            .unwrap_or(PAGE_SIZE)
            .min(MAX_PAGE_SIZE)
    }

    /// Number of the page, or none for one that is not there.
    fn number(&self, count: i64) -> Option<i64> {
        let pages = self.pages(count);
        match self.page {
            None => Some(1),
            Some("last") => Some(pages),
            Some(text) => text.parse().ok().filter(|page| (1..=pages).contains(page)),
        }
    }

    fn pages(&self, count: i64) -> i64 {
        ((count + self.size() - 1) / self.size()).max(1)
    }

    fn envelope(&self, count: i64, page: i64, results: &[Value]) -> Value {
        let link = |page: i64| {
            let mut query = format!("page={page}");
            if let Some(size) = self.page_size {
                query.push_str("&page_size=");
                query.push_str(&django_compat::encoding::quote_plus(size));
            }
            format!("{}?{query}", self.url)
        };
        let pages = self.pages(count);
        json!({
            "next": (page < pages).then(|| link(page + 1)),
            "previous": (page > 1).then(|| link(page - 1)),
            "count": count,
            "num_pages": pages,
            "current_page": page,
            "start": (page - 1) * self.size(),
            "results": results,
        })
    }
}

fn invalid_page() -> Reply {
    Reply::rest(404, json!({ "detail": "Invalid page." }))
}

impl Identity {
    async fn user_json(&self, user: &User) -> Result<Value> {
        let name = users::profile(self.db(), user.id)
            .await?
            .map(|profile| profile.name);
        let mut all = Map::new();
        for row in records::preferences::all(self.db(), user.id).await? {
            all.insert(row.key, row.value.into());
        }
        let url = self
            .settings()
            .absolute(&format!("/user_api/v1/users/{}/", user.id));
        Ok(json!({
            "id": user.id,
            "url": url,
            "email": user.email,
            "name": name.unwrap_or_default(),
            "username": user.username,
            "preferences": all,
        }))
    }

    /// `GET /users/`: paged; the caller has checked the API key.
    pub async fn list_users(&self, query: &PageQuery<'_>) -> Result<Reply> {
        let count = self
            .db()
            .read_int("SELECT COUNT(*) AS n FROM auth_user", &[])
            .await?;
        let Some(page) = query.number(count) else {
            return Ok(invalid_page());
        };
        let rows = self
            .db()
            .read(
                "SELECT id FROM auth_user ORDER BY id LIMIT ? OFFSET ?",
                &params![query.size(), (page - 1) * query.size()],
            )
            .await?;
        let mut results = Vec::new();
        for row in rows {
            if let Some(user) = users::by_id(self.db(), row.int("id")?).await? {
                results.push(self.user_json(&user).await?);
            }
        }
        Ok(Reply::rest(200, query.envelope(count, page, &results)))
    }

    /// `GET /users/<id>/`.
    pub async fn show_user(&self, id: i64) -> Result<Reply> {
        Ok(match users::by_id(self.db(), id).await? {
            Some(user) => Reply::rest(200, self.user_json(&user).await?),
            None => Reply::rest(404, json!({ "detail": "Not found." })),
        })
    }

    /// `GET /preferences/<key>/users/`: users who have a preference.
    pub async fn users_with_preference(&self, key: &str, query: &PageQuery<'_>) -> Result<Reply> {
        let count = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM user_api_userpreference WHERE `key` = ?",
                &params![key],
            )
            .await?;
        let Some(page) = query.number(count) else {
            return Ok(invalid_page());
        };
        let rows = self
            .db()
            .read(
                "SELECT user_id FROM user_api_userpreference WHERE `key` = ? \
                 ORDER BY user_id LIMIT ? OFFSET ?",
                &params![key, query.size(), (page - 1) * query.size()],
            )
            .await?;
        let mut results = Vec::new();
        for row in rows {
            if let Some(user) = users::by_id(self.db(), row.int("user_id")?).await? {
                results.push(self.user_json(&user).await?);
            }
        }
        Ok(Reply::rest(200, query.envelope(count, page, &results)))
    }

    /// `GET /accounts/<u>/verification_status/`: own, or any for staff (others 403); 404 without a verification.
    pub async fn verification_status(
        &self,
        viewer: &User,
        username: &str,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if viewer.username != username && !viewer.is_staff {
            return Ok(super::forbidden());
        }
        let missing = || Reply::rest(404, json!({ "detail": "Not found." }));
        let Some(user) = users::by_username(self.db(), username).await? else {
            return Ok(missing());
        };
        let row = self
            .db()
            .read_one(
                "SELECT status, expiration_date FROM verify_student_ssoverification \
                 WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT 1",
                &params![user.id],
            )
            .await?;
        let Some(row) = row else {
            return Ok(missing());
        };
        let status = row.text("status")?;
        let expires: Option<NaiveDateTime> = row.opt_datetime("expiration_date")?;
        let live = expires.is_none_or(|expires| expires > now.naive_utc());
        Ok(Reply::rest(
            200,
            json!({
                "is_verified": status == "approved" && live,
                "status": status,
                "expiration_datetime": expires.map(super::moment),
            }),
        ))
    }
}
