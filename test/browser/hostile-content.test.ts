import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { HOSTS } from '../../examples/chat/server/arguments.ts';
import { Client, login } from '../../examples/chat/test/support/client.ts';
import { demoInBrowser } from '../support/demo-in-browser.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { scriptPayloads } from '../support/script-payloads.ts';

/** Fewer messages than one connection may send at once. */
const BURST = 30;
const MARK = 'mark-of-the-end';

interface Content {
  readonly text: string;
  readonly html?: string;
}

describeWith('chromium', 'scripts in messages of an admitted user', (path) => {
  const { start, visit } = demoInBrowser(path);

  /** The victim's page, without its content security policy, so that only the guard can stop a script. */
  async function watch(url: string): Promise<{ page: Page; ran: string[] }> {
    const context = await visit({ bypassCSP: true });
    const page = await context.newPage();
    const ran: string[] = [];
    page.on('dialog', (dialog) => {
      ran.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(url);
    await page.fill('#user', 'victim');
    await page.click('#login button');
    await page.waitForSelector('#room-view:not([hidden])');
    return { page, ran };
  }

  /** Sends all messages, over as many connections as the rate requires. Returns those that were refused. */
  async function send(url: string, messages: readonly Content[]): Promise<[Content, unknown][]> {
    const refused: [Content, unknown][] = [];
    for (let at = 0; at < messages.length; at += BURST) {
      const { token } = await login(url, `mallory${at}`);
      const client = await Client.open(url, { headers: { authorization: `Bearer ${token}` } });
      for (const message of messages.slice(at, at + BURST)) {
        client.send({ type: 'say', room: 'hall', ...message });
        for (let answer = await client.next(); ; answer = await client.next()) {
          if (answer.type === 'error') refused.push([message, answer.code]);
          if (answer.type !== 'welcome') break;
        }
      }
      client.close();
    }
    return refused;
  }

  const shown = (page: Page) => page.locator('#messages .text').last();
  const arrived = (page: Page) => page.getByText(MARK, { exact: true }).waitFor();

  /** Checks that no script ran, and that a script would have been noticed. */
  async function wouldBeNoticed(page: Page, ran: string[]): Promise<void> {
    expect(ran).toEqual([]);
    await shown(page).evaluate((element) => {
      element.innerHTML = '<img src=x onerror="alert(\'noticed\')">';
    });
    await eventually(() => ran.length > 0, 'the script that does run');
    expect(ran).toEqual(['noticed']);
  }

  test.each(HOSTS)(
    'on %s, no script runs from messages with script payloads as text',
    async (host) => {
      const demo = await start({ host });
      const { page, ran } = await watch(demo.url);
      // The policy allows 500 characters.
      const texts = scriptPayloads.map((text) => ({ text: text.slice(0, 500) }));
      // Visible characters pass as text, however dangerous they would be as markup.
      expect(await send(demo.url, [...texts, { text: MARK }])).toEqual([]);
      await arrived(page);
      const lines = await page
        .locator('#messages .text')
        .evaluateAll((elements) =>
          elements.map((element) => [element.childElementCount, element.textContent]),
        );
      expect(lines).toHaveLength(scriptPayloads.length + 1);
      expect(lines.filter(([children]) => children !== 0)).toEqual([]);
      await wouldBeNoticed(page, ran);
    },
    60_000,
  );

  test.each(HOSTS)(
    'on %s, no script runs from messages with script payloads as sanitized HTML, not even after clicks and hovering',
    async (host) => {
      const demo = await start({ host });
      const { page, ran } = await watch(demo.url);
      const marked = [
        ...scriptPayloads.map((html) => ({ text: 'markup', html })),
        { text: MARK, html: `<b>${MARK}</b>` },
      ];
      // Markup that nests too deeply is refused.
      const refused = (await send(demo.url, marked)).map(([{ html }]) => html);
      expect(refused).toEqual(scriptPayloads.filter((html) => /(<div>){100}/.test(html)));
      await arrived(page);
      const left = await page.locator('#messages .text *').evaluateAll((elements) =>
        elements.map((element) => ({
          tag: element.localName,
          namespace: element.namespaceURI,
          attributes: element.getAttributeNames().sort().join(' '),
          href: element.getAttribute('href'),
        })),
      );
      expect(left.length).toBeGreaterThan(5);
      for (const { tag, namespace, attributes, href } of left) {
        expect('a b blockquote br code em i li ol p pre s strong u ul'.split(' ')).toContain(tag);
        expect(namespace).toBe('http://www.w3.org/1999/xhtml');
        expect(['', 'href rel', 'rel']).toContain(attributes);
        expect(href ?? 'https:').toMatch(/^(https?|mailto):/);
      }
      await page.evaluate(() => {
        // Keeps links from leaving the page. A link that runs a script would still do so.
        document.addEventListener('click', (event) => {
          const link = (event.target as Element).closest('a');
          if (/^(https?|mailto):$/.test(link?.protocol ?? '')) event.preventDefault();
        });
        for (const element of document.querySelectorAll('#messages .text, #messages .text *')) {
          for (const type of [
            'click',
            'mouseover',
            'mouseenter',
            'focus',
            'animationstart',
            'toggle',
            'error',
            'load',
          ])
            element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
        }
      });
      await wouldBeNoticed(page, ran);
    },
    60_000,
  );
});
