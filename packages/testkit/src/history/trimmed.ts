import type { HistoryEvent } from './facts/history-event.ts';

/**
 * Key of the state that a happening sets until the next one with the same key; undefined = it has no lasting effect.
 */
function keyOf(one: HistoryEvent): string | undefined {
  switch (one.kind) {
    case 'seen':
      return `seen ${one.watcher} ${one.service}`;
    case 'lease':
      return `lease ${one.instance} ${one.lease} ${one.what}`;
    case 'tally':
      return `tally ${one.caller}`;
    default:
      return undefined;
  }
}

/** Key of things that start and end: all their events are kept until they are over. */
function storyOf(one: HistoryEvent): string | undefined {
  if (one.kind === 'process') return `process ${one.instance}`;
  return one.kind === 'fault' ? `fault ${one.name}` : undefined;
}

function isOpen(one: HistoryEvent): boolean {
  if (one.kind === 'fault') return one.what === 'begin';
  return one.kind === 'process' && one.what !== 'killed' && one.what !== 'left';
}

/** What later checks need: everything since a moment, and the earlier events that set the state at that moment. */
export function trimmed(events: readonly HistoryEvent[], beforeMs: number): HistoryEvent[] {
  const ordered = events.toSorted((a, b) => a.atMs - b.atMs);
  const last = new Map<string, HistoryEvent>();
  const stories = new Map<string, HistoryEvent>();
  for (const one of ordered) {
    const key = keyOf(one);
    if (key !== undefined && one.atMs < beforeMs) last.set(key, one);
    const story = storyOf(one);
    if (story !== undefined) stories.set(story, one);
  }
  const isAlive = (story: string) => {
    const end = stories.get(story);
    return end !== undefined && (end.atMs >= beforeMs || isOpen(end));
  };
  return ordered.filter((one) => {
    if (one.atMs >= beforeMs) return true;
    if (one.kind === 'lease' && !isAlive(`process ${one.instance}`)) return false;
    const story = storyOf(one);
    if (story !== undefined) return isAlive(story);
    const key = keyOf(one);
    return key !== undefined && last.get(key) === one;
  });
}
