import { nearestWord } from '@rollcall/contract';

/** A fault that needs a remedy. */
export interface Complaint {
  readonly field: string;
  readonly message: string;
  /** The value of the field. */
  readonly value: unknown;
}

type Remedy = (complaint: Complaint) => string | undefined;

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The message lists the allowed values: suggests the one that was probably meant. */
const supported: Remedy = ({ field, message, value }) => {
  const [, list] = /^Unsupported value: .*: supported values: (.*)$/.exec(message) ?? [];
  if (list === undefined || typeof value !== 'string') return undefined;
  const name = field.split('.').at(-1) ?? '';
  const known = [...list.matchAll(/"([^"]*)"/g)].map(([, one = '']) => one);
  const plain = value.replaceAll(/[-_ ]/g, '').toLowerCase();
  const meant = known.find((one) => one.toLowerCase() === plain) ?? nearestWord(value, known);
  if (meant !== undefined) return `${name}: ${meant}`;
  return name === 'protocol' ? 'protocol: TCP; what runs over it is the appProtocol' : undefined;
};

const quoting: Remedy = ({ message, value }) => {
  if (message.endsWith('expected a string') && ['number', 'boolean'].includes(typeof value)) {
    return `quote it: "${String(value)}"`;
  }
  if (message.endsWith('expected an integer') && typeof value === 'string') {
    if (/^\d+$/.test(value)) return `write ${value} without quotes`;
    const [, from, to] = /^(\d+):(\d+)$/.exec(value) ?? [];
    if (from !== undefined) return `two fields, each on its line: port: ${from}, targetPort: ${to}`;
  }
  return undefined;
};

const ports: Remedy = ({ field, message, value }) => {
  if (/^spec\.ports\[\d+\]$/.test(field) && message.endsWith('expected a mapping')) {
    const [, from, to] = /^"?(\d+)(?::(\d+))?"?$/.exec(String(value)) ?? [];
    if (from === undefined) return 'a port is a mapping: - port: 80';
    return to === undefined ? `- port: ${from}` : `- port: ${from}, and targetPort: ${to} below it`;
  }
  if (field.endsWith('.nodePort')) {
    if (message.includes('not in the valid range')) {
      return 'choose one from 30000 to 32767, or leave nodePort out to have one given';
    }
    if (message.startsWith('Forbidden')) return 'type: NodePort, or leave nodePort out';
  }
  if (/^spec\.ports\[\d+\]\.name$/.test(field)) {
    return message === 'Required value'
      ? 'with several ports, give each one a name, such as http and https'
      : 'lower-case letters, digits and -, such as http';
  }
  if (field.endsWith('.targetPort') && typeof value === 'string' && /^\d+$/.test(value)) {
    return `write ${value} without quotes: a string is the name of a port`;
  }
  return undefined;
};

const selectors: Remedy = ({ field, message, value }) => {
  if (field === 'spec.selector.matchLabels' && isMapping(value)) {
    return 'a Service has its labels directly under selector: leave matchLabels out';
  }
  if (field === 'spec.selector' && message.endsWith('expected a mapping')) {
    const pair = /^([^=:]+)[=:]\s*(.+)$/.exec(typeof value === 'string' ? value : '');
    const [, key = 'app', label = 'nginx'] = pair ?? [];
    return `labels as a mapping, indented under selector: ${key}: ${label}`;
  }
  return undefined;
};

/** What to add for a missing field. */
const MISSING: Readonly<Record<string, string>> = {
  metadata: 'metadata: with a name below it',
  'metadata.name': 'give it a name',
  'spec.ports': 'list at least one port, such as - port: 80',
  'spec.externalName': 'the name that it stands for, such as externalName: db.example.com',
  'spec.selector': 'selector: with matchLabels below it, and there the labels of the template',
};

const others: Remedy = ({ field, message, value }) => {
  if (message.startsWith('Required value') && field in MISSING) return MISSING[field];
  if (field === 'metadata.name' && message.includes('DNS-1035')) {
    return 'lower-case letters, digits and -, beginning with a letter';
  }
  if (field.startsWith('spec.clusterIP') && /^"?none"?$/i.test(String(value))) {
    return 'clusterIP: None';
  }
  if (field === 'spec.externalName' && typeof value === 'string' && value.includes('://')) {
    return `the name of the host alone: ${value.replace(/^.*:\/\//, '').replace(/[:/].*$/, '')}`;
  }
  return undefined;
};

const REMEDIES = [supported, quoting, ports, selectors, others];

/** What to write instead; empty when there is no better advice than the message. */
export function remedyOf(complaint: Complaint): string {
  for (const remedy of REMEDIES) {
    const found = remedy(complaint);
    if (found !== undefined) return found;
  }
  return '';
}
