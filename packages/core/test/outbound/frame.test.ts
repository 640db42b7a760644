import { describe, expect, test } from '@jest/globals';
import { frameOf } from '../../src/outbound/frame.ts';

/** The head of a frame by RFC 6455 §5.2: final, its opcode, not masked, and the length in as few bytes as there are. */
const heads: [bytes: number, length: number[]][] = [
  [0, [0]],
  [1, [1]],
  [125, [125]],
  [126, [126, 0x00, 0x7e]],
  [65_535, [126, 0xff, 0xff]],
  [65_536, [127, 0, 0, 0, 0, 0, 1, 0, 0]],
  [1_000_000, [127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40]],
];

describe('one frame holds the whole message', () => {
  test.each(heads)('a text of %i bytes is one frame', (bytes, length) => {
    const text = 'x'.repeat(bytes);
    const frame = frameOf(text);
    expect([...frame.subarray(0, 1 + length.length)]).toEqual([0x81, ...length]);
    expect(Buffer.from(frame.subarray(1 + length.length)).toString()).toBe(text);
  });

  test.each(heads)('%i bytes are one binary frame', (bytes, length) => {
    const data = new Uint8Array(bytes).map((_, i) => i);
    const frame = frameOf(data);
    expect([...frame.subarray(0, 1 + length.length)]).toEqual([0x82, ...length]);
    expect(Buffer.from(data).equals(frame.subarray(1 + length.length))).toBe(true);
  });
});

test('the length of a frame counts bytes', () => {
  const frame = frameOf('\u20ac'.repeat(50));
  expect([...frame.subarray(0, 4)]).toEqual([0x81, 126, 0, 150]);
  expect(frame).toHaveLength(154);
});

test('half a surrogate pair becomes the replacement character, so that the frame is UTF-8', () => {
  expect([...frameOf('a\ud800')]).toEqual([0x81, 4, 0x61, 0xef, 0xbf, 0xbd]);
});

test('a view into a larger buffer is sent as that view', () => {
  const part = Buffer.from('xxabcyy').subarray(2, 5);
  expect([...frameOf(part)]).toEqual([0x82, 3, 0x61, 0x62, 0x63]);
});
