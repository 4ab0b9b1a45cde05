import { expect, test } from 'vitest';
import { IngressRouting } from '../config/ingress-schema.ts';
import { controllersOf, ingressOf, type IngressObject } from './ingress-object.ts';
import { classNotes, meantIngresses } from './meant-ingresses.ts';

const OWN = 'rollcall.dev/ingress';

function ingress(name: string, className?: string, metadata: object = {}): IngressObject {
  const spec = { ingressClassName: className, rules: [] };
  return ingressOf({ metadata: { name, namespace: 'shop', ...metadata }, spec })!;
}

const ALL = [
  ingress('none'),
  ingress('own', 'rollcall'),
  ingress('other', 'nginx'),
  ingress('noted', undefined, { annotations: { 'kubernetes.io/ingress.class': 'nginx' } }),
  ingress('away', undefined, { namespace: 'away' }),
  ingress('inside', 'internal'),
];

const settingsOf = (settings: object) => IngressRouting.parse({ listener: 'web', ...settings });

const names = (settings: object, controllers: Readonly<Record<string, string>> = {}) =>
  meantIngresses(ALL, new Map(Object.entries(controllers)), settingsOf(settings)).map(
    ({ name }) => name,
  );

test('without declared classes the name of the class chooses, and the namespace', () => {
  expect(names({})).toEqual(['away', 'none', 'own']);
  expect(names({ isDefault: false })).toEqual(['own']);
  expect(names({ class: 'nginx', isDefault: false })).toEqual(['noted', 'other']);
  expect(names({ namespace: 'away' })).toEqual(['away']);
});

test('a declared class is for the balancers that are its controller', () => {
  const controllers = { internal: OWN, rollcall: 'else.test/x', nginx: 'k8s.io/ingress-nginx' };
  expect(names({ isDefault: false }, controllers)).toEqual(['inside']);
  expect(names({ isDefault: false, controller: 'else.test/x' }, controllers)).toEqual(['own']);
  expect(names({ isDefault: false }, { internal: OWN })).toEqual(['inside', 'own']);
});

test('a balancer with a class has only that one', () => {
  const controllers = { internal: OWN, nginx: OWN };
  expect(names({ isDefault: false, class: 'internal' }, controllers)).toEqual(['inside']);
  expect(names({ isDefault: false, class: 'nginx' }, controllers)).toEqual(['noted', 'other']);
  expect(names({ isDefault: false, class: 'nginx' }, { nginx: 'a.test/b' })).toEqual([]);
});

test('the log says that a class belongs to another controller', () => {
  const notes = (settings: object, controllers: Readonly<Record<string, string>>) =>
    classNotes(new Map(Object.entries(controllers)), settingsOf(settings));
  expect(notes({}, { rollcall: OWN })).toEqual([]);
  expect(notes({}, { internal: 'a.test/b' })).toEqual([]);
  expect(notes({ class: 'internal' }, { internal: 'a.test/b' })).toEqual([
    'Ingresses of class internal are not used: its IngressClass names the controller a.test/b, this balancer is rollcall.dev/ingress',
  ]);
});

test('what is no class is left out', () => {
  const good = { metadata: { name: 'a' }, spec: { controller: OWN } };
  expect([...controllersOf([good, null, {}, { metadata: { name: 'b' } }])]).toEqual([['a', OWN]]);
});
