//! Which bytes a migration writes, account by account.

use ballast_engine::volatility::Volatility;
use ballast_state::exchange::Delays;
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use bytemuck::pod_read_unaligned;

use crate::snapshot::{Old, Outdated};

/// Offsets, discriminator included, at which the account differs after its migration.
fn changed(old: &mut Old, account: Outdated) -> Vec<usize> {
    let address = old.address(account);
    let before = old.sandbox.account(&address).unwrap();
    old.migrate(account).unwrap();
    let after = old.sandbox.account(&address).unwrap();
    assert_eq!(before.data.len(), after.data.len(), "nothing grows");
    assert_eq!(before.lamports, after.lamports, "nobody pays");
    let pairs = before.data.iter().zip(&after.data).enumerate();
    pairs
        .filter(|(_, (a, b))| a != b)
        .map(|(at, _)| at)
        .collect()
}

fn within(changed: &[usize], ranges: &[std::ops::Range<usize>]) -> bool {
    let known = |at: &usize| ranges.iter().any(|range| range.contains(at));
    changed.iter().all(known)
}

#[test]
fn exchange_market_and_queues_change_where_they_should() {
    let mut old = Old::load();
    let exchange = changed(&mut old, Outdated::Exchange);
    assert!(exchange.contains(&8) && exchange.contains(&280));
    // The delays are those of an exchange as it is deployed.
    assert!(
        within(&exchange, &[8..9, 280..292, 296..312]),
        "{exchange:?}"
    );
    assert_eq!(old.sandbox.exchange().delays(), Delays::DEFAULT);
    for queue in [Outdated::QueueLong, Outdated::QueueShort] {
        assert_eq!(changed(&mut old, queue), vec![8 + 36]);
    }
    let before = old.sandbox.account(&old.market.keys.market).unwrap().data;
    // First slot, level and payments of the window under way.
    let [start, _, drawn] =
        [664, 672, 680].map(|at| pod_read_unaligned::<u64>(&before[at..at + 8]));
    let market = changed(&mut old, Outdated::Market);
    assert!(
        within(&market, &[8..9, 32..64, 576..624, 664..688]),
        "{market:?}"
    );
    let bytes = old.sandbox.account(&old.market.keys.market).unwrap().data;
    let market: Market = pod_read_unaligned(&bytes[8..]);
    // The book is still old.
    assert_eq!(
        (market.funding.impact_bid, market.funding.impact_ask),
        (0, 0)
    );
    assert_eq!(
        (market.held.atoms, market.price_clock.earlier_ticks),
        (0, 0)
    );
    // The key of the exchange stood there.
    assert_ne!(&before[32..64], [0; 32]);
    assert_eq!(market.volatility, Volatility::default());
    let over = old.sandbox.slot() >= start + market.risk.insurance_window_slots;
    let paid = if over { 0 } else { drawn };
    // The window under way becomes the newest bucket.
    let window = market.insurance_fund().window;
    assert_eq!(window.sums, [paid, 0, 0, 0]);
    let length = market.risk.insurance_window_slots;
    assert_eq!(window.bucket, old.sandbox.slot() / length.div_ceil(3));
}

#[test]
fn a_book_changes_its_sums_alone() {
    let mut old = Old::load();
    let book = changed(&mut old, Outdated::Book);
    let header = 8 + 128;
    for at in &book {
        let known = match at.checked_sub(header) {
            None => *at == 8 + 32,
            Some(node) => matches!(node % 112, 48..64 | 76..80),
        };
        assert!(known, "{at}");
    }
    let sums = |range: std::ops::Range<usize>| {
        let nodes = book.iter().filter_map(|at| at.checked_sub(header));
        nodes.filter(|node| range.contains(&(node % 112))).count()
    };
    assert!(sums(48..64) > 0, "reduce-only orders no longer count");
    assert!(sums(76..80) > 0, "expiries count");
    let snapshot = old.sandbox.book(&old.market);
    assert_eq!(snapshot.book().unwrap().invariant(), Ok(()));
}

#[test]
fn a_trader_learns_what_it_put_in_and_when_it_was_seen() {
    let mut old = Old::load();
    old.migrate(Outdated::Book).unwrap();
    let mut paid = 0;
    for number in 0..old.traders.len() {
        let account = Outdated::Trader(number);
        let address = old.address(account);
        let read = |old: &Old| -> Trader {
            pod_read_unaligned(&old.sandbox.account(&address).unwrap().data[8..])
        };
        let before = read(&old);
        changed(&mut old, account);
        let after = read(&old);
        assert_eq!((before.free, before.owner), (after.free, after.owner));
        for (was, is) in before.positions.iter().zip(&after.positions) {
            if was.is_empty() || is.is_empty() {
                assert_eq!(was.lots, 0);
                continue;
            }
            assert_eq!(was.position(), is.position());
            assert_eq!((was.order_margin, is.held_shares), (is.order_margin, 0));
            assert_eq!(is.held_epoch, 0);
            assert_eq!(
                (was.stop_loss, was.take_profit),
                (is.stop_loss, is.take_profit)
            );
            assert_eq!(i64::try_from(is.paid_in).unwrap(), is.margin.max(0));
            assert_eq!(is.seen_slot, is.flagged_slot.max(is.bankrupt_slot));
            assert_eq!(is.bankruptcy_id, was.bankruptcy_id);
            paid += u32::from(is.paid_in > 0);
        }
    }
    assert!(paid > 15, "{paid}");
}

#[test]
fn reduce_only_orders_come_under_today_s_rules() {
    let mut old = Old::load();
    old.migrate_all();
    let counts = |number: usize| {
        let address = old.traders[number].address;
        let slot = old.sandbox.position(&old.market, &address);
        slot.map(|slot| (slot.order_count, slot.reduce_only_count))
    };
    // Six asks of 600 for 2,000 lots, and a bid that opens: three whole ones and a part stay.
    assert_eq!(counts(0), Some((5, 4)));
    // Its position has turned; another's is closed.
    assert_eq!(counts(7), Some((0, 0)));
    assert_eq!(counts(9), None);
    let address = old.traders[0].address;
    let slot = old.sandbox.position(&old.market, &address).unwrap();
    let snapshot = old.sandbox.book(&old.market);
    let book = snapshot.book().unwrap();
    assert_eq!(book.reduce_only_lots(&slot.own_orders()), Ok(2_000));
}
