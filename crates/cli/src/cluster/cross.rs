//! `ballast account` and `ballast cross`: collateral that positions share.

use anyhow::Result;
use ballast_client::accounts;
use ballast_client::addresses;
use ballast_client::cross::CrossQueueList;
use ballast_client::instructions::cross as build;
use ballast_engine::units::Side;
use ballast_state::cross::{CrossBoard, EnableCrossArgs};
use ballast_state::market::Market;
use ballast_state::trader::Trader;
use ballast_state::Pubkey;
use ballast_view::account::{AccountView, LegTriggers};
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account_with_seed;

use super::collateral::named;
use super::failure::Usage;
use super::options::{Sending, TraderChoice};
use super::orders::place::{self, TradeArgs};
use super::session::Session;
use super::state::{MarketState, Parts};
use super::units::Collateral;
use super::words::Names;
use super::writing::{self, Plan};

/// Arguments of `account`.
#[derive(Clone, Debug, Args)]
pub struct AccountArgs {
    #[command(flatten)]
    choice: TraderChoice,
}

/// Arguments of `cross`.
#[derive(Clone, Debug, Args)]
pub struct CrossArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Move free collateral into the pool that the legs share.
    Add(AmountArgs),
    /// Move collateral of the pool back to free collateral.
    Remove(AmountArgs),
    /// Make a position a leg: its margin joins the pool.
    Join(JoinArgs),
    /// Make a leg an isolated position with so much margin from the pool.
    Leave(LeaveArgs),
    /// Place an order of a leg: open, enlarge, reduce, turn round or close it.
    Trade(TradeArgs),
    /// Record the marks of all cross markets on the board; anybody.
    Record {
        #[command(flatten)]
        sending: Sending,
    },
}

#[derive(Clone, Debug, Args)]
struct AmountArgs {
    /// Amount, as a decimal number of the quote currency.
    #[arg(allow_negative_numbers = true)]
    amount: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Clone, Debug, Args)]
struct JoinArgs {
    /// Number, name or address of the position's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Clone, Debug, Args)]
struct LeaveArgs {
    /// Margin of the isolated position, as a decimal number of the quote currency.
    #[arg(allow_negative_numbers = true)]
    amount: String,
    /// Number, name or address of the leg's market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    #[command(flatten)]
    choice: TraderChoice,
    #[command(flatten)]
    sending: Sending,
}

/// What an admin allows of cross margin in a market.
#[derive(Clone, Debug, Args)]
pub struct EnableArgs {
    /// Number, name or address of the market.
    #[arg(long, value_name = "MARKET")]
    market: String,
    /// Legs of a side for which there is to be room; `admin grow-queue --cross` makes more.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    legs: usize,
    /// Most that the legs of a side may hold together, as a decimal number of the base asset.
    #[arg(long, value_name = "SIZE")]
    most: String,
    /// The part of what insurance may pay in a window that legs may get, basis points.
    #[arg(long, value_name = "BPS", default_value_t = 2_500)]
    draw_cap_bps: u32,
    /// Slots for which a mark of the board serves for opening.
    #[arg(long, value_name = "SLOTS", default_value_t = 50)]
    max_age: u32,
}

/// Runs `ballast account`.
pub async fn account(session: &Session, args: &AccountArgs) -> Result<()> {
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let scene = Scene::read(session).await?;
    let (board, collateral) = (&scene.board, scene.collateral);
    let markets = &scene.markets;
    let view = Account {
        account: AccountView::new(&address, &trader, board, markets, scene.slot, collateral)?,
        triggers: LegTriggers::of(&trader, markets, collateral)?,
    };
    session.answer(&view, || view.words())
}

/// A cross account as it is printed, with the triggers of its legs.
#[derive(Serialize)]
struct Account {
    #[serde(flatten)]
    account: AccountView,
    triggers: Vec<LegTriggers>,
}

impl Account {
    fn words(&self) -> String {
        let triggers: String = self.triggers.iter().map(LegTriggers::words).collect();
        self.account.words() + &triggers
    }
}

/// Runs `ballast cross`.
pub async fn run(session: &Session, args: &CrossArgs) -> Result<()> {
    match &args.action {
        Action::Add(args) => transfer(session, args, true).await,
        Action::Remove(args) => transfer(session, args, false).await,
        Action::Join(args) => join(session, args).await,
        Action::Leave(args) => leave(session, args).await,
        Action::Trade(args) => place::trade(session, args).await,
        Action::Record { sending } => record(session, *sending).await,
    }
}

/// The board and the markets.
struct Scene {
    slot: u64,
    board: Box<CrossBoard>,
    markets: Vec<(Pubkey, Market)>,
    collateral: Collateral,
}

/// The board, and the slot in which the node had it.
async fn board_at(session: &Session) -> Result<(u64, Box<CrossBoard>)> {
    let (slot, found) = session.cluster.accounts(&[addresses::board()]).await?;
    let found = found.into_iter().flatten().next();
    let account = found.filter(|account| account.owner == ballast_state::ID);
    let account = account.ok_or_else(|| {
        Usage("the exchange has no cross margin; the admin gives a market some with `ballast admin enable-cross`".to_owned())
    })?;
    Ok((slot, accounts::board(&account.data)?))
}

/// The board.
pub async fn board(session: &Session) -> Result<Box<CrossBoard>> {
    Ok(board_at(session).await?.1)
}

impl Scene {
    async fn read(session: &Session) -> Result<Self> {
        let (slot, board) = board_at(session).await?;
        Ok(Self {
            slot,
            board,
            markets: session.cluster.markets().await?,
            collateral: Collateral {
                decimals: session.exchange().await?.mint_decimals,
            },
        })
    }

    /// The cross queues that a call about a trader account lists: those of its legs, and that of the side of a
    /// position that joins or leaves.
    fn queues(&self, trader: &Trader, own: Option<(&Market, Side)>) -> Result<CrossQueueList> {
        let mut list = CrossQueueList::default();
        list.add_all(trader, &self.board)?;
        if let Some((market, side)) = own {
            let place = self.board.place(market)?;
            list.add(self.board.market(place)?.queue(side));
        }
        Ok(list)
    }
}

async fn transfer(session: &Session, args: &AmountArgs, adds: bool) -> Result<()> {
    let signer = session.keypair()?;
    let address = session.trader_address(&args.choice)?;
    let trader = session.trader(&address).await?;
    let scene = Scene::read(session).await?;
    let atoms = i64::try_from(scene.collateral.atoms(&args.amount)?)?;
    let instruction = build::MoveCross {
        authority: signer.pubkey(),
        trader: address,
        amount: if adds { atoms } else { -atoms },
        queues: scene.queues(&trader, None)?.queues(),
    }
    .instruction();
    let (command, verb, way) = match adds {
        true => ("cross add", "Move", "into"),
        false => ("cross remove", "Move", "out of"),
    };
    let plan = Plan {
        command,
        purpose: format!(
            "{verb} {} {way} the pool of trader account {address}",
            scene.collateral.show(atoms.into())
        ),
        instructions: vec![instruction],
        names: named(scene.collateral),
    };
    writing::perform(session, signer, plan, args.sending).await
}

async fn join(session: &Session, args: &JoinArgs) -> Result<()> {
    let address = session.trader_address(&args.choice)?;
    let state = session.market(&args.market, Parts::Market).await?;
    let trader = session.trader(&address).await?;
    let slot = trader.slot(&state.keys.market).ok();
    let side = match slot {
        Some(slot) => slot.position()?.side(),
        None => None,
    };
    let side = side.ok_or_else(|| {
        Usage(format!(
            "trader account {address} has no isolated position in {}; `ballast positions` lists those it has",
            state.name()
        ))
    })?;
    let leg = (&state, side);
    convert(session, &address, &trader, leg, None, args.sending).await
}

async fn leave(session: &Session, args: &LeaveArgs) -> Result<()> {
    let address = session.trader_address(&args.choice)?;
    let state = session.market(&args.market, Parts::Market).await?;
    let trader = session.trader(&address).await?;
    let margin = state.units.collateral.atoms(&args.amount)?;
    let side = match trader.leg(&state.keys.market) {
        Ok(leg) => leg.position()?.side(),
        Err(_) => None,
    };
    let side = side.ok_or_else(|| {
        Usage(format!(
            "trader account {address} has no leg in {}; `ballast account` lists those it has",
            state.name()
        ))
    })?;
    let leg = (&state, side);
    convert(session, &address, &trader, leg, Some(margin), args.sending).await
}

/// Makes a position a leg, or a leg an isolated position with this margin.
async fn convert(
    session: &Session,
    address: &Pubkey,
    trader: &Trader,
    (state, side): (&MarketState, Side),
    margin: Option<u64>,
    sending: Sending,
) -> Result<()> {
    let signer = session.keypair()?;
    let scene = Scene::read(session).await?;
    let queues = scene.queues(trader, Some((&state.market, side)))?;
    let instruction = build::ConvertMargin {
        authority: signer.pubkey(),
        keys: state.keys,
        trader: *address,
        to_cross: margin.is_none(),
        margin: margin.unwrap_or(0),
        queues: queues.queues(),
    }
    .instruction();
    let (command, purpose) = match margin {
        None => ("cross join", "Make the position a leg".to_owned()),
        Some(atoms) => (
            "cross leave",
            format!(
                "Make the leg an isolated position with {}",
                scene.collateral.show(atoms.into())
            ),
        ),
    };
    let plan = Plan {
        command,
        purpose: format!("{purpose}, trader account {address}"),
        instructions: vec![instruction],
        names: named(scene.collateral),
    };
    writing::perform(session, signer, plan, sending).await
}

async fn record(session: &Session, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let scene = Scene::read(session).await?;
    let mut keys = Vec::new();
    for (address, market) in scene.markets.iter().filter(|(_, market)| market.cross > 0) {
        let decimals = scene.collateral.decimals;
        let state = session.state(address, market, decimals, Parts::Market);
        keys.push(state.await?.keys);
    }
    let plan = Plan {
        command: "cross record",
        purpose: format!("Record the marks of {} markets", keys.len()),
        instructions: vec![build::RecordMarks { markets: &keys }.instruction()],
        names: named(scene.collateral),
    };
    writing::perform(session, signer, plan, sending).await
}

/// Runs `ballast admin enable-cross`: creates the board where there is none and two queues, whose rent the admin
/// pays, and enables the market.
pub async fn enable(session: &Session, args: &EnableArgs, sending: Sending) -> Result<()> {
    let signer = session.keypair()?;
    let admin = signer.pubkey();
    let state = session.market(&args.market, Parts::Market).await?;
    let (_, found) = session.cluster.accounts(&[addresses::board()]).await?;
    let mut setup = Vec::new();
    if found.into_iter().flatten().next().is_none() {
        setup.push(
            build::CreateBoard {
                admin,
                payer: admin,
            }
            .instruction(),
        );
    }
    let space = addresses::cross_queue_space(args.legs);
    let rent = session.cluster.rent(space).await?;
    let mut queue = |part: &str| -> Result<Pubkey> {
        // An address that follows from the signer and the market.
        let seed = format!("cross-{part}-{}", state.market.index);
        let address = Pubkey::create_with_seed(&admin, &seed, &ballast_state::ID)?;
        let bytes = u64::try_from(space)?;
        let owner = &ballast_state::ID;
        let create = create_account_with_seed(&admin, &address, &admin, &seed, rent, bytes, owner);
        setup.push(create);
        Ok(address)
    };
    let (long, short) = (queue("long")?, queue("short")?);
    let enable = build::EnableCross {
        admin,
        keys: state.keys,
        cross_long: long,
        cross_short: short,
        args: EnableCrossArgs {
            most_lots: state.units.lots(&args.most)?,
            draw_cap_bps: args.draw_cap_bps,
            max_age_slots: args.max_age,
        },
    };
    setup.push(enable.instruction());
    let name = state.name();
    let plan = Plan {
        command: "admin enable-cross",
        purpose: format!(
            "Give {name} cross margin with room for {} legs a side",
            args.legs
        ),
        instructions: setup,
        names: Names {
            collateral: state.units.collateral,
            market: Some((&name, state.units)),
        },
    };
    writing::perform(session, signer, plan, sending).await
}
