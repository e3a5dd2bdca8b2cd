//! Who may come in: connections in all and of one address, each closed when it stays silent, and requests a second.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

use crate::config::Limits;

/// A connection on which nothing comes or goes for so long is closed. Websockets are pinged more often.
pub const SILENT: Duration = Duration::from_secs(60);
/// Addresses whose requests are counted; with more of them those that have saved up all they may are forgotten.
const ADDRESSES: usize = 65_536;
/// Before another connection is accepted after one could not be.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections and requests of addresses.
pub struct Guests {
    limits: Limits,
    /// Whether all connections come from a proxy.
    behind_proxy: bool,
    inside: Mutex<Inside>,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// What an address may still ask.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A host's network counts as one where addresses are for the taking: 64 bits of IPv6.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => {
                let [a, b, c, d, ..] = six.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
        },
        four => four,
    }
}

impl Guests {
    /// Nobody yet.
    #[must_use]
    pub fn new(limits: Limits, behind_proxy: bool) -> Arc<Self> {
        Arc::new(Self {
            limits,
            behind_proxy,
            inside: Mutex::default(),
            buckets: Mutex::default(),
        })
    }

    /// Lets a connection in; `None` where there are enough.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        let address = counted(address);
        let mut inside = locked(&self.inside);
        let own = inside.each.get(&address).copied().unwrap_or(0);
        let too_many = !self.behind_proxy && own >= self.limits.connections_each;
        if too_many || inside.all >= self.limits.connections {
            return None;
        }
        inside.all += 1;
        inside.each.insert(address, own + 1);
        Some(Ticket {
            guests: Arc::clone(self),
            address,
        })
    }

    /// Connections that are open.
    pub fn count(&self) -> usize {
        locked(&self.inside).all
    }

    /// Whether an address may ask something that costs so much now.
    pub fn may_ask(&self, address: IpAddr, cost: u32) -> bool {
        self.may_ask_at(address, cost, Instant::now())
    }

    fn may_ask_at(&self, address: IpAddr, cost: u32, now: Instant) -> bool {
        let (rate, most) = (
            f64::from(self.limits.requests_each),
            f64::from(self.limits.burst_each),
        );
        let refilled = |bucket: &Bucket| {
            let seconds = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + seconds * rate).min(most)
        };
        let mut buckets = locked(&self.buckets);
        let address = counted(address);
        if buckets.len() >= ADDRESSES && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| refilled(bucket) < most);
            if buckets.len() >= ADDRESSES {
                return false;
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket {
            tokens: most,
            at: now,
        });
        let tokens = refilled(bucket);
        let cost = f64::from(cost);
        let enough = tokens >= cost;
        *bucket = Bucket {
            tokens: if enough { tokens - cost } else { tokens },
            at: now,
        };
        enough
    }
}

/// A connection that is counted until this is dropped.
pub struct Ticket {
    guests: Arc<Guests>,
    address: IpAddr,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inside = locked(&self.guests.inside);
        inside.all = inside.all.saturating_sub(1);
        if let Some(own) = inside.each.get_mut(&self.address) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                inside.each.remove(&self.address);
            }
        }
    }
}

/// Accepts connections as long as there are not enough.
pub struct Doors {
    /// Where they knock.
    pub listener: TcpListener,
    /// Who is inside.
    pub guests: Arc<Guests>,
}

impl Listener for Doors {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let Some(ticket) = self.guests.enter(address.ip()) else {
                        // Closed at once: whoever is refused costs nothing more.
                        continue;
                    };
                    // A socket that has just gone has no delay to set.
                    let _ = stream.set_nodelay(true);
                    return (Visit::new(stream, ticket), address);
                }
                // Too many open files, say.
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection, closed when it stays silent.
pub struct Visit {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    _ticket: Ticket,
}

impl Visit {
    fn new(stream: TcpStream, ticket: Ticket) -> Self {
        Self {
            stream,
            silence: Box::pin(tokio::time::sleep(SILENT)),
            _ticket: ticket,
        }
    }

    fn stir(&mut self) {
        let until = tokio::time::Instant::now() + SILENT;
        self.silence.as_mut().reset(until);
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(done) => {
                self.stir();
                Poll::Ready(done)
            }
            Poll::Pending => match self.silence.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        if done.is_ready() {
            self.stir();
        }
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guests(behind_proxy: bool) -> Arc<Guests> {
        let limits = Limits {
            connections: 5,
            connections_each: 2,
            requests_each: 2,
            burst_each: 3,
            ..Limits::default()
        };
        Guests::new(limits, behind_proxy)
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_address_does_not_take_all_the_room() {
        let guests = guests(false);
        let greedy: Vec<_> = (0..9).filter_map(|_| guests.enter(address(1))).collect();
        assert_eq!(greedy.len(), 2);
        let other = guests.enter(address(2)).expect("room for another");
        let rest: Vec<_> = (3..9)
            .filter_map(|one| guests.enter(address(one)))
            .collect();
        assert_eq!((rest.len(), guests.count()), (2, 5));
        drop(other);
        assert!(
            guests.enter(address(2)).is_some(),
            "what is free is free again"
        );
        drop((greedy, rest));
        assert_eq!(guests.count(), 0);
    }

    #[test]
    fn behind_a_proxy_only_the_sum_counts() {
        let guests = guests(true);
        let all: Vec<_> = (0..9).filter_map(|_| guests.enter(address(1))).collect();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn requests_are_saved_up_and_come_back_with_time() {
        let (guests, now) = (guests(false), Instant::now());
        let asked = |at: Instant| guests.may_ask_at(address(1), 1, at);
        assert_eq!(
            [asked(now), asked(now), asked(now), asked(now)],
            [true, true, true, false]
        );
        assert!(guests.may_ask_at(address(2), 1, now), "another address");
        let later = now + Duration::from_secs(1);
        assert_eq!(
            [asked(later), asked(later), asked(later)],
            [true, true, false]
        );
        assert!(
            !guests.may_ask_at(address(3), 4, now),
            "more than can be saved up"
        );
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let of = |text: &str| counted(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), address(1));
    }
}
