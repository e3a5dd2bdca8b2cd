//! Answers: JSON, files, and sentences about what was wrong.

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ballast_view::digits;
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::store::sql::StoreError;

/// Something that was not answered, and why.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl Refusal {
    /// With a status and a sentence.
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            sentence: sentence.into(),
        }
    }

    /// What was asked makes no sense.
    pub fn bad(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// There is nothing of the kind.
    pub fn missing(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    /// It cannot be told now.
    pub fn not_now(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.sentence}).to_string();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (self.status, kind, body).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "history was not read");
        Self::not_now("history cannot be read now; ask again")
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::not_now(format!("{error:#}"))
    }
}

/// An answer, or why there is none.
pub type Answer = Result<Response, Refusal>;

/// A value as JSON.
///
/// # Errors
/// When it cannot be written.
pub fn shown(value: &impl Serialize) -> Answer {
    let body = serde_json::to_string(value).map_err(anyhow::Error::from)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// A value as JSON in which whole numbers of more than 32 bits are strings.
///
/// # Errors
/// When it cannot be written.
pub fn digits_shown(value: &impl Serialize) -> Answer {
    let body = digits::json(value)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Lines of comma-separated values.
///
/// # Errors
/// When they cannot be written.
pub fn csv_shown<T: Serialize>(rows: &[T], name: &str) -> Answer {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(anyhow::Error::from)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| anyhow::Error::msg(error.to_string()))?;
    let file = format!("attachment; filename=\"{name}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, file),
    ];
    Ok((headers, bytes).into_response())
}

/// The tag of a body.
#[must_use]
pub fn tag_of(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    format!("\"{}\"", ballast_view::staged::hex(&digest[..16]))
}

/// An answer of a whole body with its tag; nothing but the tag where whoever asks has it.
pub fn tagged(asked: &HeaderMap, response: Response, body: Bytes) -> Response {
    let tag = tag_of(&body);
    let known = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| {
            value
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    let (mut parts, _) = response.into_parts();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
    }
    match known {
        true => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.status = StatusCode::NOT_MODIFIED;
            Response::from_parts(parts, axum::body::Body::empty())
        }
        false => Response::from_parts(parts, axum::body::Body::from(body)),
    }
}

/// What is asked for behind the question mark; what is not known is refused.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let read = read.map_err(|error| Refusal::bad(error.body_text()))?;
        Ok(Self(read.0))
    }
}

/// A body of JSON.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn body_of<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(format!("the body: {error}")))
}
