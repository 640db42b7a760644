import { describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HOSTS } from '../../examples/chat/server/arguments.ts';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { demoInBrowser } from '../support/demo-in-browser.ts';
import { describeWith } from '../support/needs.ts';

describeWith('chromium', 'the chat in a browser', (path) => {
  const { start, visit } = demoInBrowser(path);

  /** Opens the page as a new visitor, and logs in. */
  async function enter(url: string, user: string): Promise<{ page: Page; errors: string[] }> {
    // The demo's certificate is self-signed.
    const context = await visit({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(url);
    await page.fill('#user', user);
    await page.click('#login button');
    await page.waitForSelector('#room-view:not([hidden])');
    return { page, errors };
  }

  const say = async (page: Page, text: string) => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  };
  const said = (page: Page, text: string) => page.getByText(text, { exact: true }).waitFor();

  describe.each(HOSTS)('on %s', (host) => {
    test('two visitors send messages, search, reload and log out, without an error in the page', async () => {
      const demo = await start({ host });
      const alice = await enter(demo.url, 'alice');
      const bob = await enter(demo.url, 'bob');
      await say(alice.page, 'Who goes there?');
      await said(bob.page, 'Who goes there?');
      await say(bob.page, 'A friend.');
      await said(alice.page, 'A friend.');
      expect(await alice.page.locator('#messages b').allTextContents()).toEqual(['alice', 'bob']);

      await bob.page.fill('#query', 'GOES');
      await bob.page.press('#query', 'Enter');
      await bob.page.waitForSelector('#found:not([hidden])');
      expect(await bob.page.locator('#found-list .text').allTextContents()).toEqual(['Who goes there?']);

      await bob.page.reload();
      await bob.page.getByText('you are bob').waitFor();
      await bob.page.click('#logout');
      await bob.page.waitForSelector('#login:not([hidden])');
      await bob.page.reload();
      await bob.page.waitForSelector('#login:not([hidden])');
      expect([...alice.errors, ...bob.errors]).toEqual([]);
    }, 30_000);

    test('a cookie, token, ticket and first message each open the chat, and are renewed before they expire', async () => {
      const clock = new ManualClock(Date.now());
      const demo = await start({ host }, { clock });
      const { page, errors } = await enter(demo.url, 'alice');
      const held = page.locator('.credential');
      await held.getByText('In by session cookie, good as long as the session.').waitFor();
      const ways = { token: 'token', ticket: 'ticket', late: 'first message' };
      for (const [way, name] of Object.entries(ways)) {
        await page.click(`[data-way=${way}]`);
        await held.getByText(`In by ${name}, good for`).waitFor();
        await say(page, `By ${name}.`);
        await said(page, `By ${name}.`);
        clock.stall(271_000);
        await held.getByText('Renewed once.').waitFor();
        await page.click('#renew');
        await held.getByText('Renewed 2 times.').waitFor();
      }
      expect(errors).toEqual([]);
    }, 30_000);

    test('a logout closes all tabs of the session, whichever credential they used', async () => {
      const demo = await start({ host });
      const { page, errors } = await enter(demo.url, 'alice');
      const others = await Promise.all(
        ['ticket', 'late'].map(async (way) => {
          const tab = await page.context().newPage();
          await tab.goto(demo.url);
          await tab.getByText('you are alice').waitFor();
          await tab.click(`[data-way=${way}]`);
          await tab.waitForSelector('#renew:not([hidden])');
          return tab;
        }),
      );
      await page.click('#logout');
      for (const tab of [page, ...others]) {
        await tab.waitForSelector('#login:not([hidden])');
        expect(await tab.textContent('#ended')).toBe(
          'The connection was closed with 4401. The credential was revoked.',
        );
      }
      expect(errors).toEqual([]);
    }, 30_000);

    test('each attack button shows the reason with which the guard stopped it', async () => {
      const demo = await start({ host });
      const { page } = await enter(demo.url, 'alice');
      await page.click('#all');
      const cards = page.locator('.attack');
      const outcomes: Record<string, string> = {};
      for (let at = 0; at < (await cards.count()); at++) {
        const card = cards.nth(at);
        await card
          .and(page.locator('[data-state=held], [data-state=breached], [data-state=unknown]'))
          .waitFor();
        const id = (await card.getAttribute('id')) ?? '';
        const guard = (await card.locator('.said').textContent())?.split(/[,:]/)[0];
        outcomes[id.replace('attack-', '')] = `${await card.getAttribute('data-state')}: ${guard}`;
      }
      expect(outcomes).toEqual({
        hijack: 'held: origin_denied',
        // The browser keeps a Lax cookie from a frame without an origin.
        'null-origin': 'held: credential_missing',
        'forged-token': 'held: credential_invalid',
        'none-token': 'held: credential_invalid',
        'replayed-ticket': 'held: credential_invalid',
        'early-message': 'held: credential_missing',
        'foreign-renewal': 'held: credential_invalid',
        flood: 'held: message_rate',
        oversized: 'held: message_too_big',
        'unknown-type': 'held: message_type_unknown',
        'unknown-property': 'held: message_invalid',
        script: 'held: admitted',
        markup: 'held: admitted',
        sql: 'held: admitted',
      });
    }, 60_000);
  });

  test('over TLS the chat works and its cookie is Secure, HttpOnly and SameSite=Lax', async () => {
    const demo = await start({ host: 'fastify', tls: true });
    expect(demo.url).toMatch(/^https:/);
    const { page, errors } = await enter(demo.url, 'alice');
    await say(page, 'Nobody listens in.');
    await said(page, 'Nobody listens in.');
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'session', secure: true, httpOnly: true, sameSite: 'Lax' });
    await page.click('#attack-hijack button');
    await page.waitForSelector('#attack-hijack[data-state=held]');
    expect(errors).toEqual([]);
  }, 30_000);
});
