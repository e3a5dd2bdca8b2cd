//! Requests over HTTP, counted, whose errors name the host and no key.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use solana_rpc_client::http_sender::HttpSender;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::{
    reqwest::Url, Error as ClientError, ErrorKind, Result as ClientResult,
};
use solana_rpc_client_api::request::{RpcError, RpcRequest};

use crate::endpoint::Endpoint;

/// How many requests were made and how many of them failed: those that the node did not answer,
/// or answered with an error.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    made: AtomicU64,
    failed: AtomicU64,
}

impl Requests {
    /// Requests made.
    pub fn made(&self) -> u64 {
        self.counts.made.load(Ordering::Relaxed)
    }

    /// Requests that failed.
    pub fn failed(&self) -> u64 {
        self.counts.failed.load(Ordering::Relaxed)
    }

    /// Whether a request waits for its answer.
    pub fn waiting(&self) -> bool {
        self.counts.begun.load(Ordering::Relaxed) > self.made()
    }

    fn begin(&self) {
        self.counts.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn count<T, E>(&self, answer: &Result<T, E>) {
        self.counts.made.fetch_add(1, Ordering::Relaxed);
        if answer.is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A transport that counts what goes through another, and keeps its keys out of errors.
pub struct Counted<S> {
    inner: S,
    endpoint: Endpoint,
    requests: Requests,
}

impl Counted<HttpSender> {
    /// Requests to an endpoint, each with this much time.
    pub fn http(endpoint: &Endpoint, timeout: Duration, requests: Requests) -> Self {
        let inner = HttpSender::new_with_timeout(endpoint.url(), timeout);
        Self::new(inner, endpoint.clone(), requests)
    }
}

impl<S> Counted<S> {
    /// Counts what goes through `inner` to `endpoint`.
    pub const fn new(inner: S, endpoint: Endpoint, requests: Requests) -> Self {
        Self {
            inner,
            endpoint,
            requests,
        }
    }

    /// The error without the keys of the endpoint.
    fn shown(&self, error: ClientError) -> ClientError {
        let ClientError { request, kind } = error;
        let kind = match *kind {
            ErrorKind::Reqwest(error) => match Url::parse(&self.endpoint.host()) {
                Ok(host) => ErrorKind::Reqwest(error.with_url(host)),
                Err(_) => ErrorKind::Reqwest(error.without_url()),
            },
            ErrorKind::Middleware(error) => {
                ErrorKind::Custom(self.endpoint.hide(&format!("{error:#}")))
            }
            ErrorKind::Custom(text) => ErrorKind::Custom(self.endpoint.hide(&text)),
            ErrorKind::RpcError(RpcError::RpcResponseError {
                code,
                message,
                data,
            }) => ErrorKind::RpcError(RpcError::RpcResponseError {
                code,
                message: self.endpoint.hide(&message),
                data,
            }),
            ErrorKind::RpcError(RpcError::RpcRequestError(text)) => {
                ErrorKind::RpcError(RpcError::RpcRequestError(self.endpoint.hide(&text)))
            }
            other => other,
        };
        ClientError {
            request,
            kind: Box::new(kind),
        }
    }
}

type Answer<'a> = Pin<Box<dyn Future<Output = ClientResult<Value>> + Send + 'a>>;

impl<S: RpcSender + Send + Sync> RpcSender for Counted<S> {
    fn send<'a, 'b>(&'a self, request: RpcRequest, params: Value) -> Answer<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            self.requests.begin();
            let answer = self.inner.send(request, params).await;
            self.requests.count(&answer);
            answer.map_err(|error| self.shown(error))
        })
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        self.inner.get_transport_stats()
    }

    fn url(&self) -> String {
        self.endpoint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_among_the_requests() {
        let requests = Requests::default();
        let seen = requests.clone();
        for answer in [Ok(1), Err("no"), Ok(2)] {
            requests.begin();
            assert!(seen.waiting());
            requests.count(&answer);
            assert!(!seen.waiting());
        }
        assert_eq!((seen.made(), seen.failed()), (3, 1));
    }

    #[tokio::test]
    async fn a_node_that_does_not_answer_is_named_without_its_key() {
        let endpoint = Endpoint::new("http://127.0.0.1:1/v2/SECRETKEY?api-key=SECRETKEY");
        let wait = Duration::from_secs(5);
        let transport = Counted::http(&endpoint, wait, Requests::default());
        let answer = transport.send(RpcRequest::GetSlot, Value::Null).await;
        let error = answer.unwrap_err();
        let said = format!("{error} {error:?} {}", transport.url());
        assert!(!said.contains("SECRETKEY"), "{said}");
        assert!(said.contains("http://127.0.0.1:1/"), "{said}");
    }
}
