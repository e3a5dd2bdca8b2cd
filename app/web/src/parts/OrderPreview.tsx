/** What an order would do, in figures. */
import type { OrderPreview } from 'ballast-client';
import type { ReactNode } from 'react';

import { grouped, percentOrNone, priceOrNone } from '../decimal';
import { Amount, Figure, Light } from './parts';

type Props = { readonly preview: OrderPreview; readonly decimals: number };

export function OrderPreviewFigures({ preview, decimals }: Props): ReactNode {
  const amount = (atoms: string) => <Amount atoms={atoms} decimals={decimals} />;
  const { position } = preview;
  return (
    <section aria-label="What it would do" data-testid="preview" data-slot={preview.slot}>
      <h3>What it would do now</h3>
      <dl className="figures">
        <Figure label="Lots that fill" id="filled_lots">
          {grouped(preview.filled_lots)}
        </Figure>
        <Figure label="Lots that wait" id="resting_lots">
          {grouped(preview.resting_lots)}
        </Figure>
        <Figure label="Lots dropped" id="dropped_lots">
          {grouped(preview.dropped_lots)}
        </Figure>
        <Figure label="Average price" id="average_price">
          {preview.average_price === null ? 'no fill' : grouped(preview.average_price)}
        </Figure>
        <Figure label="Cost of the fills" id="notional_atoms">
          {amount(preview.notional_atoms)}
        </Figure>
        <Figure label="Fee" id="fee_atoms">
          {amount(preview.fee_atoms)}
        </Figure>
        <Figure label="Realized" id="realized_atoms">
          {amount(preview.realized_atoms)}
        </Figure>
        <Figure label="Into margin" id="margin_added_atoms">
          {amount(preview.margin_added_atoms)}
        </Figure>
        <Figure label="Reserved" id="reserved_atoms">
          {amount(preview.reserved_atoms)}
        </Figure>
        <Figure label="Free afterwards" id="free_after_atoms">
          {amount(preview.free_after_atoms)}
        </Figure>
      </dl>
      {position !== null && (
        <>
          <h3>Your position afterwards</h3>
          <dl className="figures">
            <Figure label="Size" id="after_size">
              {position.side === 'none'
                ? 'none'
                : `${position.side} ${grouped(position.size.replace('-', ''))}`}
            </Figure>
            <Figure label="Margin" id="after_margin_atoms">
              {amount(position.margin_atoms)}
            </Figure>
            <Figure label="Margin ratio" id="after_margin_ratio_bps">
              {percentOrNone(position.margin_ratio_bps)}
            </Figure>
            <Figure label="Liquidated from" id="after_liquidation_price">
              {priceOrNone(position.liquidation_price)}
            </Figure>
            <Figure label="Light" id="after_light">
              <Light light={position.light} />
            </Figure>
          </dl>
        </>
      )}
    </section>
  );
}
