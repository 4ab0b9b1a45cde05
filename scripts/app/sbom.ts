import { execFileSync } from 'node:child_process';

interface Sbom {
  serialNumber?: string;
  readonly metadata: { timestamp: string };
  readonly components: { readonly purl: string }[];
  readonly dependencies: { readonly ref: string; readonly dependsOn?: string[] }[];
}

const compare = (a: string, b: string) => (a < b ? -1 : 1);

/**
 * What the published package `rollcall` consists of, as CycloneDX: each library with version, licence, package url and the
 * hash of the registry's tarball. The workspace must be installed.
 */
export function makeSbom(root: string): Sbom {
  // 1.6 rather than the newest: more scanners read it.
  const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6'];
  const options = ['--prod', '--no-optional', '--sbom-type', 'application', ...format];
  const text = execFileSync('pnpm', ['--filter', 'rollcall', 'sbom', ...options], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1_024 * 1_024,
  });
  const sbom = JSON.parse(text) as Sbom;
  // The same source should give the same file, and pnpm draws a number and an order in each run.
  delete sbom.serialNumber;
  sbom.components.sort((a, b) => compare(a.purl, b.purl));
  sbom.dependencies.sort((a, b) => compare(a.ref, b.ref));
  for (const { dependsOn } of sbom.dependencies) dependsOn?.sort(compare);
  const epoch = process.env['SOURCE_DATE_EPOCH'] ?? '';
  if (epoch !== '') sbom.metadata.timestamp = new Date(Number(epoch) * 1_000).toISOString();
  return sbom;
}

export const purlsOf = ({ components }: Sbom): Set<string> =>
  new Set(components.map(({ purl }) => purl));
