import { expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { sallyport } from '../src/index.ts';
import { guardFor } from './support/application.ts';

test.each([
  ['a misspelt option', { gaurd: guardFor() }, 'gaurd'],
  ['a guard without methods', { guard: {} }, 'not a guard'],
  ["guard: 'public'", { guard: 'public' }, 'not a guard'],
  ['a wrong duration', { guard: guardFor(), closeWithin: 'soon' }, 'closeWithin'],
])('%s: register rejects', async (_what, options, message) => {
  await expect(async () => Fastify().register(sallyport, options as never)).rejects.toThrow(message);
});
