//! A pool from the first deposit to a withdrawal, each amount computed anew: a crash in which it takes lots over,
//! a second depositor who comes after, margin, an unwind into the book, a request and its payment.

use ballast_engine::pool::PoolParams;
use ballast_sandbox::{Quote, Wallet};

use crate::orders::bid;
use crate::pool_take::{eager, inventory, step};
use crate::support::{done, Venue, USD};
use crate::{among, event};

/// What the pool is to have, atoms, by the arithmetic of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Books {
    free: i128,
    lots: i128,
    entry: i128,
    margin: i128,
    shares: i128,
}

impl Books {
    fn equity(&self, ticks: i128) -> i128 {
        self.margin + self.lots * ticks - self.entry
    }

    /// What the pool is worth to whoever leaves, at the price that counts for it: half a per cent of the position's
    /// notional is what leaving costs.
    fn low(&self, ticks: i128) -> i128 {
        let charge = ceil(self.lots * ticks * 50, 10_000);
        self.free + self.equity(ticks) - charge
    }

    /// The same to whoever joins.
    fn high(&self, ticks: i128) -> i128 {
        self.free + self.equity(ticks).max(0)
    }

    /// What so many shares are worth of a pool that is worth `atoms`.
    fn value(&self, shares: i128, atoms: i128) -> i128 {
        shares * (atoms + 1) / (self.shares + 1_000)
    }

    /// Fails unless the program has the same.
    #[track_caller]
    fn agree(&self, venue: &Venue) {
        let held = inventory(venue);
        let (lots, entry, margin) =
            held.map_or((0, 0, 0), |slot| (slot.lots, slot.entry_quote, slot.margin));
        let found = Self {
            free: venue
                .sandbox
                .trader(&venue.market.pool_trader())
                .free
                .into(),
            lots: lots.into(),
            entry: entry.into(),
            margin: margin.into(),
            shares: venue.sandbox.pool(&venue.market).shares.into(),
        };
        assert_eq!(found, *self);
        venue.conserves();
    }
}

fn ceil(of: i128, by: i128) -> i128 {
    -((-of).div_euclid(by))
}

fn shares(venue: &Venue, wallet: &Wallet) -> i128 {
    let share = venue.sandbox.share(&venue.market.pool(), &wallet.address());
    share.shares.into()
}

/// Lets slots pass and publishes a price with its confidence and average.
fn quoted(venue: &mut Venue, slots: u64, (ticks, conf_ticks, ema_ticks): (u64, u64, u64)) {
    venue.sandbox.advance_slots(slots);
    let quote = Quote {
        ticks,
        conf_ticks,
        ema_ticks,
        publish_time: venue.sandbox.time(),
    };
    venue.sandbox.set_quote(&venue.market, &quote);
}

#[test]
fn from_a_deposit_through_a_crash_to_a_withdrawal_every_atom_is_accounted_for() {
    let mut venue = Venue::open();
    let market = venue.market.clone();
    let params = PoolParams {
        margin_bps: 5_000,
        ..eager()
    };
    done(venue.sandbox.create_pool(&market, params));
    let mut books = Books::default();
    let usd = i128::from(USD);

    // The first deposit: a thousand shares an atom.
    let first = venue.sandbox.depositor(&market, 1_000 * USD);
    (books.free, books.shares) = (1_000 * usd, 1_000_000 * usd);
    books.agree(&venue);

    // A crash from $200 to $194. Alice is liquidated; nobody is in the book, so that the pool takes a fifth of her
    // 10,000 lots, 25 basis points below the mark, and gives the position half of its notional.
    let keeper = venue.trader(100);
    for ticks in [198_000, 196_000] {
        venue.price(ticks);
        step(&mut venue, &keeper).expect_err("alice has her maintenance margin");
    }
    venue.price(194_000);
    let took = among!(done(step(&mut venue, &keeper)), PoolTook);
    let (lots, mark) = (2_000, 194_000);
    let discount = lots * mark * 25 / 10_000;
    let margin = lots * mark / 2 - discount;
    assert_eq!(i128::from(took.lots), lots);
    assert_eq!(i128::from(took.quote_atoms), lots * mark - discount);
    assert_eq!(i128::from(took.discount_atoms), discount);
    assert_eq!(i128::from(took.margin_added), margin);
    books = Books {
        free: books.free - margin,
        lots,
        entry: lots * mark - discount,
        margin,
        ..books
    };
    books.agree(&venue);

    // Somebody joins: the position counts at the average, which is above the price; leaving, at the price less its
    // confidence.
    quoted(&mut venue, 1, (193_500, 100, 194_200));
    let second = venue.sandbox.create_wallet(500 * USD).unwrap();
    done(venue.sandbox.create_share(&market.pool(), &second));
    let joined = event!(
        done(venue.sandbox.deposit_pool(&market, &second, 500 * USD)),
        PoolDeposited
    );
    let (high, low) = (books.high(194_200), books.low(193_400));
    assert_eq!(i128::from(joined.worth_high), high);
    assert_eq!(i128::from(joined.worth_low), low);
    let bought = 500 * usd * (books.shares + 1_000) / (high + 1);
    assert_eq!(i128::from(joined.shares), bought);
    let of_first = (
        books.value(1_000_000 * usd, high),
        books.value(1_000_000 * usd, low),
    );
    books.free += 500 * usd;
    books.shares += bought;
    books.agree(&venue);
    // It owns what it paid, at the price at which it joined, and who was there has no less at any.
    let own = books.value(bought, high + 500 * usd);
    assert!((500 * usd - 2..=500 * usd).contains(&own), "{own}");
    let now = |atoms| books.value(1_000_000 * usd, atoms + 500 * usd);
    assert!(now(high) >= of_first.0 && now(low) >= of_first.1);

    // At $193 the equity is less than half of the notional.
    quoted(&mut venue, 1, (193_000, 0, 193_000));
    let moved = books.lots * 193_000 / 2 - books.equity(193_000);
    let synced = event!(done(venue.sandbox.sync_pool(&market)), PoolSynced);
    assert_eq!(i128::from(synced.moved_atoms), moved);
    assert!(moved > 0);
    books.free -= moved;
    books.margin += moved;
    books.agree(&venue);

    // A bid above the auction's last price, three basis points below the mark, gets a fifth of the position.
    let maker = venue.trader(1_000);
    venue.place(&maker, bid(192_950, 5_000), &[]);
    quoted(&mut venue, 150, (193_000, 0, 193_000));
    let call = venue
        .sandbox
        .unwind_pool(&market, &keeper, &[maker.address]);
    let unwound = event!(done(call), PoolUnwound);
    assert_eq!(
        i128::from(unwound.limit_ticks),
        ceil(193_000 * 9_997, 10_000)
    );
    let closed = 400;
    assert_eq!(i128::from(unwound.closed_lots), closed);
    let (entry, released) = (books.entry / 5, books.margin / 5);
    let realized = closed * 192_950 - entry;
    let fee = ceil(closed * 192_950 * 5, 10_000);
    let for_keeper = closed * 193_000 * 2 / 10_000;
    assert_eq!(i128::from(unwound.taker.realized), realized);
    assert_eq!(i128::from(unwound.taker.released), released);
    assert_eq!(i128::from(unwound.taker.fee), fee);
    assert_eq!(i128::from(unwound.keeper_atoms), for_keeper);
    books = Books {
        free: books.free + released + realized - fee - for_keeper,
        lots: books.lots - closed,
        entry: books.entry - entry,
        margin: books.margin - released,
        ..books
    };
    books.agree(&venue);
    assert_eq!(i128::from(venue.free(&keeper)), 100 * usd + for_keeper);

    // The first depositor asks for half of its shares.
    quoted(&mut venue, 1, (193_000, 50, 192_800));
    let half = 500_000 * usd;
    let requested = event!(
        done(venue.sandbox.request_pool(&market, &first, 500_000 * USD)),
        PoolRequested
    );
    let then = books.value(half, books.low(192_800));
    assert_eq!(i128::from(requested.value_atoms), then);
    assert_eq!(i128::from(requested.worth_low), books.low(192_800));

    // Four days later the price is lower: it is paid what the shares are worth now.
    quoted(
        &mut venue,
        params.withdraw_delay_slots,
        (192_500, 0, 192_500),
    );
    let low = books.low(192_500);
    let now = books.value(half, low);
    assert!(now < then);
    let of_second = books.value(bought, low);
    let paid = event!(
        done(venue.sandbox.withdraw_pool(&market, &first, 0)),
        PoolWithdrawn
    );
    assert_eq!(i128::from(paid.amount), now);
    assert_eq!((i128::from(paid.shares), paid.requested_after), (half, 0));
    assert_eq!(i128::from(paid.worth_low), low);
    books.free -= now;
    books.shares -= half;
    books.agree(&venue);
    assert_eq!(i128::from(venue.sandbox.token_balance(&first.tokens)), now);
    assert_eq!(
        (shares(&venue, &first), shares(&venue, &second)),
        (half, bought)
    );
    // Who stays has no less of what is left, and no more than an atom more.
    let left = books.value(bought, low - now);
    assert!(
        (of_second..=of_second + 1).contains(&left),
        "{of_second} {left}"
    );
    // Everything that came in is where it should be: the pool's own books have no other entry.
    let in_position = books.margin + books.lots * 192_500 - books.entry;
    let sources = 1_500 * usd + discount - fee - for_keeper - now;
    let price_loss = lots * 194_000 - (closed * 192_950 + books.lots * 192_500);
    assert_eq!(books.free + in_position, sources - price_loss);
}
