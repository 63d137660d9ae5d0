//! Query parameters and pages, as Django and Django REST framework read and answer them (lms-api.md §0.2).

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use serde_json::{Map, Value, json};
use web_kit::{Origin, WebError, WebKit};

/// The query of a request: pairs in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query; `+` is a blank.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// The last value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of a name, none where it is empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values of a name, each split at commas, without empty ones.
    pub fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// A boolean; an unreadable one is noted in `errors`.
    pub fn boolean(&self, name: &str, errors: &mut FieldErrors) -> Option<bool> {
        match self.get(name)?.to_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            "" | "none" | "null" => None,
            _ => {
                errors.add(name, "Invalid Boolean Value.");
                None
            }
        }
    }

    /// The query with one parameter replaced or removed, its names in order, as pages link to each other.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let mut pairs: Vec<(&str, &str)> = self
            .0
            .iter()
            .filter(|(key, _)| key != name)
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        pairs.extend(value.map(|value| (name, value)));
        pairs.sort_by_key(|(key, _)| *key);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// Errors of a form, field by field.
#[derive(Debug, Default)]
pub struct FieldErrors(Map<String, Value>);

impl FieldErrors {
    /// Notes an error.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        let texts = self.0.entry(field).or_insert_with(|| json!([]));
        if let Some(texts) = texts.as_array_mut() {
            texts.push(text.into().into());
        }
    }

    /// The 400 of all that was noted; nothing noted is fine.
    pub fn check(self) -> Result<(), WebError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(WebError::validation(Value::Object(self.0)))
        }
    }
}

/// Where the client reached us and what it asked for: the base of absolute addresses.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `http://host`, without a slash at its end.
    pub base: String,
    /// The path.
    pub path: String,
}

impl<S> FromRequestParts<S> for Asked
where
    S: Send + Sync,
    WebKit: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let origin = parts
            .extensions
            .get::<Origin>()
            .cloned()
            .unwrap_or_else(|| {
                let kit = WebKit::from_ref(state);
                Origin::read(&parts.uri, &parts.headers, kit.settings().behind_proxy)
            });
        Ok(Self {
            base: origin.base_url(),
            path: parts.uri.path().to_owned(),
        })
    }
}

/// A page of a list in the namespaced envelope.
#[derive(Debug, Clone, Copy)]
pub struct PageOf {
    /// From 1.
    page: usize,
    /// Pages in all, at least 1.
    pages: usize,
    /// Items in all.
    count: usize,
    /// Place of the first item.
    first: usize,
    /// Items a page.
    size: usize,
}

/// Items a page when nothing is asked for.
pub const DEFAULT_PAGE_SIZE: usize = 10;

impl PageOf {
    /// The page asked for. `page_size` above `max` is `max`, an unreadable one the default; a page that does not
    /// exist is 404 `Invalid page.`
    pub fn read(params: &Params, count: usize, max: usize) -> Result<Self, WebError> {
        let size = params
            .get("page_size")
            .and_then(|size| size.trim().parse().ok())
            .filter(|size| *size > 0)
            .map_or(DEFAULT_PAGE_SIZE, |size: usize| size.min(max));
        let pages = count.div_ceil(size).max(1);
        let page = match params.filled("page") {
            None => 1,
            Some("last") => pages,
            Some(page) => page.trim().parse().map_err(|_| WebError::invalid_page())?,
        };
        if page == 0 || page > pages {
            return Err(WebError::invalid_page());
        }
        Ok(Self {
            page,
            pages,
            count,
            first: (page - 1) * size,
            size,
        })
    }

    /// The items of this page.
    #[must_use]
    pub fn of<T>(self, items: &[T]) -> &[T] {
        let end = (self.first + self.size).min(items.len());
        items.get(self.first..end).unwrap_or_default()
    }

    /// Place of the first item and number of items, for a store.
    #[must_use]
    pub fn window(self) -> (i64, i64) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        (number(self.first), number(self.size))
    }

    /// `{next, previous, count, num_pages, current_page, start, results}`.
    #[must_use]
    pub fn default_envelope(self, results: &[Value], params: &Params, asked: &Asked) -> Value {
        let (next, previous) = self.links(params, asked);
        json!({
            "next": next,
            "previous": previous,
            "count": self.count,
            "num_pages": self.pages,
            "current_page": self.page,
            "start": self.first,
            "results": results,
        })
    }

    /// Addresses of the next and the previous page.
    fn links(self, params: &Params, asked: &Asked) -> (Option<String>, Option<String>) {
        let link = |page: usize| {
            let number = page.to_string();
            let query = params.with("page", (page > 1).then_some(number.as_str()));
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}{}{mark}{query}", asked.base, asked.path)
        };
        (
            (self.page < self.pages).then(|| link(self.page + 1)),
            (self.page > 1).then(|| link(self.page - 1)),
        )
    }

    /// `{results, pagination{next, previous, count, num_pages}}`.
    #[must_use]
    pub fn envelope(self, results: &[Value], params: &Params, asked: &Asked) -> Value {
        let (next, previous) = self.links(params, asked);
        json!({
            "results": results,
            "pagination": {
                "next": next,
                "previous": previous,
                "count": self.count,
                "num_pages": self.pages,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lms-api.md §0.2: namespaced pages link to each other with absolute addresses.
    #[test]
    fn pages() {
        let params = Params::parse("page_size=2&page=2&org=a+b");
        let page = PageOf::read(&params, 5, 100).unwrap();
        assert_eq!(page.of(&[1, 2, 3, 4, 5]), [3, 4]);
        let asked = Asked {
            base: "http://h".into(),
            path: "/x/".into(),
        };
        let envelope = page.envelope(&[], &params, &asked);
        assert_eq!(
            envelope["pagination"],
            json!({
                "next": "http://h/x/?org=a+b&page=3&page_size=2",
                "previous": "http://h/x/?org=a+b&page_size=2",
                "count": 5,
                "num_pages": 3,
            })
        );
        for bad in ["page=4&page_size=2", "page=0", "page=zz", "page=-1"] {
            let error = PageOf::read(&Params::parse(bad), 5, 100).unwrap_err();
            assert_eq!(error.status(), 404, "{bad}");
        }
        assert!(PageOf::read(&Params::parse("page=1"), 0, 100).is_ok());
        let big = PageOf::read(&Params::parse("page_size=1000"), 500, 100).unwrap();
        assert_eq!(big.of(&vec![0; 500]).len(), 100);
    }
}
