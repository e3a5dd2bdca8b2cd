/** What stands between a bankrupt position and deleveraging: insurance, stakes, a pool. */
import type { PoolHolding, StakeHolding } from 'ballast-client';
import type { ReactNode } from 'react';

import type { MarketKeys, Venue } from '../chain/accounts';
import { decimal } from '../decimal';
import { FundCard, useFunds, type Owned } from '../parts/FundCard';
import { GapCurve } from '../parts/GapCurve';
import { MarketChoice } from '../parts/MarketChoice';
import { Amount, Figure, Problem, ReadAge } from '../parts/parts';
import type { MarketState } from '../chain/accounts';
import { useMarket } from '../venue';
import { useWallets } from '../wallet';

type Props = { readonly venue: Venue; readonly keys: MarketKeys };

export function CapitalPage({ venue, keys }: Props): ReactNode {
  const market = useMarket(venue, keys);
  return (
    <>
      <div className="bar">
        <MarketChoice venue={venue} keys={keys} page="insurance" />
        <ReadAge of={market} />
      </div>
      <p className="lead">
        What a bankrupt position lacks is paid by insurance, first what nobody staked, then the
        stakes. A backstop pool takes over what the book leaves of a liquidation. Only what is left
        is taken from winners.
      </p>
      <Problem error={market.error} />
      {market.data !== undefined && (
        <Funds venue={venue} state={market.data} readAt={market.dataUpdatedAt} />
      )}
    </>
  );
}

type FundsProps = { readonly venue: Venue; readonly state: MarketState; readonly readAt: number };

function Funds({ venue, state, readAt }: FundsProps): ReactNode {
  const { owner } = useWallets();
  const found = useFunds(state, owner, readAt);
  const decimals = venue.exchange.mintDecimals;
  const { insurance, stakedAtoms } = state.market;
  const pool = found.data?.pool;
  const shared = { venue, state, readAt } as const;
  return (
    <>
      <Problem error={found.error} />
      <div className="columns">
        <section aria-label="Insurance">
          <h2>Insurance</h2>
          <dl className="figures">
            <Figure label="It owns" id="insurance_atoms">
              <Amount atoms={insurance.balance} decimals={decimals} />
            </Figure>
            <Figure label="of it staked" id="staked_atoms">
              <Amount atoms={stakedAtoms} decimals={decimals} />
            </Figure>
          </dl>
          {owner !== undefined && found.data !== undefined && (
            <FundCard
              kind="stakes"
              {...shared}
              owner={owner}
              funds={found.data.funds}
              owned={ofStake(found.data.stake)}
            />
          )}
        </section>
        <section aria-label="Backstop pool">
          <h2>Backstop pool</h2>
          {found.data !== undefined && pool === undefined && (
            <p className="muted">This market has no pool.</p>
          )}
          {pool !== undefined && (
            <dl className="figures">
              <Figure label="Worth to who leaves" id="worth_low_atoms">
                <Amount atoms={pool.worth_low_atoms} decimals={decimals} />
              </Figure>
              <Figure label="Worth to who joins" id="worth_high_atoms">
                <Amount atoms={pool.worth_high_atoms} decimals={decimals} />
              </Figure>
              <Figure label="May leave now" id="payable_atoms">
                <Amount atoms={pool.payable_atoms} decimals={decimals} />
              </Figure>
              <Figure label="A million shares" id="million_shares_atoms">
                <Amount atoms={pool.million_shares_atoms} decimals={decimals} />
              </Figure>
              <Figure label="Lots that it holds" id="inventory_lots">
                <span className="number">{decimal(pool.inventory_lots, 0)}</span>
              </Figure>
            </dl>
          )}
          {pool?.stopped === true && (
            <p className="problem">The guardian has stopped it: it takes nothing over.</p>
          )}
          {owner !== undefined && pool !== undefined && found.data !== undefined && (
            <FundCard
              kind="pool"
              {...shared}
              owner={owner}
              funds={found.data.funds}
              owned={ofPool(pool)}
            />
          )}
        </section>
      </div>
      {owner === undefined && <p>Connect a wallet to join either.</p>}
      <GapCurve venue={venue} state={state} readAt={readAt} />
    </>
  );
}

const NO_STAKE: Owned = {
  shares: 0n,
  valueAtoms: '0',
  requested: 0n,
  requestedAtoms: '0',
  leastAtoms: '0',
  due_in_slots: null,
  open_for_slots: null,
  lapsed: false,
};

function ofStake(stake: StakeHolding | undefined): Owned {
  return stake === undefined
    ? NO_STAKE
    : {
        ...stake,
        shares: BigInt(stake.shares),
        valueAtoms: stake.value_atoms,
        requested: BigInt(stake.requested),
        requestedAtoms: stake.payable_atoms,
        leastAtoms: stake.payable_atoms,
      };
}

function ofPool(pool: PoolHolding): Owned {
  return {
    ...pool,
    shares: BigInt(pool.owned_shares),
    valueAtoms: pool.owned_atoms,
    requested: BigInt(pool.requested),
    requestedAtoms: pool.requested_value_atoms,
    // What it is worth when it lands: a fall of the price until then is the leaver's.
    leastAtoms: '0',
  };
}
