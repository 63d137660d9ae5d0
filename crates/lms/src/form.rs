//! Fields of form bodies and queries, read as Django reads them.

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header::CONTENT_TYPE;
use identity::Form;
use url::form_urlencoded;
use web_kit::WebError;

/// Fields that one form may have (DATA_UPLOAD_MAX_NUMBER_FIELDS).
const MOST_FIELDS: usize = 1000;

/// The fields of a form body, URL-encoded or multipart; uploaded files are left out. A body of another kind, JSON too,
/// acts as an empty form (identity.md §6.1).
#[derive(Debug, Clone, Default)]
pub struct FormBody(pub Form);

impl<S: Send + Sync> FromRequest<S> for FormBody {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_ascii_lowercase();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let bytes = Bytes::from_request(request, state)
                .await
                .map_err(|_| WebError::too_large())?;
            return urlencoded(&bytes).map(Self);
        }
        if kind.starts_with("multipart/form-data") {
            return multipart(request, state).await.map(Self);
        }
        Ok(Self::default())
    }
}

fn urlencoded(bytes: &[u8]) -> Result<Form, WebError> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(bytes)
        .take(MOST_FIELDS + 1)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if fields.len() > MOST_FIELDS {
        return Err(WebError::bad_request("Too many fields."));
    }
    Ok(Form::new(fields))
}

async fn multipart<S: Send + Sync>(request: Request, state: &S) -> Result<Form, WebError> {
    let broken = || WebError::bad_request("Invalid multipart body.");
    let mut body = Multipart::from_request(request, state)
        .await
        .map_err(|_| broken())?;
    let mut fields = Vec::new();
    while let Some(field) = body.next_field().await.map_err(|_| broken())? {
        if field.file_name().is_some() {
            continue;
        }
        let Some(name) = field.name().map(str::to_owned) else {
            continue;
        };
        if fields.len() >= MOST_FIELDS {
            return Err(WebError::bad_request("Too many fields."));
        }
        let bytes = field.bytes().await.map_err(|_| WebError::too_large())?;
        fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(Form::new(fields))
}

/// The fields of a query string.
#[must_use]
pub fn query_form(query: Option<&str>) -> Form {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    Form::new(
        pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_body() {
        let form = urlencoded(b"a=1&b=%C3%A9+x&a=2&c").unwrap_or_default();
        assert_eq!(form.get("a"), Some("2"));
        assert_eq!(form.get("b"), Some("é x"));
        assert_eq!(form.get("c"), Some(""));
        assert_eq!(form.get("d"), None);
        let many = "x=1&".repeat(MOST_FIELDS + 1);
        assert!(urlencoded(many.as_bytes()).is_err());
    }
}
