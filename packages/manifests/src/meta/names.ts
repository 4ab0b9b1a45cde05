const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Returns what is wrong with a text, in the words of the API server; empty when it is valid. */
type Check = (text: string) => string[];

const regexFault = (about: string, example: string, regex: string) =>
  `${about} (e.g. ${example}, regex used for validation is '${regex}')`;

const tooMany = (count: number) => `must be no more than ${count} characters`;

export const checkLabel1035: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 63) faults.push(tooMany(63));
  if (!LABEL_1035.test(text)) {
    const about =
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
    faults.push(regexFault(about, "'my-name',  or 'abc-123'", '[a-z]([-a-z0-9]*[a-z0-9])?'));
  }
  return faults;
};

export const checkLabel1123: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 63) faults.push(tooMany(63));
  if (!LABEL_1123.test(text)) {
    const about =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
    faults.push(regexFault(about, "'my-name',  or '123-abc'", '[a-z0-9]([-a-z0-9]*[a-z0-9])?'));
  }
  return faults;
};

export const checkSubdomain1123: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 253) faults.push(tooMany(253));
  if (!SUBDOMAIN_1123.test(text)) {
    const about =
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
    const regex = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
    faults.push(regexFault(about, "'example.com'", regex));
  }
  return faults;
};

/** Checks a host of which the first label is `*`. */
export const checkWildcardSubdomain1123: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 253) faults.push(tooMany(253));
  if (!text.startsWith('*.') || !SUBDOMAIN_1123.test(text.slice(2))) {
    const about =
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
    const regex = '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
    faults.push(regexFault(about, "'*.example.com'", regex));
  }
  return faults;
};

export const checkQualifiedName: Check = (text) => {
  const parts = text.split('/');
  const name = parts.at(-1) ?? '';
  const faults: string[] = [];
  if (parts.length > 2) {
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  const [prefix] = parts;
  if (parts.length === 2 && prefix === '') faults.push('prefix part must be non-empty');
  else if (parts.length === 2) {
    faults.push(...checkSubdomain1123(prefix ?? '').map((fault) => `prefix part ${fault}`));
  }
  if (name === '') faults.push('name part must be non-empty');
  else if (name.length > 63) faults.push('name part must be no more than 63 characters');
  if (!QUALIFIED.test(name)) {
    const about =
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    const examples = "'MyName',  or 'my.name',  or '123-abc'";
    faults.push(regexFault(about, examples, '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'));
  }
  return faults;
};

export const checkLabelValue: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 63) faults.push(tooMany(63));
  if (!LABEL_VALUE.test(text)) {
    const about =
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    const examples = "'MyValue',  or 'my_value',  or '12345'";
    faults.push(regexFault(about, examples, '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'));
  }
  return faults;
};

/** Checks `DOMAIN/PATH`; `part`: the part of the text that is at fault. */
export function checkDomainPrefixedPath(
  text: string,
): { readonly part: string; readonly fault: string }[] {
  const slash = text.indexOf('/');
  const [domain, path] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)];
  if (domain === '' || path === '') {
    const fault = 'must be a domain-prefixed path (such as "acme.io/foo")';
    return [{ part: text, fault }];
  }
  const faults = checkSubdomain1123(domain).map((fault) => ({ part: domain, fault }));
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) {
    const regex = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
    const fault = `Invalid path (regex used for validation is '${regex}')`;
    faults.push({ part: path, fault });
  }
  return faults;
}

/** Checks a name that may be a part of a path. */
export const checkPathSegment: Check = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`];
  return ['/', '%'].filter((one) => text.includes(one)).map((one) => `may not contain '${one}'`);
};

/** Checks a port name as registered by IANA (RFC 6335). */
export const checkPortName: Check = (text) => {
  const faults: string[] = [];
  if (text.length > 15) faults.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(text)) {
    faults.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(text)) faults.push('must contain at least one letter (a-z)');
  if (text.includes('--')) faults.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) {
    faults.push('must not begin or end with a hyphen');
  }
  return faults;
};

export const checkPortNumber = (port: number): string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65_535
    ? []
    : ['must be between 1 and 65535, inclusive'];
