/** The frame of every page: where one is, the wallet, and which node answers. */
import type { MouseEvent, ReactNode } from 'react';

import { LocalnetBar } from './parts/LocalnetBar';
import { Problem } from './parts/parts';
import { WalletButton } from './parts/WalletButton';
import { HistoryPage } from './pages/History';
import { MarketsPage } from './pages/Markets';
import { PositionsPage } from './pages/Positions';
import { AlertsPage } from './pages/Alerts';
import { CapitalPage } from './pages/Capital';
import { QueuePage } from './pages/Queue';
import { RehearsalPage } from './pages/Rehearsal';
import { SettingsPage } from './pages/Settings';
import { TradePage } from './pages/Trade';
import { link, PAGES, useRoute, type Page } from './route';
import { useShortcuts } from './shortcuts';
import { useGatewayProblem, useNodeState, useSetup, useVenue } from './venue';
import type { MarketKeys, Venue } from './chain/accounts';

const TITLES: { readonly [page in Page]: string } = {
  queue: 'Queue',
  trade: 'Trade',
  positions: 'Positions',
  history: 'History',
  insurance: 'Insurance',
  markets: 'Markets',
  alerts: 'Alerts',
  rehearsal: 'Rehearsal',
  settings: 'Settings',
};

/** Pages that need no market. */
const ALONE: readonly Page[] = ['settings', 'rehearsal', 'alerts'];

export function App(): ReactNode {
  const { page, market } = useRoute();
  useShortcuts({ '/': slash });
  return (
    <>
      <a className="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header>
        <a className="brand" href={link('queue')}>
          Ballast
        </a>
        <nav aria-label="Pages">
          {PAGES.map((one) => (
            <a key={one} href={link(one, market)} aria-current={one === page ? 'page' : undefined}>
              {TITLES[one]}
            </a>
          ))}
        </nav>
        <WalletButton />
      </header>
      <LocalnetBar />
      <NodeBanner />
      <GatewayBanner />
      <main id="content" tabIndex={-1}>
        <h1>{TITLES[page]}</h1>
        {page === 'settings' && <SettingsPage />}
        {page === 'rehearsal' && <RehearsalPage />}
        {page === 'alerts' && <AlertsPage />}
        {!ALONE.includes(page) && <OnVenue page={page} market={market} />}
      </main>
    </>
  );
}

/** The address after `#` is the page's: focus moves without it. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

/** To what is looked for on this page: an address, else a market. */
function slash(): void {
  const first = document.querySelector<HTMLElement>('[data-slash="first"]');
  (first ?? document.querySelector<HTMLElement>('[data-slash]'))?.focus();
}

function OnVenue({
  page,
  market,
}: {
  readonly page: Page;
  readonly market: number | undefined;
}): ReactNode {
  const venue = useVenue();
  if (venue.data === undefined) {
    return venue.error === null ? (
      <p role="status">Asking the node…</p>
    ) : (
      <Problem error={venue.error} />
    );
  }
  const chosen = venue.data.markets.find((one) => one.index === market) ?? venue.data.markets[0];
  if (chosen === undefined) {
    return <p>This exchange has no market yet.</p>;
  }
  return <Chosen page={page} venue={venue.data} keys={chosen} />;
}

type ChosenProps = { readonly page: Page; readonly venue: Venue; readonly keys: MarketKeys };

function Chosen({ page, venue, keys }: ChosenProps): ReactNode {
  switch (page) {
    case 'trade':
      return <TradePage venue={venue} keys={keys} />;
    case 'positions':
      return <PositionsPage venue={venue} />;
    case 'history':
      return <HistoryPage venue={venue} />;
    case 'markets':
      return <MarketsPage venue={venue} />;
    case 'insurance':
      return <CapitalPage venue={venue} keys={keys} />;
    default:
      return <QueuePage venue={venue} keys={keys} />;
  }
}

/** Says when the gateway fails, and what the page does without it. */
function GatewayBanner(): ReactNode {
  const problem = useGatewayProblem();
  return problem === undefined ? null : (
    <div className="banner" role="status" data-testid="gateway-banner">
      {problem}: history is what your node keeps, and there are no candles. Everything else needs
      none.
    </div>
  );
}

/** Says when a node fails, and who answers in its place. */
function NodeBanner(): ReactNode {
  const { nodes } = useSetup();
  const { using, failures } = useNodeState();
  if (failures.size === 0) {
    return null;
  }
  const all = failures.size === nodes.nodes.length;
  const host = new URL(nodes.nodes[using]?.rpc ?? '').host;
  return (
    <div className="banner" role="status" data-testid="node-banner">
      {[...failures.values()].join('; ')}.{' '}
      {all
        ? 'No other node is left: figures grow old, and their age is shown.'
        : `${host} answers in its place.`}
    </div>
  );
}
