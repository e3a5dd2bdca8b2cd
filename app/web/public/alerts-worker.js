/**
 * The service worker of alerts: shows what a gateway pushes, also while no page is open. What is pushed is text and is
 * shown as text. It fetches nothing and keeps nothing.
 */

/** Most characters of a notification. */
const MOST = 700;

/** What was pushed, as far as it says something. */
function read(data) {
  try {
    const told = data.json();
    const text = typeof told.text === 'string' ? told.text.slice(0, MOST) : '';
    const id = typeof told.id === 'string' ? told.id : undefined;
    return { text, id, over: told.raised === false };
  } catch {
    return { text: '', id: undefined, over: false };
  }
}

self.addEventListener('push', (event) => {
  const { text, id, over } = read(event.data);
  const shown = self.registration.showNotification(over ? 'Ballast: over' : 'Ballast: alert', {
    body: text === '' ? 'Something happened to your positions: look at the page.' : text,
    // A letter that comes twice is shown once.
    ...(id === undefined ? {} : { tag: id }),
  });
  event.waitUntil(shown);
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show());
});

/** The page that is open, or a new one. */
async function show() {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const open = pages.find(({ url }) => url.startsWith(self.registration.scope));
  await (open === undefined
    ? self.clients.openWindow(`${self.registration.scope}#/alerts`)
    : open.focus());
}
