//! `app/test/fixtures`: instructions, accounts and events with what this client makes of them,
//! for the tests of the TypeScript client. The tests fail when the files differ;
//! `BALLAST_WRITE_FIXTURES=1` writes them.

use ballast_client::accounts::AccountKind;
use ballast_client::{accounts, addresses};
use ballast_engine::book::{Book, NewOrder, OwnOrders};
use ballast_engine::position::Position;
use ballast_engine::queue::Queue;
use ballast_engine::units::{Atoms, FundingIndex, LotPrice, Lots, Side};
use ballast_state::book_account::{OrderSide, BOOK_DISCRIMINATOR};
use ballast_state::events::{
    AutoDeleveraged, BallastEvent, CancelledOrders, CounterpartyCut, Event, OrderCancelled,
    OrderFilled, OrderPlaced, OrderRemoved, PartyTraded, RemovalReason, EVENT_TAG,
};
use ballast_state::exchange::Role;
use ballast_state::order_args::OrderKind;
use ballast_state::queue_account::QUEUE_DISCRIMINATOR;
use bytemuck::Pod;
use serde_json::{json, Value};

use crate::instructions::{self, key};
use crate::json::{hex, keys, Json};

/// Compares a fixture with what it should hold, or writes it.
fn settle(name: &str, value: &Value) {
    let file = crate::file("app/test/fixtures").join(name);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("BALLAST_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "{name} differs; run: BALLAST_WRITE_FIXTURES=1 cargo xtask test --test interface"
    );
}

#[test]
fn all_instructions() {
    let all = instructions::all().into_iter();
    let stated = all.map(|(name, instruction)| {
        let metas = instruction.accounts.iter().map(|meta| {
            json!({
                "address": meta.pubkey.to_string(),
                "signer": meta.is_signer,
                "writable": meta.is_writable,
            })
        });
        json!({
            "name": name,
            "programAddress": instruction.program_id.to_string(),
            "accounts": metas.collect::<Value>(),
            "data": hex(&instruction.data),
        })
    });
    settle("instructions.json", &stated.collect());
}

#[test]
fn derived_addresses() {
    let market = addresses::market(258);
    let stated = json!({
        "collateralVault": addresses::collateral_vault().to_string(),
        "eventAuthority": addresses::event_authority().to_string(),
        "exchange": addresses::exchange().to_string(),
        "insuranceVaultOfMarket258": addresses::insurance_vault(&market).to_string(),
        "market258": market.to_string(),
        "handOverOfPause": addresses::hand_over(Role::Guardian).to_string(),
        "stagedRiskOfMarket258": addresses::staged(0, &market).to_string(),
        "stakesOfMarket258": addresses::stakes(&market).to_string(),
        "poolOfMarket258": addresses::pool(&market).to_string(),
        "shareOfMarket258AndKey10": addresses::share(&addresses::pool(&market), &key(10)).to_string(),
        "protectionOfTrader513InMarket258":
            addresses::protection(&addresses::trader(&key(10), 513), &market).to_string(),
        "trader513OfKey10": addresses::trader(&key(10), 513).to_string(),
        "key10": key(10).to_string(),
    });
    settle("addresses.json", &stated);
}

/// An account with no two neighbouring bytes alike, so that every field has a value of its own.
fn varied<T: Pod>(kind: AccountKind) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let body = bytes.take(std::mem::size_of::<T>());
    kind.discriminator().into_iter().chain(body).collect()
}

/// An account and what the client reads in it.
fn account<T: Pod + Json>(
    kind: AccountKind,
    read: fn(&[u8]) -> Result<T, accounts::DecodeError>,
) -> Value {
    let data = varied::<T>(kind);
    json!({ "data": hex(&data), "fields": read(&data).unwrap().json() })
}

#[test]
fn accounts_of_fixed_size() {
    let stated = json!({
        "exchange": account(AccountKind::Exchange, accounts::exchange),
        "market": account(AccountKind::Market, accounts::market),
        "trader": account(AccountKind::Trader, accounts::trader),
        "staged": account(AccountKind::Staged, accounts::staged),
        "pool": account(AccountKind::Pool, accounts::pool),
        "stakes": account(AccountKind::Stakes, accounts::stakes),
        "share": account(AccountKind::Share, accounts::share),
        "protection": account(AccountKind::Protection, accounts::protection),
    });
    settle("accounts.json", &stated);
}

#[test]
fn a_session() {
    let data = varied::<ballast_state::adl_session::AdlSession>(AccountKind::AdlSession);
    let mut session = accounts::adl_session(&data).unwrap();
    session.selection.len = 3;
    let members: Vec<_> = session.selection.members().iter().map(Json::json).collect();
    let body = bytemuck::bytes_of(&session);
    let stated = json!({
        "data": hex(&[&data[..8], body].concat()),
        "fields": session.json(),
        "members": members,
    });
    settle("adl_session.json", &stated);
}

fn order(trader: u8, side: Side, price: u64, lots: u64, reduce_only: bool) -> NewOrder {
    NewOrder {
        trader: key(trader).to_bytes(),
        side,
        price: LotPrice::new(price).unwrap(),
        lots,
        margin: if reduce_only { 0 } else { 1_000 + price },
        client_id: 7_000_000_000_000_000_000 + price,
        expires_at: 1_900_000_000,
        reduce_only,
    }
}

#[test]
fn a_book() {
    let mut words = vec![0_u64; (addresses::book_space(16) - 8).div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Book::create(bytes, key(1).to_bytes()).unwrap();
    let mut book = Book::new(bytes).unwrap();
    let mut owners = [OwnOrders::EMPTY; 4];
    let bids = [199_000, 198_000, 199_000, 197_500, 199_500];
    let asks = [201_000, 200_500, 200_500, 202_000];
    let sides = [(Side::Long, &bids[..]), (Side::Short, &asks[..])];
    for (side, prices) in sides {
        for (n, price) in (0_u8..).zip(prices) {
            let new = order(30 + n % 4, side, *price, 10 + u64::from(n), n == 3);
            book.insert(&new, &mut owners[usize::from(n % 4)]).unwrap();
        }
    }
    // One leaves, so that a node is free in the middle.
    let second = book.as_ref().find_id(&owners[1], 2).unwrap().unwrap();
    book.remove(second, &mut owners[1]).unwrap();

    let mut data = [&BOOK_DISCRIMINATOR[..], bytemuck::cast_slice(&words)].concat();
    data.extend([0xab; 20]);
    let snapshot = accounts::BookSnapshot::new(&data).unwrap();
    let book = snapshot.book().unwrap();
    let listed = |side| -> Value {
        let orders = book.iter(side).map(|step| {
            let (node, order) = step.unwrap();
            json!({ "node": node, "reduceOnly": order.is_reduce_only(), "order": keys(order.json()) })
        });
        orders.collect()
    };
    let stated = json!({
        "data": hex(&data),
        "header": keys(book.header().json()),
        "bids": listed(Side::Long),
        "asks": listed(Side::Short),
    });
    settle("book.json", &stated);
}

#[test]
fn a_queue() {
    let mut words = vec![0_u64; (addresses::queue_space(16) - 8).div_ceil(8)];
    let bytes = bytemuck::cast_slice_mut(&mut words);
    Queue::create(bytes, key(1).to_bytes(), Side::Short).unwrap();
    let mut queue = Queue::new(bytes).unwrap();
    let mut nodes = Vec::new();
    for n in 0..5_i64 {
        let position = Position {
            lots: Lots::new(-1_000 - n).unwrap(),
            entry_quote: Atoms::new(-190_000_000 - 1_000_003 * n),
            margin: Atoms::new(9_000_000 - 20_000_000 * (n % 2)),
            funding_index: FundingIndex::new(-3),
        };
        let trader = key(u8::try_from(40 + n).unwrap()).to_bytes();
        nodes.push(queue.insert(trader, &position).unwrap());
    }
    queue.remove(nodes.remove(2)).unwrap();

    let data = [&QUEUE_DISCRIMINATOR[..], bytemuck::cast_slice(&words)].concat();
    let snapshot = accounts::QueueSnapshot::new(&data).unwrap();
    let queue = snapshot.queue().unwrap();
    let entries = nodes.iter().map(|node| {
        let entry = queue.entry(*node).unwrap();
        json!({ "node": node, "entry": keys(entry.json()) })
    });
    let stated = json!({
        "data": hex(&data),
        "header": keys(queue.header().json()),
        "entries": entries.collect::<Value>(),
    });
    settle("queue.json", &stated);
}

/// The data of the self-call that announces an event, and the event.
fn announced<E: Event + Json>(event: &E) -> Value {
    let fields = borsh::to_vec(event).unwrap();
    let data = [&EVENT_TAG[..], &E::DISCRIMINATOR, &fields].concat();
    let name = BallastEvent::decode(&data).unwrap().name();
    json!({ "name": name, "data": hex(&data), "fields": event.json() })
}

fn cut(trader: u8, winner: bool) -> CounterpartyCut {
    CounterpartyCut {
        trader: key(trader),
        sequence: 9_007_199_254_740_993 + u64::from(trader),
        lots_before: -6_000,
        entry_quote_before: -1_200_000_000,
        margin_before: 60_000_001,
        winner,
        lots_closed: 3_000,
        quote_atoms: 568_500_000,
        realized_atoms: 31_500_000,
        payout_atoms: 61_500_000,
        gave_up_atoms: 4_500_000,
        cancelled_orders: u32::from(winner),
        cancelled_margin_atoms: 77,
    }
}

fn deleveraged() -> AutoDeleveraged {
    AutoDeleveraged {
        market: key(1),
        bankrupt: key(11),
        keeper: key(12),
        bankruptcy_id: 3,
        bankrupt_lots: 10_000,
        epoch: 2,
        pass_opened: true,
        session: key(0),
        mark_ticks: 188_000,
        funding_index: -42,
        close_quote_atoms: 1_895_000_000,
        close_lots: 10_000,
        rank_tolerance_bps: 100,
        min_profit_bps: 50,
        max_close_bps: 5_000,
        least_lots: 10,
        lots_before: 10_000,
        entry_quote_before: 2_000_000_000,
        margin_before: 100_000_000,
        lots_closed: 6_000,
        lots_after: 4_000,
        deficit_before_atoms: 20_000_000,
        insurance_paid_atoms: 5_000_000,
        held_paid_atoms: 0,
        gave_up_atoms: 9_000_000,
        deficit_after_atoms: 6_000_000,
        insurance_before_atoms: 5_000_000,
        insurance_after_atoms: 0,
        reward_atoms: 11,
        nodes_visited: 12,
        cuts: vec![cut(40, true), cut(41, false)],
        cancelled: Some(CancelledOrders {
            trader: key(11),
            orders: 2,
            margin_atoms: 1_234,
        }),
    }
}

fn placed() -> OrderPlaced {
    OrderPlaced {
        market: key(1),
        trader: key(11),
        order_id: 0,
        client_id: 5,
        side: OrderSide::Ask,
        kind: OrderKind::FillOrKill,
        reduce_only: false,
        price_ticks: 199_000,
        expires_at: -1,
        lots: 25,
        filled_lots: 20,
        resting_lots: 4,
        dropped_lots: 1,
        reserved_atoms: 6,
        mark_ticks: 199_500,
        funding_index: 8,
        open_interest_after: 90_000,
        collected_atoms: 2,
        taker: Some(PartyTraded {
            trader: key(11),
            lots_before: 5,
            lots_after: -15,
            entry_quote_after: -2_985_000,
            margin_before: 100,
            margin_after: 300_000,
            free_before: 400_000,
            free_after: 99_000,
            realized: -17,
            released: 100,
            margin_added: 299_900,
            fee: 1_990,
        }),
        cancelled: vec![OrderCancelled {
            id: 4,
            client_id: 9,
            side: OrderSide::Bid,
            price_ticks: 199_100,
            lots: 3,
            margin_atoms: 30,
        }],
        fills: vec![OrderFilled {
            maker: key(30),
            order_id: 1,
            price_ticks: 199_500,
            lots: 20,
            taker_fee: 1_990,
            maker_fee: -398,
            maker_lots_after: 20,
            maker_margin_after: 500_000,
            order_left: 7,
        }],
        removed: vec![OrderRemoved {
            maker: key(31),
            order_id: 2,
            reason: RemovalReason::Unhealthy,
            price_ticks: 199_400,
            lots: 12,
            fee_atoms: 2,
        }],
        kept_orders: 3,
    }
}

#[test]
fn announced_events() {
    let bare = AutoDeleveraged {
        cuts: Vec::new(),
        cancelled: None,
        ..deleveraged()
    };
    let stated = [
        announced(&deleveraged()),
        announced(&bare),
        announced(&placed()),
    ];
    settle("events.json", &stated.into_iter().collect());
}
