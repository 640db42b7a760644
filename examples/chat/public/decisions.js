// The guard's decisions as they are made: the list, the picture of the doors, and a way to wait for a decision.

const STATION = {
  request: 'outer',
  transport: 'outer',
  host: 'outer',
  address: 'outer',
  rate: 'outer',
  credential: 'inner',
  origin: 'inner',
  subprotocol: 'inner',
  authentication: 'inner',
  authorization: 'inner',
  admission: 'inner',
  deadline: 'inner',
  route: 'inner',
  shutdown: 'outer',
};
const SHOWN = 80;

const list = document.getElementById('decisions');
const road = document.getElementById('road');
const waiting = new Set();
let last = 0;
let live = false;

/** The number of the newest decision, for `decisionAfter`. */
export const newest = () => last;

/** Resolves with the first decision after `since` that fits, or with `undefined` after `ms`. */
export function decisionAfter(since, fits, ms = 4_000) {
  return new Promise((resolve) => {
    const waiter = { since, fits, resolve: (decision) => done(decision) };
    const timer = setTimeout(() => done(undefined), ms);
    const done = (decision) => {
      clearTimeout(timer);
      waiting.delete(waiter);
      resolve(decision);
    };
    waiting.add(waiter);
    for (const decision of recent) offer(waiter, decision);
  });
}

/** The latest decisions, because one may arrive before `decisionAfter` is called. */
const recent = [];

function offer(waiter, decision) {
  if (decision.id > waiter.since && waiter.fits(decision)) waiter.resolve(decision);
}

/** Listens to the decisions. `changed` is called after each one, when the numbers may have changed. */
export function followDecisions(changed) {
  const source = new EventSource('/decisions');
  source.onopen = () => {
    // Decisions that come at once are past ones: they are listed, but not animated.
    setTimeout(() => {
      live = true;
    }, 300);
  };
  source.onmessage = ({ data }) => {
    const decision = JSON.parse(data);
    // After a restart of the server the numbers start again at 1.
    if (decision.id <= last && decision.id !== 1) return;
    last = decision.id;
    recent.push(decision);
    if (recent.length > SHOWN) recent.shift();
    render(decision);
    if (live) play(decision);
    for (const waiter of [...waiting]) offer(waiter, decision);
    changed();
  };
  source.onerror = () => {
    live = false;
  };
}

/** A decision as text, for the list and the attack cards. */
export function inWords({ event, reason, status, code, stage, pointer, scheme }) {
  if (event === 'handshake.admitted') return scheme ? 'admitted' : 'admitted, to say who it is';
  if (event === 'connection.opened') return 'open';
  if (event === 'handshake.denied') return `${reason}, HTTP ${status}, at the stage ${stage}`;
  if (event === 'message.denied')
    return `${reason}, at the stage ${stage}${pointer === undefined || pointer === '' ? '' : `, at ${pointer}`}`;
  if (event === 'connection.closed') return `closed with ${code}${reason ? `, ${reason}` : ''}`;
  return 'a fault inside, so it was denied';
}

function render(decision) {
  const item = document.createElement('li');
  const denied = decision.reason !== undefined;
  item.className = denied ? 'denied' : decision.event === 'connection.closed' ? 'closed' : 'admitted';
  const time = new Date(decision.at).toLocaleTimeString('en-GB');
  const kind = {
    'handshake.admitted': 'handshake',
    'handshake.denied': 'handshake',
    'message.denied': 'message',
  };
  item.append(
    part('time', time),
    part('kind', kind[decision.event] ?? (decision.event === 'fault' ? 'fault' : 'connection')),
    part('words', inWords(decision)),
  );
  const facts = [
    decision.subject && `by ${decision.subject}`,
    decision.scheme && `with ${decision.scheme}`,
    decision.event.startsWith('handshake') && `from ${decision.origin ?? 'no origin'}`,
    decision.detail,
  ];
  item.append(part('facts', facts.filter(Boolean).join(' · ')));
  list.prepend(item);
  while (list.childElementCount > SHOWN) list.lastElementChild.remove();
}

function part(name, text) {
  const span = document.createElement('span');
  span.className = name;
  span.textContent = text;
  return span;
}

/** Animates a decision: a dot moves as far as the handshake came. */
function play(decision) {
  const { event, stage } = decision;
  if (event === 'handshake.admitted') {
    travel('hall', 'admitted');
    for (const station of ['outer', 'inner'])
      flash(document.querySelector(`[data-station=${station}]`), 'open', 1_600);
  } else if (event === 'handshake.denied') {
    const station = STATION[stage] ?? 'inner';
    travel(station, 'denied');
    flash(document.querySelector(`[data-station=${station}]`), 'barred', 1_600);
    if (station === 'inner') flash(document.querySelector('[data-station=outer]'), 'open', 1_200);
  } else if (event === 'message.denied') {
    flash(document.querySelector('[data-station=hall]'), 'barred', 1_200);
  }
  const chip = stage && document.querySelector(`[data-stage="${stage}"]`);
  if (chip) flash(chip, 'struck', 2_600);
}

const flashes = new WeakMap();

function flash(element, name, ms) {
  const timers = flashes.get(element) ?? {};
  clearTimeout(timers[name]);
  element.classList.add(name);
  timers[name] = setTimeout(() => element.classList.remove(name), ms);
  flashes.set(element, timers);
}

function travel(station, fate) {
  if (road.childElementCount > 12) return;
  const traveller = document.createElement('i');
  traveller.className = `traveller to-${station} ${fate}`;
  traveller.addEventListener('animationend', () => traveller.remove());
  road.append(traveller);
}
