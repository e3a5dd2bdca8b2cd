/** Alerts: what the user wants to be told of, and what was told. */
import { useState, type FormEvent, type ReactNode } from 'react';

import { useAlerts } from '../alerts/watch';
import { bpsOf, plainDecimal } from '../decimal';
import { Problem } from '../parts/parts';
import { PushAlerts } from '../parts/PushAlerts';
import { useWallets } from '../wallet';

const LIGHTS = [1, 2, 3, 4, 5];

type Permission = NotificationPermission | 'missing';

function permissionNow(): Permission {
  return typeof Notification === 'undefined' ? 'missing' : Notification.permission;
}

export function AlertsPage(): ReactNode {
  const { rules, change, told, problem } = useAlerts();
  const { owner } = useWallets();
  const [refused, setRefused] = useState<unknown>();
  const [permission, setPermission] = useState<Permission>(permissionNow);

  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '');
    try {
      const funding = text('funding').trim();
      change({
        on: true,
        lightAt: Number(text('light')),
        ratioBelowBps: bpsOf(text('ratio')),
        // A hundredth of a basis point is a millionth.
        fundingAbovePpm: funding === '' ? null : bpsOf(funding) * 100,
      });
      setRefused(undefined);
    } catch (wrong) {
      setRefused(wrong);
      return;
    }
    if (permission === 'default') {
      void Notification.requestPermission().then(setPermission);
    }
  };

  return (
    <>
      <p className="lead">
        While this page is open in some tab it looks at your positions with every new price, and at
        what others do to them. An alert is raised once, and ends once: when the light has been
        below for three looks, the ratio is a twentieth above, the position is closed.
      </p>
      {owner === undefined && <p>Connect a wallet: alerts are about its positions.</p>}
      <form className="settings" onSubmit={save}>
        <div className="bar">
          <label>
            Light from{' '}
            <select name="light" defaultValue={rules.lightAt}>
              {LIGHTS.map((light) => (
                <option key={light}>{light}</option>
              ))}
            </select>
          </label>
          <label>
            Margin ratio below, %
            <br />
            <input
              name="ratio"
              defaultValue={plainDecimal(rules.ratioBelowBps, 2)}
              inputMode="decimal"
              autoComplete="off"
            />
          </label>
          <label>
            Funding paid above, % an hour (empty: none)
            <br />
            <input
              name="funding"
              defaultValue={
                rules.fundingAbovePpm === null ? '' : plainDecimal(rules.fundingAbovePpm, 4)
              }
              inputMode="decimal"
              autoComplete="off"
            />
          </label>
        </div>
        <p className="muted">
          Liquidations, cuts, executed steps and changes that an authority stages are always told.
        </p>
        <div className="bar">
          <button type="submit">{rules.on ? 'Change' : 'Turn alerts on'}</button>
          {rules.on && (
            <button type="button" onClick={() => change({ ...rules, on: false })}>
              Turn them off
            </button>
          )}
        </div>
        <p role="status" data-testid="alerts-state">
          {rules.on ? `Alerts are on. ${PERMISSIONS[permission]}` : 'Alerts are off.'}
        </p>
        <Problem error={refused ?? problem} />
      </form>
      <PushAlerts rules={rules} />
      <section aria-label="What was told">
        <h2>What was told</h2>
        {told.length === 0 && <p className="muted">Nothing yet.</p>}
        <ul className="events" data-testid="alerts">
          {told.map((alert, index) => (
            <li key={told.length - index} data-alert={alert.kind} data-raised={alert.raised}>
              <time className="muted">{new Date(alert.at).toLocaleTimeString()}</time>{' '}
              {alert.raised ? '▲' : '▽ over:'} {alert.text}
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

const PERMISSIONS: { readonly [permission in Permission]: string } = {
  granted: 'The browser shows them too.',
  default: 'The browser has not said yet whether it shows them; they stand below.',
  denied:
    'The browser refuses to show them: they stand below only. Allow notifications of this site in the browser to have them.',
  missing: 'This browser shows none: they stand below only.',
};
