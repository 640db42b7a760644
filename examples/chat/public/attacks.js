// The list of attacks. Each attack is real, and shows what the browser saw and what the guard decided.
import { victim } from './attack-tools.js';
import { credentialAttacks } from './credential-attacks.js';
import { inWords } from './decisions.js';
import { messageAttacks } from './message-attacks.js';
import { pageAttacks } from './page-attacks.js';

/** Fills the list of attacks. Call the returned function with the name of the user who is logged in. */
export function mountAttacks(attacker) {
  const attacks = [...pageAttacks(attacker), ...credentialAttacks, ...messageAttacks];
  const list = document.getElementById('attack-list');
  const template = document.getElementById('attack-card');
  const cards = attacks.map((attack) => {
    const card = template.content.cloneNode(true).firstElementChild;
    card.id = `attack-${attack.id}`;
    card.querySelector('h3').textContent = attack.title;
    card.querySelector('.what').textContent = attack.what;
    card.querySelector('button').setAttribute('aria-label', `Attack: ${attack.title}`);
    card.querySelector('button').addEventListener('click', () => perform(card, attack));
    list.append(card);
    return card;
  });
  const all = document.getElementById('all');
  all.addEventListener('click', async () => {
    all.disabled = true;
    for (const [at, card] of cards.entries()) await perform(card, attacks[at]);
    all.disabled = victim.name === undefined;
  });
  return (name) => {
    victim.name = name;
    for (const button of [all, ...list.querySelectorAll('button')])
      button.disabled = victim.name === undefined;
    document.getElementById('attacks-hint').textContent =
      victim.name === undefined
        ? 'Come in first: an attack needs a victim who is logged in.'
        : 'Each button really attacks, and shows what came of it.';
  };
}

async function perform(card, { run }) {
  const button = card.querySelector('button');
  button.disabled = true;
  card.dataset.state = 'running';
  card.querySelector('.verdict').textContent = 'attacking…';
  const { held, verdict, saw, decision, said } = await run().catch((error) => ({
    held: undefined,
    verdict: 'It could not be tried',
    saw: String(error),
  }));
  card.dataset.state = held === undefined ? 'unknown' : held ? 'held' : 'breached';
  card.querySelector('.verdict').textContent = verdict;
  card.querySelector('.saw').textContent = saw;
  card.querySelector('.said').textContent = decision === undefined ? (said ?? 'nothing') : inWords(decision);
  button.disabled = victim.name === undefined;
}
