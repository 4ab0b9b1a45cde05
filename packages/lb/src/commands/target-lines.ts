import { table } from './table.ts';

interface ShownTargets {
  readonly zoneShifts: readonly { readonly zone: string; readonly until: string }[];
  readonly targetGroups: readonly {
    readonly name: string;
    readonly trouble: string;
    readonly targets: readonly ShownTarget[];
  }[];
}

interface ShownTarget {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  readonly state: string;
  readonly since: string;
  readonly inFlight: number;
  readonly reason: string;
}

/** What `/targets` says, for people. */
export function targetLines(answer: unknown): string[] {
  const { zoneShifts, targetGroups } = answer as ShownTargets;
  const rows = targetGroups.flatMap(({ name, trouble, targets }) =>
    targets.length === 0
      ? [[name, '-', '-', '-', '-', '-', '-', trouble]]
      : targets.map((target) => {
          const { id, address, port, zone, state, since, inFlight, reason } = target;
          const place = `${address}:${port}`;
          return [name, id, place, zone === '' ? '-' : zone, state, since, `${inFlight}`, reason];
        }),
  );
  const head = ['GROUP', 'TARGET', 'ADDRESS', 'ZONE', 'STATE', 'SINCE', 'IN-FLIGHT', 'REASON'];
  const shifts = zoneShifts.map(({ zone, until }) => [`zone ${zone} gets none until ${until}`]);
  return [...table(shifts), ...table([head, ...rows])];
}
