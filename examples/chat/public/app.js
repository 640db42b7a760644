// The page: logging in and out, the choice of a credential, the numbers, the attacks.
import { mountAttacks } from './attacks.js';
import { openChat, renew } from './chat.js';
import { followDecisions } from './decisions.js';
import { ways } from './ways.js';

const $ = (id) => document.getElementById(id);
let numbersDue = false;
let way = 'cookie';
let expiresAt;
let user;
const setup = await (await fetch('/setup')).json();
$('host').textContent = setup.host;

const enableAttacks = mountAttacks(setup.attacker);
followDecisions(refreshNumbers);
refreshNumbers();
choose(way);
setInterval(countDown, 1_000);
if (setup.user !== null) connect();

function connect() {
  openChat(ways[way], {
    onWelcome(name) {
      const arrived = user === undefined;
      present(name);
      if (arrived) $('text').focus();
    },
    onCredential(until, renewals) {
      expiresAt = until;
      $('renewed').textContent =
        renewals === 0 ? '' : `Renewed ${renewals === 1 ? 'once' : `${renewals} times`}.`;
      countDown();
    },
    onEnd(code, reason) {
      present(undefined);
      $('ended').textContent = `The connection was closed with ${code}. ${reason}`;
    },
  }).catch(({ message }) => {
    present(undefined);
    $('login-problem').textContent = message;
  });
}

function present(name) {
  user = name;
  const here = user !== undefined;
  $('who').textContent = here ? `you are ${user}` : 'nobody is here yet';
  $('logout').hidden = !here;
  $('login').hidden = here;
  $('room-view').hidden = !here;
  $('ended').textContent = '';
  enableAttacks(user);
}

function choose(name) {
  way = name;
  for (const button of document.querySelectorAll('[data-way]'))
    button.setAttribute('aria-pressed', String(button.dataset.way === name));
  $('way-note').textContent = ways[name].what;
}

for (const button of document.querySelectorAll('[data-way]')) {
  button.addEventListener('click', () => {
    choose(button.dataset.way);
    if (user !== undefined) connect();
  });
}

/** Shows how long the connection is still valid. */
function countDown() {
  const seconds =
    expiresAt === undefined ? undefined : Math.max(0, expiresAt - Math.floor(Date.now() / 1_000));
  const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  $('credential').textContent =
    `In by ${ways[way].name}, good ${seconds === undefined ? 'as long as the session' : `for ${left}`}.`;
  $('renew').hidden = seconds === undefined;
}

$('renew').addEventListener('click', renew);

$('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('login-problem').textContent = '';
  const response = await post('/login', { user: $('user').value });
  if (response.ok) connect();
  else $('login-problem').textContent = (await response.json()).message;
});

// The guard then closes the sockets of the session in every tab.
$('logout').addEventListener('click', async () => {
  const response = await post('/logout', {});
  if (!response.ok) $('chat-problem').textContent = (await response.json()).message;
});

function post(path, body) {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Fetches the numbers, at most twice a second. */
function refreshNumbers() {
  if (numbersDue) return;
  numbersDue = true;
  setTimeout(async () => {
    numbersDue = false;
    const { connections, admitted, denied } = await (await fetch('/health')).json();
    $('connections').textContent = connections;
    $('admitted').textContent = admitted;
    $('denied').textContent = Object.values(denied).reduce((sum, count) => sum + count, 0);
    $('denied').title = Object.entries(denied)
      .map(([reason, count]) => `${reason}: ${count}`)
      .join('\n');
  }, 500);
}
