/** Connecting and leaving. */
import type { ReactNode } from 'react';

import { useWallets } from '../wallet';
import { AddressText, Problem } from './parts';

export function WalletButton(): ReactNode {
  const { offered, connected, owner, problem, connect, disconnect } = useWallets();
  if (owner !== undefined) {
    return (
      <div className="wallet">
        <span>
          {connected?.wallet.name} <AddressText address={owner} />
        </span>
        <button type="button" onClick={() => void disconnect()}>
          Disconnect
        </button>
      </div>
    );
  }
  return (
    <div className="wallet">
      {offered.length === 0 && <span className="muted">No wallet in this browser</span>}
      {offered.map((wallet) => (
        <button type="button" key={wallet.name} onClick={() => void connect(wallet)}>
          Connect {wallet.name}
        </button>
      ))}
      <Problem error={problem} />
    </div>
  );
}
