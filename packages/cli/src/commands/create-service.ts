import { usageError } from '../base/cli-error.ts';
import {
  type Arguments,
  listOption,
  numberOption,
  textOption,
  wholeNumber,
} from '../session/command.ts';

const TYPES: readonly string[] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

/** The name of a port of an instance: as in IANA service names. */
const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/;
/** A DNS-1123 subdomain. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** `create service TYPE NAME`, as in kubectl: the selector is `app=NAME`. */
export function serviceOf(given: Arguments) {
  const [, typeName = '', name] = given.words;
  const type = TYPES.find((one) => one.toLowerCase() === typeName.toLowerCase());
  if (type === undefined) {
    throw usageError(
      `create service: expected clusterip, nodeport, loadbalancer or externalname, got "${typeName}"`,
    );
  }
  if (name === undefined) throw usageError('exactly one NAME is required, got 0');
  const clusterIP = textOption(given, 'clusterip');
  if (clusterIP === 'None' && type !== 'ClusterIP') {
    throw usageError('ClusterIP=None can only be used with ClusterIP service type');
  }
  const externalName = type === 'ExternalName' ? externalNameOf(given) : undefined;
  const ports = portsOf(given);
  if (ports.length === 0 && clusterIP !== 'None' && type !== 'ExternalName') {
    throw usageError('at least one tcp port specifier must be provided: --tcp=PORT:TARGETPORT');
  }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      type,
      ...(ports.length === 0 ? {} : { ports }),
      selector: { app: name },
      ...(externalName === undefined ? {} : { externalName }),
      ...(clusterIP === undefined ? {} : { clusterIP }),
    },
  };
}

function externalNameOf(given: Arguments): string {
  const name = textOption(given, 'external-name');
  if (name === undefined) throw usageError('required flag(s) "external-name" not set');
  if (!HOST_NAME.test(name)) throw usageError(`invalid service external name ${name}`);
  return name;
}

/** The ports of `--tcp`, which may be repeated or hold several. */
function portsOf(given: Arguments): object[] {
  const nodePort = numberOption(given, 'node-port');
  const texts = listOption(given, 'tcp').flatMap((text) => text.split(','));
  return texts.map((text) => ({
    ...portOf(text),
    ...(nodePort === undefined ? {} : { nodePort }),
  }));
}

/** Parses a port as in `kubectl create service`: `--tcp 8080`, `--tcp 8080:80`, `--tcp 80:http`. */
function portOf(text: string): object {
  const [from = '', to = from] = text.split(':');
  const port = wholeNumber(from, 'tcp', 1, 65_535);
  const name = text.replaceAll(':', '-');
  const isNumber = /^\d+$/.test(to);
  if (!isNumber && !PORT_NAME.test(to)) {
    const expected =
      "expected PORT:TARGETPORT with a number or a port's name: 1 to 15 lower-case letters, digits or '-'";
    throw usageError(`--tcp: ${expected}, got "${text}"`);
  }
  const targetPort = isNumber ? wholeNumber(to, 'tcp', 1, 65_535) : to;
  return { name, port, targetPort, protocol: 'TCP' };
}
