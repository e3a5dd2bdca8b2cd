//! Writing accounts that no transaction of the benchmark makes: traders behind the positions of a
//! filled queue, and positions in other markets.

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use ballast_client::ranking::PlannedCut;
use ballast_engine::book::OwnOrders;
use ballast_sandbox::Sandbox;
use ballast_state::position_slot::PositionSlot;
use ballast_state::queue_account::NO_NODE;
use ballast_state::trader::{Trader, MAX_POSITIONS, TRADER_DISCRIMINATOR, TRADER_VERSION};
use bytemuck::{Pod, Zeroable};
use solana_account::Account;

/// Changes the body of an account of the program.
pub fn change<T: Pod>(
    sandbox: &mut Sandbox,
    address: &Pubkey,
    change: impl FnOnce(&mut T),
) -> Result<()> {
    let mut account = sandbox.account(address).context("no account to change")?;
    let body = account
        .data
        .get_mut(8..8 + size_of::<T>())
        .context("an account of another type")?;
    let mut value: T = bytemuck::pod_read_unaligned(body);
    change(&mut value);
    body.copy_from_slice(bytemuck::bytes_of(&value));
    sandbox.set_account(address, account);
    Ok(())
}

/// Writes the trader account behind a position of a filled queue, unless there is one. It holds
/// this position and the orders `own`, and in `others` of its slots before it positions in other
/// markets.
pub fn trader(
    sandbox: &mut Sandbox,
    market: &Pubkey,
    planned: &PlannedCut,
    own: &OwnOrders,
    others: usize,
) -> Result<()> {
    if sandbox.account(&planned.trader).is_some() {
        return Ok(());
    }
    let mut trader = Trader::zeroed();
    trader.version = TRADER_VERSION;
    trader.owner = planned.trader;
    let mut slot = PositionSlot::zeroed();
    slot.market = *market;
    slot.queue_node = planned.node;
    slot.store_own_orders(own);
    slot.store(&planned.before);
    trader.positions[0] = slot;
    trader.position_count = 1;
    crowd(&mut trader, market, others)?;
    let mut data = TRADER_DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&trader));
    let account = Account {
        lamports: sandbox.rent(data.len()),
        data,
        owner: ballast_state::ID,
        executable: false,
        rent_epoch: u64::MAX,
    };
    sandbox.set_account(&planned.trader, account);
    Ok(())
}

/// Puts positions in `others` other markets before the one in `market`, if there is one.
pub fn crowd(trader: &mut Trader, market: &Pubkey, others: usize) -> Result<()> {
    let own = trader.find(market).and_then(|index| {
        let slot = trader.positions.get_mut(index)?;
        Some(std::mem::replace(slot, PositionSlot::zeroed()))
    });
    let mut used = 0;
    for slot in trader.positions.iter_mut().take(others) {
        used += 1;
        slot.market = Pubkey::new_from_array([used; 32]);
        (slot.lots, slot.entry_quote, slot.margin) = (1, 200_000, 200_000);
        slot.order_head = NO_NODE;
    }
    if let Some(own) = own {
        let slot = trader.positions.get_mut(others).with_context(|| {
            format!("an account has {MAX_POSITIONS} positions, not {others} and one more")
        })?;
        *slot = own;
        used += 1;
    }
    trader.position_count = u32::from(used);
    Ok(())
}
