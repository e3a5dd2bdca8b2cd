/** How likely a position is to be cut, as the gateway has played its market on; nothing of it without one. */
import { decimalOf } from 'ballast-client';
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import type { MarketKeys } from '../chain/accounts';
import type { Chance, Gateway, RiskForecast } from '../chain/gateway';
import { decimal, grouped, percent } from '../decimal';
import { useGateway } from '../venue';
import { Amount, Figure } from './parts';

/** A gateway makes a forecast no more often, milliseconds. */
const READ_EVERY_MS = 60_000;

type Props = { readonly market: MarketKeys; readonly trader: string; readonly decimals: number };

export function Forecast(props: Props): ReactNode {
  const gateway = useGateway();
  return gateway === undefined ? null : <Asked {...props} gateway={gateway} />;
}

function Asked({
  gateway,
  market,
  trader,
  decimals,
}: Props & { readonly gateway: Gateway }): ReactNode {
  const [asks, setAsks] = useState(false);
  const forecast = useQuery({
    queryKey: ['risk', market.index, trader],
    queryFn: () => gateway.risk(market.index, trader, false),
    refetchInterval: READ_EVERY_MS,
    retry: false,
  });
  const { data } = forecast;
  return (
    <section aria-label="How likely a cut is" data-testid="forecast">
      <h4>How likely a cut is</h4>
      {data === undefined && (
        <p className="muted">
          {forecast.error === null ? 'The market is being played on.' : forecast.error.message}
        </p>
      )}
      {data !== undefined && <Figures of={data} decimals={decimals} />}
      {data !== undefined && !asks && (
        <button type="button" onClick={() => setAsks(true)}>
          What would halve it?
        </button>
      )}
      {data !== undefined && asks && (
        <Fixes gateway={gateway} market={market} trader={trader} decimals={decimals} />
      )}
    </section>
  );
}

function Figures({ of, decimals }: { readonly of: RiskForecast; readonly decimals: number }) {
  const [own] = of.positions;
  const hours = decimal(Math.floor(Number(of.made.seconds) / 3_600), 0);
  return own === undefined ? null : (
    <>
      <dl className="figures">
        <Figure label={`Cut within ${hours} h`} id="cut">
          <ChanceWords of={own.cut} />
        </Figure>
        <Figure label="Closed by a cut" id="closed">
          <ChanceWords of={own.closed} />
        </Figure>
        <Figure label="Profit given up, expected" id="gave_up">
          <Amount atoms={own.expected_gave_up_atoms} decimals={decimals} />
          {own.expected_gave_up_bps !== null && `, ${percent(own.expected_gave_up_bps)} of it`}
        </Figure>
      </dl>
      <p className="muted">
        Of {decimal(of.made.paths, 0)} paths of {hours} h from {grouped(of.mark)} on,{' '}
        {of.made.source}; nobody is taken to trade. By the gateway, at slot {of.slot}.
      </p>
    </>
  );
}

function Fixes({
  gateway,
  market,
  trader,
  decimals,
}: Props & { readonly gateway: Gateway }): ReactNode {
  const asked = useQuery({
    queryKey: ['risk-fixes', market.index, trader],
    queryFn: () => gateway.risk(market.index, trader, true),
    refetchInterval: READ_EVERY_MS,
    retry: false,
  });
  if (asked.data === undefined) {
    return (
      <p className="muted">
        {asked.error === null
          ? 'The market is being played on with more margin, and with a part closed.'
          : asked.error.message}
      </p>
    );
  }
  const found = asked.data.positions[0]?.fixes ?? [];
  if (found.length === 0) {
    return <p data-testid="fixes">Nothing that was tried halves it.</p>;
  }
  return (
    <ul data-testid="fixes">
      {found.map((fix) => (
        <li key={fix.change} data-fix={fix.change}>
          {fix.change === 'add_margin' ? (
            <>
              adding <Amount atoms={fix.atoms} decimals={decimals} /> of margin
            </>
          ) : (
            `closing ${grouped(decimalOf(BigInt(fix.lots), market.units.lotNano))}`
          )}
          : <ChanceWords of={fix.cut} />
        </li>
      ))}
    </ul>
  );
}

/** A probability with the interval that holds it in 95 of 100 cases. */
function ChanceWords({ of }: { readonly of: Chance }): ReactNode {
  if (of.below) {
    return `below ${percentOfPpm(of.ppm)}`;
  }
  return `${percentOfPpm(of.ppm)} (${percentOfPpm(of.low_ppm)} to ${percentOfPpm(of.high_ppm)})`;
}

/** Millionths as per cent, to a hundredth. */
function percentOfPpm(ppm: number): string {
  return percent(Math.round(ppm / 100));
}
