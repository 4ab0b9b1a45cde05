import { examine, Ingress, IngressClass } from '@rollcall/manifests';
import { expect, test } from 'vitest';
import { IngressClasses } from './ingress-classes.ts';

const DEFAULT = { 'ingressclass.kubernetes.io/is-default-class': 'true' };

const classNamed = (name: string, creationTimestamp: string, annotations?: object) =>
  IngressClass.parse({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name, creationTimestamp, annotations },
    spec: { controller: 'rollcall.dev/ingress' },
  });

/** The class that a new Ingress gets. */
function classOf(...classes: IngressClass[]): string | undefined {
  const ingress = Ingress.parse({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  });
  const admitted = new IngressClasses(classes).admit(examine(ingress).manifest);
  return admitted.kind === 'Ingress' ? admitted.spec?.ingressClassName : undefined;
}

const [OLD, NEW] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z'];

test('the newest default class is chosen', () => {
  expect(classOf(classNamed('a', OLD, DEFAULT), classNamed('b', NEW, DEFAULT))).toBe('b');
  expect(classOf(classNamed('b', NEW, DEFAULT), classNamed('a', OLD, DEFAULT))).toBe('b');
  expect(classOf(classNamed('a', OLD, DEFAULT), classNamed('b', NEW))).toBe('a');
});

test('of those of the same second the one whose name comes first', () => {
  expect(classOf(classNamed('b', OLD, DEFAULT), classNamed('a', OLD, DEFAULT))).toBe('a');
});

test('none is chosen where none is the default', () => {
  const named = { 'ingressclass.kubernetes.io/is-default-class': 'false' };
  expect(classOf(classNamed('a', OLD), classNamed('b', OLD, named))).toBeUndefined();
  expect(classOf()).toBeUndefined();
});
