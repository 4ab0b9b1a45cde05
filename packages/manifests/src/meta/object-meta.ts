import { z } from 'zod';

/** A field that may be absent. Go writes "absent" as null or a zero value, and clients send both. */
export const absent = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === null ? undefined : value), schema.optional());

const TextMap = z.record(z.string(), z.string());

/** Names an owner of an object, in the same namespace or in none. The object is deleted with its last owner. */
export const OwnerReference = z.strictObject({
  apiVersion: absent(z.string()),
  kind: absent(z.string()),
  name: absent(z.string()),
  uid: absent(z.string()),
  controller: absent(z.boolean()),
  blockOwnerDeletion: absent(z.boolean()),
});
export type OwnerReference = z.output<typeof OwnerReference>;

/** The metadata of every object. Fields that only a server sets are accepted too. */
export const ObjectMeta = z.strictObject({
  name: absent(z.string()),
  generateName: absent(z.string()),
  namespace: absent(z.string()),
  labels: absent(TextMap),
  annotations: absent(TextMap),
  uid: absent(z.string()),
  resourceVersion: absent(z.string()),
  generation: absent(z.int()),
  creationTimestamp: absent(z.string()),
  deletionTimestamp: absent(z.string()),
  deletionGracePeriodSeconds: absent(z.int()),
  finalizers: absent(z.array(z.string())),
  ownerReferences: absent(z.array(OwnerReference)),
  managedFields: absent(z.array(z.looseObject({}))),
  selfLink: absent(z.string()),
});
export type ObjectMeta = z.output<typeof ObjectMeta>;
