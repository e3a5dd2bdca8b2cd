/** How the parameters of a market became what they are, as the gateway tells; nothing of it without one. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import type { MarketKeys } from '../chain/accounts';
import type { Gateway, ParameterChange } from '../chain/gateway';
import { useGateway } from '../venue';
import { Problem, ReadAge } from './parts';

const READ_EVERY_MS = 10_000;

type Props = { readonly keys: MarketKeys };

export function ParameterHistory({ keys }: Props): ReactNode {
  const gateway = useGateway();
  return gateway === undefined ? null : <Told gateway={gateway} keys={keys} />;
}

function Told({ gateway, keys }: Props & { readonly gateway: Gateway }): ReactNode {
  const found = useQuery({
    queryKey: ['parameters', keys.index],
    queryFn: () => gateway.parameters(keys.index),
    refetchInterval: READ_EVERY_MS,
  });
  const changes = found.data?.rows.filter(({ before }) => before !== null) ?? [];
  return (
    <section aria-label={`How the parameters of ${keys.name} became so`} data-testid="parameters">
      <h3>How they became so</h3>
      <div className="bar">
        <ReadAge of={found} />
        <span className="muted">from the gateway</span>
      </div>
      <Problem error={found.error} />
      {found.data?.complete === false && (
        <p className="problem">
          The gateway says that its history has holes: something may be missing here.
        </p>
      )}
      {found.data !== undefined && changes.length === 0 && (
        <p className="muted">Nothing has changed since they were made.</p>
      )}
      {changes.length > 0 && <Table changes={changes} name={keys.name} />}
      {found.data?.next != null && <p className="muted">What was before is left out here.</p>}
    </section>
  );
}

type TableProps = { readonly changes: readonly ParameterChange[]; readonly name: string };

function Table({ changes, name }: TableProps): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={`Changes of ${name}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Parameter</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((one) => (
            <tr key={one.cursor} data-parameter={one.name}>
              <td>
                <time>
                  {one.time === null ? '' : new Date(Number(one.time) * 1_000).toLocaleString()}
                </time>
              </td>
              <td>{one.name.replaceAll('_', ' ')}</td>
              <td className="number">{one.before}</td>
              <td className="number">{one.after}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
