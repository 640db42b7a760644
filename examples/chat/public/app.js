// Puts the page together: logging in and out, the numbers, the attacks.
import { mountAttacks } from './attacks.js';
import { closeChat, openChat } from './chat.js';
import { followDecisions } from './decisions.js';

const $ = (id) => document.getElementById(id);
let numbersDue = false;
const setup = await (await fetch('/setup')).json();
$('host').textContent = setup.host;

const enableAttacks = mountAttacks(setup.attacker);
followDecisions(refreshNumbers);
refreshNumbers();
if (setup.user !== null) connect();

function connect() {
  openChat(
    (user) => {
      present(user);
      $('text').focus();
    },
    (code, reason) => {
      present(undefined);
      $('login-problem').textContent = `The connection ended (${code}). ${reason}`;
    },
  );
}

function present(user) {
  const here = user !== undefined;
  $('who').textContent = here ? `you are ${user}` : 'nobody is here yet';
  $('logout').hidden = !here;
  $('login').hidden = here;
  $('room-view').hidden = !here;
  enableAttacks(user);
}

$('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('login-problem').textContent = '';
  const response = await post('/login', { user: $('user').value });
  if (response.ok) connect();
  else $('login-problem').textContent = (await response.json()).message;
});

$('logout').addEventListener('click', async () => {
  closeChat();
  await post('/logout', {});
  present(undefined);
  $('user').focus();
});

function post(path, body) {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Asks for the numbers at most twice a second, however many decisions there are. */
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
