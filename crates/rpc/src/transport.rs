//! Requests over HTTP, counted.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use solana_rpc_client::http_sender::HttpSender;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::Result as ClientResult;
use solana_rpc_client_api::request::RpcRequest;

/// How many requests were made and how many of them failed: those that the node did not answer,
/// or answered with an error.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
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

    fn count<T, E>(&self, answer: &Result<T, E>) {
        self.counts.made.fetch_add(1, Ordering::Relaxed);
        if answer.is_err() {
            self.counts.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A transport that counts what goes through another.
pub struct Counted<S> {
    inner: S,
    requests: Requests,
}

impl Counted<HttpSender> {
    /// Requests to `url`, each with this much time.
    pub fn http(url: &str, timeout: Duration, requests: Requests) -> Self {
        Self::new(HttpSender::new_with_timeout(url, timeout), requests)
    }
}

impl<S> Counted<S> {
    /// Counts what goes through `inner`.
    pub const fn new(inner: S, requests: Requests) -> Self {
        Self { inner, requests }
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
            let answer = self.inner.send(request, params).await;
            self.requests.count(&answer);
            answer
        })
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        self.inner.get_transport_stats()
    }

    fn url(&self) -> String {
        self.inner.url()
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
            requests.count(&answer);
        }
        assert_eq!((seen.made(), seen.failed()), (3, 1));
    }
}
