import { z } from 'zod';
import { Revision } from './instance.ts';

const EXAMPLE = `apiVersion: v1
kind: Service
metadata:
  name: nginx
spec:
  selector:
    app: nginx
  ports:
    - port: 8080
      targetPort: 80
`;
/** Body of the calls that declare objects. */
export const ManifestText = z.string().meta({
  description: 'Manifests as Kubernetes has them, in YAML (documents apart by `---`) or JSON',
  examples: [EXAMPLE],
});

/** Body of the call that changes fields of an object. */
export const MergePatch = z.looseObject({}).meta({
  description:
    'The fields to change; null takes one away, a list takes the place of the whole list',
  examples: [{ spec: { sessionAffinity: 'ClientIP' } }],
});

/** Who writes: kept as a name in `metadata.managedFields` of what it changes. */
export const FieldManager = z
  .string()
  .max(128, { error: 'expected at most 128 characters' })
  .regex(/^[\P{C}]*$/u, { error: 'expected printable characters only' });

/** What happens to the objects that a deleted object owns. */
export const PropagationPolicy = z.enum(['Background', 'Foreground', 'Orphan'], {
  error: 'expected Background, Foreground or Orphan',
});
export type PropagationPolicy = z.output<typeof PropagationPolicy>;

/** One fault of a manifest: in which document, where, what, and how to fix it. */
export const Fault = z
  .object({
    /** e.g. `Service "nginx"`; empty when unknown. */
    object: z.string(),
    /** 1-based, in the submitted text; 0 = not from a text. */
    line: z.int(),
    column: z.int(),
    /** Path of the field, e.g. `spec.ports[0].nodePort`. */
    field: z.string(),
    message: z.string(),
    /** What to write instead; empty when there is no better advice than the message. */
    fix: z.string(),
  })
  .meta({ id: 'Fault' });
export type Fault = z.output<typeof Fault>;

/** A declared object in the form of Kubernetes. */
export const ManifestObject = z
  .looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({
      name: z.string(),
      namespace: z.string(),
      uid: z.string().optional(),
      resourceVersion: z.string().optional(),
      creationTimestamp: z.string().optional(),
      /** Since when it is being deleted; it goes when its last finalizer is removed. */
      deletionTimestamp: z.string().optional(),
      finalizers: z.array(z.string()).optional(),
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  })
  .meta({ id: 'ManifestObject' });
export type ManifestObject = z.output<typeof ManifestObject>;

/** Reply to listing declared objects, in the form of a Kubernetes `List`. */
export const ManifestList = z
  .object({
    apiVersion: z.literal('v1'),
    kind: z.literal('List'),
    metadata: z.object({ resourceVersion: Revision }),
    items: z.array(ManifestObject),
  })
  .meta({ id: 'ManifestList' });
export type ManifestList = z.output<typeof ManifestList>;

/** The result for one document. */
export const ApplyResult = z
  .object({
    kind: z.string(),
    namespace: z.string(),
    name: z.string(),
    action: z.enum(['created', 'configured', 'unchanged', 'refused']),
    /** Its new state, in a dry run what it would be; null when refused. */
    object: ManifestObject.nullable(),
    /** Its state before; null when it did not exist. */
    before: ManifestObject.nullable(),
    /** Why it was refused. */
    faults: z.array(Fault),
    /** What is accepted but has no effect. */
    warnings: z.array(z.string()),
  })
  .meta({ id: 'ApplyResult' });
export type ApplyResult = z.output<typeof ApplyResult>;

/** Reply to applying manifests, in the order of the documents. */
export const ApplyReply = z
  .object({ revision: Revision, dryRun: z.boolean(), results: z.array(ApplyResult) })
  .meta({ id: 'ApplyReply' });
export type ApplyReply = z.output<typeof ApplyReply>;

/** Reply to deleting a declared object. One that finalizers keep has a `deletionTimestamp` now. */
export const Deleted = z.object({ revision: Revision, object: ManifestObject }).meta({
  id: 'Deleted',
});
export type Deleted = z.output<typeof Deleted>;
