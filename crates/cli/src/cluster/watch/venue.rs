//! Reads what changes about the exchange itself.

use std::time::{Duration, Instant};

use anyhow::Result;
use ballast_view::venue::{Mode, News, Venue, Waiting};

use crate::cluster::session::Session;
use crate::cluster::staging;

/// Between two readings of everything that is staged, which the node finds by a search.
const READ_EVERY: Duration = Duration::from_secs(15);

/// What is known of the exchange, and when it was read.
#[derive(Debug, Default)]
pub struct Watched {
    venue: Venue,
    read: Option<Instant>,
}

impl Watched {
    /// Reads what is staged, unless it was read a moment ago; what is new of it.
    pub async fn look(&mut self, session: &Session) -> Result<Vec<News>> {
        if self.read.is_some_and(|read| read.elapsed() < READ_EVERY) {
            return Ok(Vec::new());
        }
        let views = staging::all(session).await?;
        self.read = Some(Instant::now());
        let found = views.iter().map(|view| Waiting {
            id: view.id.clone(),
            staged: view.staged.clone(),
            about: view.about(),
            when: view.when(),
        });
        let mut told = self.venue.staged(found.collect());
        let slot = session.cluster.clock().await?.slot;
        let flags = session.exchange().await?.pauses(slot);
        told.extend(self.venue.paused(flags));
        Ok(told)
    }

    /// Takes over the modes of the markets that are watched.
    pub fn modes(&mut self, found: Vec<Mode>) -> Vec<News> {
        self.venue.modes(found)
    }
}
