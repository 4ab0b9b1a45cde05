import { byAge } from '../backends/by-age.ts';
import type { IngressConfig } from '../config/ingress-schema.ts';
import type { IngressObject } from './ingress-object.ts';

/** Name of a declared class -> its controller. */
export type Controllers = ReadonlyMap<string, string>;

/** The class of balancers whose configuration names none. */
const OWN_CLASS = 'rollcall';

/** Those that a balancer routes by, the oldest first; of the same second, by namespace and name. */
export function meantIngresses(
  ingresses: readonly IngressObject[],
  controllers: Controllers,
  settings: IngressConfig,
): IngressObject[] {
  const { namespace } = settings;
  return ingresses
    .filter((one) => namespace === '*' || one.namespace === namespace)
    .filter(({ className = '' }) => isMeantClass(className, controllers, settings))
    .toSorted(byAge);
}

/** A sentence for each class of the balancer that belongs to another controller. */
export function classNotes(controllers: Controllers, settings: IngressConfig): string[] {
  const { class: ownClass = OWN_CLASS, controller } = settings;
  const found = controllers.get(ownClass);
  if (found === undefined || found === controller) return [];
  return [
    `Ingresses of class ${ownClass} are not used: its IngressClass names the controller ${found}, this balancer is ${controller}`,
  ];
}

function isMeantClass(
  name: string,
  controllers: Controllers,
  { class: ownClass, controller, isDefault }: IngressConfig,
): boolean {
  if (name === '') return isDefault;
  const declared = controllers.get(name);
  if (declared === undefined) return name === (ownClass ?? OWN_CLASS);
  return declared === controller && (ownClass === undefined || ownClass === name);
}
