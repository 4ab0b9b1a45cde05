import type { Happening } from './facts/happening.ts';

/** The state that a happening stands for until the next one with the same key; undefined = it only counts when it is. */
function keyOf(one: Happening): string | undefined {
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

/** Names of what begins and ends: the whole story is kept until it is over. */
function storyOf(one: Happening): string | undefined {
  if (one.kind === 'process') return `process ${one.instance}`;
  return one.kind === 'fault' ? `fault ${one.name}` : undefined;
}

function isOpen(one: Happening): boolean {
  if (one.kind === 'fault') return one.what === 'begin';
  return one.kind === 'process' && one.what !== 'killed' && one.what !== 'left';
}

/** What later checks need: all since a moment, and of what was before it the state that still held then. */
export function trimmed(happenings: readonly Happening[], beforeMs: number): Happening[] {
  const ordered = happenings.toSorted((a, b) => a.atMs - b.atMs);
  const last = new Map<string, Happening>();
  const stories = new Map<string, Happening>();
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
