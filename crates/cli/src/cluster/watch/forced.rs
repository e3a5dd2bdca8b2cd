//! What others did to the positions that are watched: liquidations and deleveraging, from the
//! transactions that name the trader account.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use solana_signature::Signature;

use crate::cluster::history::{entries, naming, transactions, Entry, Naming};
use crate::cluster::session::Session;
use ballast_view::positions::PositionView;

/// Looks after a change in which the node may still learn of its transaction.
const LOOKS_AFTER_A_CHANGE: u32 = 5;
/// Most transactions of one look.
const MOST: usize = 200;

/// Markets with lots and entry, which change with every fill and with nothing else.
type Sizes = Vec<(u16, i64, i64)>;

/// What is known of a trader account.
#[derive(Debug)]
struct Known {
    /// The newest transaction that was told.
    until: Option<Signature>,
    sizes: Sizes,
    looks: u32,
}

/// Finds forced reductions of watched positions, each once.
pub struct Forced {
    naming: Naming,
    known: BTreeMap<Pubkey, Known>,
}

impl Forced {
    /// Knows nothing yet.
    pub async fn new(session: &Session) -> Result<Self> {
        Ok(Self {
            naming: naming(session).await?,
            known: BTreeMap::new(),
        })
    }

    /// What was done to a trader account since the last look; nothing at the first.
    pub async fn look(
        &mut self,
        session: &Session,
        trader: &Pubkey,
        positions: &[PositionView],
    ) -> Result<Vec<Entry>> {
        let sizes: Sizes = positions.iter().map(PositionView::filled).collect();
        let Some(known) = self.known.get_mut(trader) else {
            let last = session.cluster.mentions(trader, None, None, 1).await?;
            let known = Known {
                until: last.first().map(|mention| mention.signature),
                sizes,
                looks: 0,
            };
            self.known.insert(*trader, known);
            return Ok(Vec::new());
        };
        if known.sizes != sizes {
            known.looks = LOOKS_AFTER_A_CHANGE;
        }
        if known.looks == 0 {
            return Ok(Vec::new());
        }
        let news = session.cluster.mentions(trader, known.until, None, MOST);
        let news = news.await?;
        let newest = news.first().map(|mention| mention.signature);
        let past = transactions(session, news).await?;
        // From here on nothing fails: what is told is not told again.
        known.sizes = sizes;
        known.looks -= 1;
        known.until = newest.or(known.until);
        let mut found = entries(&past, *trader, &self.naming);
        found.retain(|entry| entry.kind.is_forced() && entry.lots.is_some());
        Ok(found)
    }
}
