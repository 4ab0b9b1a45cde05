import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { differenceText } from './difference.ts';

test('shows what changed with the lines around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
  expect(differenceText('x', before, before.replace('b\n', 'B\nB2\n'))).toBe(
    '--- live/x\n+++ file/x\n@@ -1,5 +1,6 @@\n a\n-b\n+B\n+B2\n c\n d\n e\n',
  );
  expect(differenceText('x', before, before)).toBe('');
});

test('what is added and kept is the new text, what is taken and kept the old one', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const shown = differenceText('x', `${before.join('\n')}\n`, `${after.join('\n')}\n`);
      if (shown === '') return before.join() === after.join();
      const lines = shown
        .split('\n')
        .slice(2, -1)
        .filter((line) => !line.startsWith('@@'));
      const side = (sign: string) =>
        lines.filter((line) => !line.startsWith(sign)).map((line) => line.slice(1));
      // Seven lines and three around each difference: nothing is left out.
      const isWhole = (mine: string[], whole: string[]) => whole.join().includes(mine.join());
      return isWhole(side('+'), before) && isWhole(side('-'), after);
    }),
  );
});
