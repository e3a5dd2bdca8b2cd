/** Alerts also while the page is closed: by the gateway, through the browser's push service. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';

import { canBePushed, endPush, pushed, subscribePush } from '../alerts/push';
import type { Rules } from '../alerts/rules';
import { useGateway, useTraders } from '../venue';
import { useWallets } from '../wallet';
import { Problem } from './parts';

export function PushAlerts({ rules }: { readonly rules: Rules }): ReactNode {
  const gateway = useGateway();
  const key = useQuery({
    queryKey: ['push-key', gateway?.url],
    queryFn: () => gateway?.pushKey() ?? null,
    enabled: gateway !== undefined,
    staleTime: Infinity,
    retry: false,
  });
  return (
    <section aria-label="While the page is closed">
      <h2>While the page is closed</h2>
      {!canBePushed() && <p className="muted">This browser cannot be told then.</p>}
      {canBePushed() && gateway === undefined && (
        <p className="muted">It takes a gateway to look then, and none answers this page.</p>
      )}
      {canBePushed() && key.data === null && (
        <p className="muted">The gateway of this page pushes nothing.</p>
      )}
      <Problem error={key.error} />
      {canBePushed() && gateway !== undefined && typeof key.data === 'string' && (
        <Subscription gateway={gateway} pushKey={key.data} rules={rules} />
      )}
    </section>
  );
}

type Props = {
  readonly gateway: NonNullable<ReturnType<typeof useGateway>>;
  readonly pushKey: string;
  readonly rules: Rules;
};

function Subscription({ gateway, pushKey, rules }: Props): ReactNode {
  const { owner, messageSigner } = useWallets();
  const traders = useTraders(owner);
  const client = useQueryClient();
  const subscribed = useQuery({ queryKey: ['pushed'], queryFn: async () => (await pushed()) !== null });
  const [problem, setProblem] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const accounts = traders.data?.map(({ account }) => account.address) ?? [];
  const sign = messageSigner();
  const run = async (step: () => Promise<void>) => {
    setBusy(true);
    setProblem(undefined);
    await step().catch(setProblem);
    await client.invalidateQueries({ queryKey: ['pushed'] });
    setBusy(false);
  };
  return (
    <>
      <p>
        The gateway looks at your positions and pushes alerts to this browser, encrypted for it: its push
        service sees that one comes, not what it says. Your wallet signs a text for each trader account; it
        moves nothing.
      </p>
      <div className="bar">
        {owner !== undefined && sign !== undefined && accounts.length > 0 && (
          <button
            type="button"
            disabled={busy}
            onClick={() =>
              void run(() => subscribePush(gateway, pushKey, rules, { owner, sign }, accounts))
            }
          >
            {subscribed.data === true ? 'Push with these thresholds' : 'Push alerts to this browser'}
          </button>
        )}
        {subscribed.data === true && (
          <button type="button" disabled={busy} onClick={() => void run(() => endPush(gateway))}>
            Push no more
          </button>
        )}
      </div>
      {owner === undefined && <p className="muted">Connect a wallet first.</p>}
      {owner !== undefined && sign === undefined && (
        <p className="muted">This wallet signs no texts, which is how an account is proven.</p>
      )}
      <p role="status" data-testid="push-state">
        {subscribed.data === true
          ? 'Alerts are pushed to this browser.'
          : 'Nothing is pushed to this browser.'}
      </p>
      <Problem error={problem} />
    </>
  );
}
