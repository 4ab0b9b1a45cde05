import { DeclaredService } from '@rollcall/contract';
import type { Service } from '@rollcall/manifests';
import { expect, test } from 'vitest';
import { profileOf } from './profile.ts';

function labelled(labels: Record<string, string> | undefined): Service {
  const metadata = { name: 'web', ...(labels === undefined ? {} : { labels }) };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } };
}

test.each([
  [undefined, false],
  [{ app: 'web', 'service.kubernetes.io/other': 'x' }, false],
  [{ 'service.kubernetes.io/service-proxy-name': 'mine' }, true],
  [{ 'service.kubernetes.io/service-proxy-name': '' }, true],
  [{ 'service.kubernetes.io/headless': '' }, true],
  [{ 'service.kubernetes.io/headless': 'false' }, true],
])('labels %j keep proxies away: %s', (labels, expected) => {
  const profile = profileOf(labelled(labels), []);
  expect(profile.isUnproxied).toBe(expected);
  // Its address and its name stay.
  expect(profile.isHeadless).toBe(false);
  expect(DeclaredService.parse(profile)).toEqual(profile);
});

test('a server of before, which does not say, keeps no proxy away', () => {
  const { isUnproxied: _, ...before } = profileOf(labelled(undefined), []);
  expect(DeclaredService.parse(before).isUnproxied).toBe(false);
});
