import { expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { sallyport } from '../src/index.ts';
import { guardFor } from './support/application.ts';

test.each([
  [{ gaurd: guardFor() }, 'gaurd'],
  [{ guard: {} }, 'not a guard'],
  [{ guard: 'public' }, 'not a guard'],
  [{ guard: guardFor(), closeWithin: 'soon' }, 'closeWithin'],
])('options that cannot be meant are refused', async (options, message) => {
  await expect(async () => Fastify().register(sallyport, options as never)).rejects.toThrow(message);
});
