/** Where in the app the user is: the part of the address after `#`. */
import { useSyncExternalStore } from 'react';

export const PAGES = [
  'queue',
  'trade',
  'positions',
  'history',
  'insurance',
  'markets',
  'alerts',
  'rehearsal',
  'settings',
] as const;
export type Page = (typeof PAGES)[number];

export type Route = { readonly page: Page; readonly market: number | undefined };

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

/** The route that an address names; the first page where it names none. */
export function routeOf(hash: string): Route {
  const [name, market] = hash.replace(/^#\/?/, '').split('/');
  const page = PAGES.find((known) => known === name) ?? PAGES[0];
  return {
    page,
    market: market !== undefined && /^\d{1,5}$/.test(market) ? Number(market) : undefined,
  };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return routeOf(hash);
}

/** The address of a page, for links. */
export function link(page: Page, market?: number): string {
  return `#/${page}${market === undefined ? '' : `/${market}`}`;
}
