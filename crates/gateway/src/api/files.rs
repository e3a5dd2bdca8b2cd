//! The files of the built web app, read once.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use axum::body::Bytes;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// What a page that is served may do: nothing but its own scripts and styles, and requests to nodes.
pub const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self' https: wss: http: ws:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Bytes of all files together: more is no built app.
const MOST_BYTES: u64 = 64_000_000;

/// Files by their path.
#[derive(Default)]
pub struct Files {
    files: BTreeMap<String, Bytes>,
}

impl Files {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it cannot be read, has no `index.html`, or is too large.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        gather(folder, "", &mut files, &mut bytes)
            .with_context(|| format!("the app at {}", folder.display()))?;
        ensure!(
            files.contains_key("index.html"),
            "{} has no index.html: it is not a built app",
            folder.display()
        );
        Ok(Self { files })
    }

    /// The file at a path; `index.html` at the root.
    pub fn answer(&self, path: &str) -> Response {
        let path = path.trim_start_matches('/');
        let path = if path.is_empty() { "index.html" } else { path };
        let Some(bytes) = self.files.get(path) else {
            return (StatusCode::NOT_FOUND, "there is nothing here\n").into_response();
        };
        // Names of built scripts hold a hash of what is in them.
        let kept = match path.starts_with("assets/") {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        };
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(kind_of(path)),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(POLICY),
            ),
        ];
        (headers, bytes.clone()).into_response()
    }
}

fn gather(
    folder: &Path,
    before: &str,
    files: &mut BTreeMap<String, Bytes>,
    bytes: &mut u64,
) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().context("a name is not text")?;
        let path = format!("{before}{name}");
        // A link may lead out of the folder.
        let kind = entry.file_type()?;
        if kind.is_dir() {
            gather(&entry.path(), &format!("{path}/"), files, bytes)?;
        } else if kind.is_file() {
            *bytes += entry.metadata()?.len();
            ensure!(*bytes <= MOST_BYTES, "it has more than {MOST_BYTES} bytes");
            files.insert(path, std::fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_served_and_with_the_policy() {
        let folder = tempfile::tempdir().unwrap();
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        assert!(Files::read(folder.path()).is_err(), "no index.html");
        std::fs::write(folder.path().join("index.html"), "<p>").unwrap();
        std::fs::write(folder.path().join("assets/a.js"), "1").unwrap();
        std::os::unix::fs::symlink(secret.path(), folder.path().join("link.txt")).unwrap();
        let files = Files::read(folder.path()).unwrap();
        let root = files.answer("/");
        assert_eq!(root.status(), StatusCode::OK);
        assert_eq!(root.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        assert_eq!(root.headers()[header::CACHE_CONTROL], "no-cache");
        let script = files.answer("/assets/a.js");
        assert_eq!(
            script.headers()[header::CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        for path in [
            "/link.txt",
            "/../etc/passwd",
            "/assets/../index.html",
            "/assets",
        ] {
            assert_eq!(files.answer(path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
