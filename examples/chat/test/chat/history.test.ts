import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { History } from '../../chat/history.ts';

let history: History;
beforeEach(async () => {
  history = await History.open();
});
afterEach(() => history.close());

const say = (text: string) => history.add({ room: 'hall', user: 'alice', text, at: 1 });
const texts = async (query: string) => (await history.search(query)).map(({ text }) => text);

test('search ignores letter case, and returns the oldest message first', async () => {
  await say('Ärger am Tor');
  await say('nothing');
  await say('noch mehr ÄRGER');
  expect(await texts('ärger')).toEqual(['Ärger am Tor', 'noch mehr ÄRGER']);
  expect(await history.search('nothing')).toEqual([
    { id: 2, room: 'hall', user: 'alice', text: 'nothing', at: 1 },
  ]);
});

test('search treats quotes, wildcards and NUL as plain characters', async () => {
  const { id } = await say("it's 100% a_b\u0000c");
  await say('it is 100 axb');
  for (const query of ["it's", '100%', 'a_b', '\u0000', 'b\u0000c'])
    expect((await history.search(query)).map((message) => message.id)).toEqual([id]);
});

test('search returns the newest 50 of 60 matches', async () => {
  for (let count = 1; count <= 60; count++) await say(`word ${count}`);
  const found = await texts('word');
  expect(found).toHaveLength(50);
  expect([found[0], found[49]]).toEqual(['word 11', 'word 60']);
});
