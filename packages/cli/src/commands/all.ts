import type { Command } from '../session/command.ts';
import { clusterInfo, version } from './about.ts';
import { apiResources, apiVersions } from './api-resources.ts';
import { apply, diff, replace } from './apply.ts';
import { completion } from './completion.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { describe } from './describe.ts';
import { cordon, drain, uncordon } from './drain.ts';
import { exportCommand, importCommand } from './durable.ts';
import { edit } from './edit.ts';
import { env } from './env.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { expose } from './expose.ts';
import { get } from './get.ts';
import { annotate, label } from './label.ts';
import { patch } from './patch.ts';
import { portForward } from './port-forward.ts';
import { runCommand } from './run.ts';
import { scale } from './scale.ts';
import { top } from './top.ts';
import { wait } from './wait.ts';

/** Every command, in the order shown by the help. */
export const COMMANDS: readonly Command[] = [
  get,
  describe,
  explain,
  events,
  top,
  create,
  apply,
  diff,
  replace,
  patch,
  edit,
  remove,
  expose,
  scale,
  label,
  annotate,
  wait,
  portForward,
  drain,
  cordon,
  uncordon,
  exportCommand,
  importCommand,
  runCommand,
  env,
  apiResources,
  apiVersions,
  clusterInfo,
  version,
  completion,
];
