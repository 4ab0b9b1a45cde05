import { instanceKeyOf } from '@rollcall/contract';
import { expect, test } from 'vitest';
import type { LogEntry } from '../store/log-entry.ts';
import { EventLog } from './timeline.ts';

let revision = 0;
function reported(reporter: string, reason = 'Fine'): LogEntry {
  const conditions = [{ type: 'Bound', status: 'True', reason, message: '' }];
  const value = JSON.stringify({ conditions, loadBalancer: [] });
  const key = `report/default/web/${reporter}`;
  const resource = { key, revision: ++revision, untilMs: 0, claims: [], value };
  return {
    revision,
    prev: revision - 1,
    before: '',
    digest: '',
    atMs: 0,
    why: 'reported',
    op: 'put',
    resource,
  };
}

const count = (book: EventLog) =>
  book.query({ namespace: '*', service: 'web', limit: 1_000 }).length;

test('saying the same again is no news, saying something else is', () => {
  const book = new EventLog(100);
  book.append([reported('one'), reported('one'), reported('two'), reported('one', 'Broken')]);
  expect(count(book)).toBe(3);
});

test('reporters who never took back what they said are forgotten in the end, those who speak are not', () => {
  const book = new EventLog(100);
  book.append([reported('steady'), reported('silent')]);
  for (let i = 0; i < 200; i++) book.append([reported(`r${i}`), reported('steady')]);
  const before = book.query({ namespace: '*', limit: 1_000 });
  expect(before.filter(({ reason }) => reason.startsWith('steady'))).toHaveLength(0);
  book.append([reported('steady')]);
  expect(book.query({ namespace: '*', limit: 1 })[0]?.reason).not.toMatch(/^steady/);
  book.append([reported('silent')]);
  expect(book.query({ namespace: '*', limit: 1 })[0]?.reason).toMatch(/^silent/);
});

/** Something that happened to the instance `web/a`. */
function happened(why: LogEntry['why'], op: 'set' | 'del'): LogEntry {
  const common = { revision: ++revision, prev: revision - 1, before: '', digest: '', atMs: 0, why };
  const ref = { namespace: 'default', service: 'web', id: 'a' };
  const entry = op === 'set' ? { op, record: ref } : { op, instanceKey: instanceKeyOf(ref) };
  return { ...common, ...entry } as unknown as LogEntry;
}

const lastReason = (book: EventLog) => book.query({ namespace: '*', limit: 1 })[0]?.reason;

test('a suspect that is evicted: its broken hold is the reason, not its lease', () => {
  const book = new EventLog(100);
  book.append([happened('registered', 'set'), happened('suspected', 'set')]);
  book.append([happened('expired', 'del')]);
  expect(lastReason(book)).toMatch(/its hold closed without goodbye, and it did not come back$/);
});

test('one that came back and fell silent later: its lease is', () => {
  const book = new EventLog(100);
  book.append([happened('suspected', 'set'), happened('recovered', 'set')]);
  book.append([happened('expired', 'del')]);
  expect(lastReason(book)).toBe('it did not renew its lease in time');
});
