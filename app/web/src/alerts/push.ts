/** Alerts that come while no page is open: the gateway pushes them through the browser's own push service. */
import { getBase58Decoder, getBase64Encoder, type Address } from '@solana/kit';

import type { Gateway } from '../chain/gateway';
import type { MessageSigner } from '../wallet';
import type { Rules } from './rules';

/** The service worker, beside the page. */
const WORKER = './alerts-worker.js';

/** Whether this browser can be pushed to. */
export function canBePushed(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;
}

/** What this browser has subscribed. */
export async function pushed(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/**
 * Subscribes alerts of trader accounts for this browser. The wallet signs a text for each, which proves the account to
 * the gateway, moves nothing and allows no trade.
 */
export async function subscribePush(
  gateway: Gateway,
  key: string,
  rules: Rules,
  wallet: { readonly owner: Address; readonly sign: MessageSigner },
  traders: readonly Address[],
): Promise<void> {
  if ((await Notification.requestPermission()) !== 'granted') {
    throw new Error(
      'the browser refuses to show notifications; allow those of this site in the browser',
    );
  }
  const tokens: string[] = [];
  for (const trader of traders) {
    const { nonce, text } = await gateway.challenge(wallet.owner, trader);
    const signature = await wallet.sign(new TextEncoder().encode(text));
    tokens.push(await gateway.signIn(nonce, getBase58Decoder().decode(signature)));
  }
  const push = targetOf(await subscription(key));
  for (const token of tokens) {
    await gateway.subscribeAlerts(token, { ...termsOf(rules), push });
  }
}

/** Ends what this browser has subscribed, at the gateway and in the browser; where the gateway does not answer, here alone. */
export async function endPush(gateway: Gateway): Promise<void> {
  const subscribed = await pushed();
  if (subscribed === null) {
    return;
  }
  try {
    await gateway.endPush(targetOf(subscribed));
  } finally {
    await subscribed.unsubscribe();
  }
}

async function subscription(key: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register(WORKER);
  const registration = await navigator.serviceWorker.ready;
  const options = {
    userVisibleOnly: true,
    applicationServerKey: bytesOf(key),
  };
  try {
    return await registration.pushManager.subscribe(options);
  } catch (problem) {
    // One that was made for another gateway stands in the way.
    const other = await registration.pushManager.getSubscription();
    if (other === null) {
      throw problem;
    }
    await other.unsubscribe();
    return registration.pushManager.subscribe(options);
  }
}

/** Bytes of base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/');
  return new Uint8Array(getBase64Encoder().encode(padded.padEnd(Math.ceil(text.length / 4) * 4, '=')));
}

function targetOf(subscribed: PushSubscription) {
  const { endpoint, keys } = subscribed.toJSON();
  const { p256dh, auth } = keys ?? {};
  if (endpoint === undefined || p256dh === undefined || auth === undefined) {
    throw new Error('the browser gives no keys for Web Push');
  }
  return { endpoint, p256dh, auth };
}

function termsOf({ lightAt, ratioBelowBps, fundingAbovePpm }: Rules) {
  return {
    light_at: lightAt,
    margin_ratio_below_bps: ratioBelowBps,
    ...(fundingAbovePpm === null ? {} : { funding_above_ppm: fundingAbovePpm }),
    forced: true,
    exchange: true,
  };
}
