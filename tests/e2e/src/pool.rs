//! A backstop pool, created while two keepers without means of their own follow the market: they offer it
//! what the book leaves, move its margin, and close its position again.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token;
use anyhow::{ensure, Context, Result};
use ballast_client::instructions::fund::{CreatePool, CreateShare, DepositPool};
use ballast_client::token::{associated_token, create_associated_token};
use ballast_client::{accounts, addresses};
use ballast_engine::pool::PoolParams;
use ballast_state::book_account::OrderSide;
use ballast_state::instructions::BlockTradeArgs;
use ballast_state::order_args::{OrderKind, PlaceOrderArgs, SelfTrade};
use ballast_state::pool::{Pool, POOL_SUB_ID};
use ballast_state::trader::Trader;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::keepers::Keeper;
use crate::stage::Stage;
use ballast_localnet::people::Person;
use ballast_localnet::population::USD;
use ballast_localnet::wait::until;

/// What somebody puts into the pool.
const DEPOSITED: u64 = 20_000 * USD;
/// What those who trade for the pool's sake deposit.
const DEPOSIT: u64 = 3_000 * USD;
/// Lots of a long that the pool takes over.
const LOTS: i64 = 10_000;
/// How long keepers may take for each step.
const LIMIT: Duration = Duration::from_secs(60);
/// Prices, in ticks below the one at which the long is opened: its margin is not enough any more; a tenth of
/// the pool's margin is gone.
const FALLS: [u64; 2] = [5_000, 9_000];
/// Keepers by themselves take nothing over.
const POOR: &str = "[work]\ntakes_over = false\n";

/// The pool and who is about it.
pub struct Backed {
    /// Everybody who traded.
    pub people: Vec<Person>,
    /// The pool's trader account.
    pub trader: Pubkey,
    /// What was seen, in words.
    pub check: String,
}

/// Gives the market a pool at the price `ticks`, and plays it.
///
/// # Errors
/// When something does not happen as it must.
pub async fn play(stage: &Stage, keepers: [&mut Keeper; 2], ticks: u64) -> Result<Backed> {
    let [first, second] = keepers;
    for keeper in [&mut *first, &mut *second] {
        keeper.restart_with(POOR).await?;
    }
    create(stage).await?;
    let long = stage.person("the pool's long".to_owned(), DEPOSIT).await?;
    let short = stage.person("the pool's short".to_owned(), DEPOSIT).await?;
    let terms = BlockTradeArgs {
        lots: LOTS,
        price_ticks: ticks,
        taker_margin: 88 * USD,
        maker_margin: 2_000 * USD,
    };
    stage.trade(&long, &short, terms).await?;

    let [fall, more] = FALLS.map(|fall| ticks - fall);
    stage.oracle.set(fall).await?;
    until("the pool taking over", LIMIT, || async {
        Ok((stage.pool().await?.0.takes > 0).then_some(()))
    })
    .await?;
    stage.tidied().await?;
    let margin = |trader: &Trader| {
        trader
            .slot(&stage.keys.market)
            .map_or(0, |slot| slot.margin)
    };
    let before = margin(&stage.pool().await?.1);
    stage.oracle.set(more).await?;
    until("the pool's margin being moved", LIMIT, || async {
        Ok((margin(&stage.pool().await?.1) > before).then_some(()))
    })
    .await?;
    stage.tidied().await?;

    let maker = stage.person("the pool's maker".to_owned(), DEPOSIT).await?;
    let pool = stage.pool().await?.0.trader;
    let held = stage.lots(&pool).await?;
    let bid = PlaceOrderArgs {
        side: OrderSide::Bid,
        kind: OrderKind::PostOnly,
        price_ticks: more - more / 10_000,
        lots: held.unsigned_abs(),
        margin: 0,
        client_id: 0,
        expires_at: 0,
        reduce_only: false,
        self_trade: SelfTrade::Abort,
    };
    stage.order(&maker, bid, &[]).await?;
    let unwound = until("the pool closing its position", LIMIT, || async {
        let (pool, trader) = stage.pool().await?;
        let open = trader
            .slot(&stage.keys.market)
            .is_ok_and(|slot| slot.lots != 0);
        Ok((!open).then_some(pool))
    })
    .await?;
    let mut won = Vec::new();
    for kind in ["liquidate_into_pool", "sync_pool", "unwind_pool"] {
        let both = first.won(kind).await? + second.won(kind).await?;
        ensure!(both > 0, "no keeper counts a won {kind}");
        won.push(format!("{kind} {both}"));
    }
    for keeper in [first, second] {
        keeper.restart_with("").await?;
    }
    Ok(Backed {
        people: vec![long, short, maker],
        trader: unwound.trader,
        check: format!(
            "a pool created under two keepers without means was offered what the book left, synced and \
             closed again: {} takes, {} unwinds; won by keepers: {}",
            unwound.takes,
            unwound.unwinds,
            won.join(", ")
        ),
    })
}

/// The admin gives the market a pool, and somebody puts money into it.
async fn create(stage: &Stage) -> Result<()> {
    let (admin, owner) = (stage.sender.payer(), Keypair::new());
    let (wallet, collateral) = (owner.pubkey(), &stage.collateral);
    let source = associated_token(&wallet, collateral);
    let (mint, program) = (collateral.mint, collateral.token_program);
    let params = PoolParams {
        cap_bps: 10_000,
        margin_bps: 1_000,
        reserve_first_bps: 10,
        reserve_last_bps: 25,
        ask_bps: 0,
        slip_bps: 8,
        auction_slots: 10,
        unwind_bps: 5_000,
        unwind_interval_slots: 1,
        ..PoolParams::for_market(&stage.market().await?.risk)
    };
    let create = CreatePool {
        admin,
        payer: admin,
        market: stage.keys.market,
        params,
    };
    let created = stage.send(&[create.instruction()], &[]).await;
    created.context("no pool was created")?;
    let deposit = [
        create_associated_token(admin, wallet, collateral),
        spl_token::instruction::mint_to(&program, &mint, &source, &admin, &[], DEPOSITED)?,
        CreateShare {
            payer: admin,
            owner: wallet,
            fund: addresses::pool(&stage.keys.market),
        }
        .instruction(),
        DepositPool {
            owner: wallet,
            keys: stage.keys,
            source,
            collateral: *collateral,
            amount: DEPOSITED,
        }
        .instruction(),
    ];
    let deposited = stage.send(&deposit, &[&owner]).await;
    deposited.context("nothing was put into the pool")?;
    Ok(())
}

impl Stage {
    /// The market's pool and its trader account.
    ///
    /// # Errors
    /// When there is none.
    pub async fn pool(&self) -> Result<(Pool, Trader)> {
        let pool = addresses::pool(&self.keys.market);
        let wanted = [pool, addresses::trader(&pool, POOL_SUB_ID)];
        let (_, found) = self.cluster.accounts(&wanted).await?;
        let data: Vec<Vec<u8>> = found.into_iter().flatten().map(|it| it.data).collect();
        let [pool, trader] = &data[..] else {
            anyhow::bail!("the market has no pool");
        };
        Ok((accounts::pool(pool)?, accounts::trader(trader)?))
    }
}
