import { expect, test } from 'vitest';
import { withRelease } from './changelog.ts';

const before = '# Changelog\n\n## Unreleased\n\n- a line\n\n## 0.1.0\n\n- older\n';

test('what is unreleased belongs to the new version', () => {
  expect(withRelease(before, '0.2.0', '2026-11-29')).toBe(
    '# Changelog\n\n## Unreleased\n\n## 0.2.0, 2026-11-29\n\n- a line\n\n## 0.1.0\n\n- older\n',
  );
});

test('a version that has a section keeps it', () => {
  expect(withRelease(before, '0.1.0', '2026-11-29')).toBe(before);
});

test('a version that begins like another one has no section yet', () => {
  const text = before.replace('## 0.1.0', '## 0.2.0-rc.1');
  expect(withRelease(text, '0.2.0', '2026-11-29')).toContain('## 0.2.0, 2026-11-29');
});

test('a changelog without the section is refused', () => {
  expect(() => withRelease('# Changelog\n', '0.2.0', '2026-11-29')).toThrow('## Unreleased');
});
