import type { AdminAnswer, AdminRequest } from '@rollcall/daemon';
import type { FrontReport } from '../front/front-report.ts';
import type { GroupTarget } from '../groups/group-target.ts';
import type { LiveTargetGroup } from '../groups/target-group.ts';
import type { TargetGroups } from '../groups/target-groups.ts';
import { DURATION, parseDuration } from '../operations/duration.ts';
import type { Operations } from '../operations/operations.ts';

type Groups = Pick<TargetGroups, 'all'>;
type Report = () => Pick<FrontReport, 'targets'> | Promise<Pick<FrontReport, 'targets'>>;
type Action = (request: AdminRequest) => Promise<AdminAnswer>;

/** Maximum number of names in a message. */
const SHOWN = 10;

/** What operators may do with targets and zones, by path. `report`: what all processes do. */
export function operatorActions(
  operations: Operations,
  groups: Groups,
  report: Report,
): Record<string, Action> {
  const acts: Record<string, (request: AdminRequest) => object | Promise<object>> = {
    '/targets/:group/:target/drain': async (request) => {
      const done = drain(request, operations, groups);
      const { targets } = await report();
      const inFlight = targets[done.group]?.find(({ id }) => id === done.target)?.inFlight ?? 0;
      return { ...done, inFlight };
    },
    '/targets/:group/:target/undrain': (request) => undrain(request, operations, groups),
    '/zones/:zone/shift': (request) => shift(request, operations, groups),
    '/zones/:zone/unshift': (request) => unshift(request, operations),
  };
  const known: Record<string, readonly string[]> = {
    '/targets/:group/:target/drain': ['force'],
    '/zones/:zone/shift': ['for', 'force'],
  };
  const entries = Object.entries(acts).map(([path, act]): [string, Action] => [
    path,
    async (request) => {
      try {
        refuseUnknown(request, known[path] ?? []);
        return { status: 200, body: await act(request) };
      } catch (error) {
        if (error instanceof Refusal) return error.answer;
        throw error;
      }
    },
  ]);
  return Object.fromEntries(entries);
}

/** What an operator asked for is not done. */
class Refusal extends Error {
  readonly answer: AdminAnswer;

  constructor(status: number, code: string, detail: string, field?: string) {
    super(detail);
    const title = status === 404 ? 'There is no such thing' : 'It is not done';
    const named = field === undefined ? {} : { field };
    this.answer = { problem: { status, code, title, detail, ...named } };
  }
}

function drain(request: AdminRequest, operations: Operations, groups: Groups) {
  const group = groupOf(request, groups);
  const isForced = switchOf(request, 'force');
  const { id } = targetOf(request, group);
  if (!isForced) refuseEmpty([group], (target) => target.id === id, `without ${id}`);
  refuseFull(operations);
  operations.drain(group.name, id, isForced);
  return { group: group.name, target: id, isDrained: true };
}

/** A target may have left since it was drained. */
function undrain(request: AdminRequest, operations: Operations, groups: Groups): object {
  const { group = '', target = '' } = request.params;
  const drains = operations.state.drains.filter((one) => one.group === group);
  const known = drains.find((one) => one.target === target);
  const id = known?.target ?? targetOf(request, groupOf(request, groups)).id;
  const wasDrained = operations.undrain(group, id);
  return { group, target: id, isDrained: false, wasDrained };
}

function shift(request: AdminRequest, operations: Operations, groups: Groups): object {
  const { zone = '' } = request.params;
  const length = request.query['for'];
  const lengthMs = length === undefined ? undefined : parseDuration(length);
  if (lengthMs === undefined) {
    const got = length === undefined ? 'nothing' : JSON.stringify(length);
    throw new Refusal(400, 'invalid_duration', `for: got ${got}, expected ${DURATION}`, 'for');
  }
  const isForced = switchOf(request, 'force');
  const zones = new Set(groups.all.flatMap((group) => group.targets().map(zoneOf)));
  if (!zones.has(zone) || zone === '') {
    const shown = shownNames([...zones].filter((one) => one !== ''));
    throw new Refusal(404, 'unknown_zone', `no target is in zone ${zone}; known: ${shown}`);
  }
  if (!isForced) refuseEmpty(groups.all, (target) => zoneOf(target) === zone, `outside ${zone}`);
  refuseFull(operations);
  const { sinceMs, untilMs } = operations.shift(zone, lengthMs, isForced);
  return { zone, since: isoOf(sinceMs), until: isoOf(untilMs), isForced };
}

function unshift({ params: { zone = '' } }: AdminRequest, operations: Operations): object {
  return { zone, wasShifted: operations.unshift(zone) };
}

const zoneOf = ({ endpoint }: GroupTarget): string => endpoint.zone;
const isoOf = (ms: number): string => new Date(ms).toISOString();

function groupOf({ params: { group = '' } }: AdminRequest, { all }: Groups): LiveTargetGroup {
  const found = all.find(({ name }) => name === group);
  if (found !== undefined) return found;
  const known = shownNames(all.map(({ name }) => name));
  throw new Refusal(404, 'unknown_group', `no target group ${group}; known: ${known}`);
}

/** By its id, its instance, or its address with the port. */
function targetOf({ params: { target = '' } }: AdminRequest, group: LiveTargetGroup) {
  const all = group.targets();
  const ids = new Map(
    all
      .filter(({ id, instance, host, port }) => [id, instance, `${host}:${port}`].includes(target))
      .map((one) => [one.id, one]),
  );
  const [found, ...others] = ids.values();
  if (found !== undefined && others.length === 0) return found;
  if (found !== undefined) {
    const meant = shownNames([...ids.keys()]);
    throw new Refusal(409, 'ambiguous_target', `${target} may be each of: ${meant}`);
  }
  const known = shownNames(all.map(({ id }) => id));
  throw new Refusal(404, 'unknown_target', `group ${group.name} has no ${target}; known: ${known}`);
}

/** Refuses what would leave a group without a target that had one before. */
function refuseEmpty(
  groups: readonly LiveTargetGroup[],
  isTaken: (target: GroupTarget) => boolean,
  how: string,
): void {
  const empty = groups.filter((group) => {
    const used = group.snapshot().picker.candidates;
    return used.length > 0 && used.every(isTaken);
  });
  if (empty.length === 0) return;
  const names = shownNames(empty.map(({ name }) => name));
  const detail = `no target would be left ${how} in: ${names}; force=true does it all the same`;
  throw new Refusal(409, 'nothing_left', detail);
}

function refuseFull({ isFull }: Operations): void {
  if (isFull) throw new Refusal(409, 'too_many', 'too many targets and zones are out of use');
}

function refuseUnknown({ query }: AdminRequest, known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const expected = known.length === 0 ? 'none' : known.join(' or ');
  const detail = `${unknown}: unknown parameter, expected ${expected}`;
  throw new Refusal(400, 'invalid_request', detail, unknown);
}

function switchOf({ query }: AdminRequest, name: string): boolean {
  const given = query[name] ?? 'false';
  if (given === 'true' || given === 'false') return given === 'true';
  const detail = `${name}: got ${JSON.stringify(given)}, expected true or false`;
  throw new Refusal(400, 'invalid_request', detail, name);
}

function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '';
  return names.slice(0, SHOWN).join(', ') + more;
}
