/** Choosing a market. */
import type { ReactNode } from 'react';

import type { MarketKeys, Venue } from '../chain/accounts';
import { link, type Page } from '../route';

type Props = { readonly venue: Venue; readonly keys: MarketKeys; readonly page: Page };

export function MarketChoice({ venue, keys, page }: Props): ReactNode {
  return (
    <label className="market-choice">
      Market{' '}
      <select
        data-slash=""
        value={keys.index}
        onChange={(event) => (window.location.hash = link(page, Number(event.target.value)))}
      >
        {venue.markets.map((one) => (
          <option key={one.address} value={one.index}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}
