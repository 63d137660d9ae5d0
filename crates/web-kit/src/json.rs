//! The JSON spellings of the platform (`lms-api.md` §0.2, `identity.md` §1.1).

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};

use crate::error::WebError;

/// Django REST framework's spelling: compact, UTF-8. `axum::Json` writes the same; this one also carries a status.
#[derive(Debug)]
pub struct DrfJson<T>(pub StatusCode, pub T);

/// The platform's `JsonResponse`: indented by two blanks, other than ASCII escaped.
#[derive(Debug)]
pub struct EdxJson<T>(pub StatusCode, pub T);

impl<T: Serialize> IntoResponse for DrfJson<T> {
    fn into_response(self) -> Response {
        answer(self.0, serde_json::to_vec(&self.1))
    }
}

impl<T: Serialize> IntoResponse for EdxJson<T> {
    fn into_response(self) -> Response {
        let mut bytes = Vec::new();
        let formatter = Ascii(PrettyFormatter::with_indent(b"  "));
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        let written = self.1.serialize(&mut serializer);
        answer(self.0, written.map(|()| bytes))
    }
}

fn answer(status: StatusCode, body: serde_json::Result<Vec<u8>>) -> Response {
    match body {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            *response.status_mut() = status;
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => WebError::internal(error).into_response(),
    }
}

/// Compact JSON with `\uXXXX` for everything beyond ASCII, as Python's `json.dumps` writes it inside documents.
pub fn to_ascii_string<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut bytes, Ascii(CompactFormatter));
    value.serialize(&mut serializer)?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// Escapes what lies beyond ASCII and leaves the rest to `F`.
struct Ascii<F>(F);

impl<F: Formatter> Formatter for Ascii<F> {
    fn write_string_fragment<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> std::io::Result<()> {
        let mut units = [0_u16; 2];
        for letter in fragment.chars() {
            if letter.is_ascii() {
                self.0
                    .write_string_fragment(writer, letter.encode_utf8(&mut [0; 4]))?;
            } else {
                for unit in letter.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        self.0.end_object_value(writer)
    }

    fn write_char_escape<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> std::io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// identity.md §1.1: indented by two, escaped beyond ASCII.
    #[tokio::test]
    async fn platform_json_is_indented_and_ascii() {
        let response = EdxJson(StatusCode::OK, json!({"a": "é😀", "b": [1]})).into_response();
        let body = axum::body::to_bytes(response.into_body(), 1000)
            .await
            .unwrap();
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            "{\n  \"a\": \"\\u00e9\\ud83d\\ude00\",\n  \"b\": [\n    1\n  ]\n}"
        );
    }

    #[test]
    fn ascii_text_escapes() {
        assert_eq!(
            to_ascii_string(&json!({"a": "ü\n"})).unwrap(),
            "{\"a\":\"\\u00fc\\n\"}"
        );
    }
}
