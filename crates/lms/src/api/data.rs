//! Bodies of REST calls, read as Django REST framework reads them: JSON or a form.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use url::form_urlencoded;
use web_kit::WebError;

/// Fields that one form may have (DATA_UPLOAD_MAX_NUMBER_FIELDS).
const MOST_FIELDS: usize = 1000;

/// The body of a call: a JSON value, or the fields of a form as texts. An empty body is an empty object.
#[derive(Debug, Clone)]
pub struct Data(pub Value);

impl Data {
    /// The fields, none where the body is no object.
    #[must_use]
    pub fn fields(&self) -> Option<&Map<String, Value>> {
        self.0.as_object()
    }

    /// A field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A field that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether there is nothing in the body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Value::Object(fields) => fields.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Null => true,
            _ => false,
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Data {
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| WebError::too_large())?;
        read(&kind, &bytes)
    }
}

fn read(kind: &str, bytes: &[u8]) -> Result<Data, WebError> {
    let media = kind.split(';').next().unwrap_or_default().trim();
    if bytes.is_empty() {
        return Ok(Data(Value::Object(Map::new())));
    }
    match media.to_ascii_lowercase().as_str() {
        "application/json" | "application/merge-patch+json" => serde_json::from_slice(bytes)
            .map(Data)
            .map_err(|error| WebError::bad_request(format!("JSON parse error - {error}"))),
        "application/x-www-form-urlencoded" => {
            let fields: Map<String, Value> = form_urlencoded::parse(bytes)
                .take(MOST_FIELDS)
                .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
                .collect();
            Ok(Data(fields.into()))
        }
        _ => Err(WebError::unsupported_media_type(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// lms-api.md §0.2: bodies are JSON or forms; a broken one is 400, another kind 415.
    #[test]
    fn bodies() {
        let json = read("application/json; charset=utf-8", br#"{"a": 1}"#).unwrap();
        assert_eq!(json.0, json!({"a": 1}));
        let form = read("application/x-www-form-urlencoded", b"a=x+y&b=").unwrap();
        assert_eq!(form.text("a"), Some("x y"));
        assert!(read("", b"").unwrap().is_empty());
        assert_eq!(read("application/json", b"{").unwrap_err().status(), 400);
        assert_eq!(read("text/plain", b"x").unwrap_err().status(), 415);
    }
}
