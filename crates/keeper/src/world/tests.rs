//! Accounts as they come: in order, late, twice, or not at all.

use super::*;

use anchor_lang::prelude::Pubkey;
use ballast_client::accounts::AccountKind;
use ballast_state::position_slot::PositionSlot;
use bytemuck::Zeroable;

const WALLET: Pubkey = Pubkey::new_from_array([1; 32]);
const OWN: Pubkey = Pubkey::new_from_array([2; 32]);
const MARKET: Pubkey = Pubkey::new_from_array([3; 32]);
const PRICE: Pubkey = Pubkey::new_from_array([4; 32]);
const ANN: Pubkey = Pubkey::new_from_array([5; 32]);
const BEN: Pubkey = Pubkey::new_from_array([6; 32]);

fn world() -> World {
    let mut market = Market::zeroed();
    market.insurance_vault = Pubkey::new_from_array([7; 32]);
    World::new(Exchange::zeroed(), &[(MARKET, market, PRICE)], WALLET, OWN)
}

fn trader(lots: i64) -> Trader {
    let mut trader = Trader::zeroed();
    trader.positions[0] = PositionSlot {
        market: MARKET,
        lots,
        entry_quote: lots * 10,
        ..PositionSlot::zeroed()
    };
    trader
}

fn account<T: bytemuck::Pod>(kind: AccountKind, value: &T) -> Account {
    let mut data = kind.discriminator().to_vec();
    data.extend(bytemuck::bytes_of(value));
    Account {
        lamports: 1,
        data,
        owner: ballast_state::ID,
        ..Account::default()
    }
}

fn lots(world: &World, address: &Pubkey) -> Option<i64> {
    let positions = &world.markets[0].state.positions;
    positions.get(address).map(|it| it.position.lots.get())
}

fn hear(world: &mut World, slot: u64, address: &Pubkey, lots: i64) {
    let account = account(AccountKind::Trader, &trader(lots));
    world.apply(slot, address, Some(&account), Instant::now());
}

#[test]
fn nothing_older_replaces_what_is_known() {
    let mut world = world();
    hear(&mut world, 10, &ANN, 5);
    hear(&mut world, 9, &ANN, 4);
    assert_eq!(lots(&world, &ANN), Some(5));
    hear(&mut world, 10, &ANN, 6);
    assert_eq!(
        lots(&world, &ANN),
        Some(6),
        "the later word on the same slot"
    );
    world.apply_traders(9, &[(ANN, trader(1)), (BEN, trader(2))]);
    assert_eq!((lots(&world, &ANN), lots(&world, &BEN)), (Some(6), Some(2)));
    world.apply(11, &ANN, None, Instant::now());
    assert_eq!(lots(&world, &ANN), None);
}

#[test]
fn what_a_full_reading_lacks_is_gone_unless_it_is_newer() {
    let mut world = world();
    hear(&mut world, 10, &ANN, 5);
    hear(&mut world, 21, &BEN, 6);
    world.end_absent(20, &HashSet::new());
    assert_eq!((lots(&world, &ANN), lots(&world, &BEN)), (None, Some(6)));
    world.end_absent(21, &HashSet::from([BEN]));
    assert_eq!(lots(&world, &BEN), Some(6));
    world.end_absent(21, &HashSet::new());
    assert_eq!(lots(&world, &BEN), None);
}

#[test]
fn protective_steps_are_known_until_their_account_is_gone() {
    let mut world = world();
    let address = addresses::protection(&ANN, &MARKET);
    let steps = |base_lots| Protection {
        market: MARKET,
        trader: ANN,
        base_lots,
        sequence: 7,
        ..Protection::zeroed()
    };
    let lots = |world: &World| {
        let known = world.markets[0].state.protections.get(&ANN);
        known.map(|steps| steps.base_lots)
    };
    let found = account(AccountKind::Protection, &steps(5));
    world.markets[0].news = false;
    world.apply(10, &address, Some(&found), Instant::now());
    assert!(world.markets[0].news);
    assert_eq!(lots(&world), Some(5));
    world.apply_protections(9, &[(address, steps(4))]);
    assert_eq!(lots(&world), Some(5), "older");
    world.forget_steps(&MARKET, &ANN, 7);
    assert_eq!(lots(&world), None, "its position has ended");
    world.apply_protections(11, &[(address, steps(6))]);
    world.end_absent(11, &HashSet::from([address]));
    assert_eq!(lots(&world), Some(6));
    world.end_absent(11, &HashSet::new());
    assert_eq!(lots(&world), None);
}

#[test]
fn after_a_new_connection_the_node_is_believed_again() {
    let mut world = world();
    hear(&mut world, 100, &ANN, 5);
    hear(&mut world, 100, &BEN, 6);
    world.doubt();
    world.apply_traders(90, &[(ANN, trader(4))]);
    world.end_absent(90, &HashSet::from([ANN]));
    assert_eq!((lots(&world, &ANN), lots(&world, &BEN)), (Some(4), None));
}

#[test]
fn news_are_noted_only_where_something_changed() {
    let mut world = world();
    world.markets[0].news = false;
    hear(&mut world, 1, &ANN, 0);
    assert!(!world.markets[0].news, "no position");
    hear(&mut world, 2, &ANN, 5);
    assert!(core::mem::take(&mut world.markets[0].news));
    hear(&mut world, 3, &ANN, 5);
    assert!(!world.markets[0].news, "the same position");
    world.apply(4, &ANN, None, Instant::now());
    assert!(world.markets[0].news);
}

#[test]
fn each_account_has_its_role() {
    let mut world = world();
    let now = Instant::now();
    let purse = Account {
        lamports: 77,
        ..Account::default()
    };
    world.apply(5, &WALLET, Some(&purse), now);
    assert_eq!(world.lamports, 77);
    world.apply(6, &WALLET, None, now);
    assert_eq!(world.lamports, 0, "an account without lamports is none");

    let mut exchange = Exchange::zeroed();
    let guardian = exchange.guardian;
    exchange.set_pause(&guardian, 3, 10, 1).unwrap();
    world.apply(
        5,
        &addresses::exchange(),
        Some(&account(AccountKind::Exchange, &exchange)),
        now,
    );
    assert_eq!(world.conditions(&Work::default()).pause_flags, 3);

    let mut market = Market::zeroed();
    market.liquidations = 8;
    world.apply(
        5,
        &MARKET,
        Some(&account(AccountKind::Market, &market)),
        now,
    );
    assert_eq!(world.markets[0].state.market.liquidations, 8);

    let words = [500_u64, 0, 0, 0, 1_234].map(u64::to_le_bytes);
    let ticking = Account {
        data: words.concat(),
        ..Account::default()
    };
    world.apply(5, &clock_address(), Some(&ticking), now);
    assert_eq!((world.clock.slot, world.clock.unix_timestamp), (500, 1_234));
    assert!(!world.is_rolled_back(350) && world.is_rolled_back(349));

    let mut vault = Account {
        data: vec![0; 165],
        ..Account::default()
    };
    vault.data[64..72].copy_from_slice(&99_u64.to_le_bytes());
    world.apply(5, &Pubkey::new_from_array([7; 32]), Some(&vault), now);
    assert_eq!(world.markets[0].vault, Some((99, Pubkey::default())));
}

#[test]
fn everything_but_traders_is_followed_one_by_one() {
    let world = world();
    let all = world.addresses();
    let backstop = &world.markets[0].state.backstop;
    for address in [
        WALLET,
        OWN,
        MARKET,
        PRICE,
        backstop.address,
        backstop.trader,
        addresses::exchange(),
        addresses::board(),
        clock_address(),
    ] {
        assert!(all.contains(&address), "{address}");
    }
    assert_eq!(all.len(), 10, "and the insurance vault");
}

#[test]
fn a_pool_is_seen_when_it_is_created_stopped_and_reset() {
    let mut world = world();
    let (pool, trader) = {
        let backstop = &world.markets[0].state.backstop;
        (backstop.address, backstop.trader)
    };
    let followed = world.addresses();
    assert!(followed.contains(&pool) && followed.contains(&trader));
    let mut hear = |slot, change: fn(&mut Pool)| {
        let mut found = Pool::zeroed();
        change(&mut found);
        let account = account(AccountKind::Pool, &found);
        world.markets[0].news = false;
        world.apply(slot, &pool, Some(&account), Instant::now());
        let market = &world.markets[0];
        let known = market.state.backstop.pool.as_deref().unwrap();
        (market.news, known.stopped, known.epoch)
    };
    assert_eq!(hear(10, |_| ()), (true, 0, 0));
    assert_eq!(hear(11, |pool| pool.stopped = 1), (true, 1, 0));
    assert_eq!(hear(12, |pool| pool.epoch = 3), (true, 0, 3));
    assert_eq!(hear(11, |_| ()), (false, 0, 3), "older");

    let mut money = Trader::zeroed();
    money.free = 77;
    world.apply_traders(13, &[(trader, money)]);
    let known = |world: &World| {
        let account = world.markets[0].state.backstop.account.as_deref();
        account.map(|account| account.free)
    };
    assert_eq!(known(&world), Some(77));
    world.apply(14, &trader, None, Instant::now());
    assert_eq!(known(&world), None);
}
