import { EXIT, usageError } from '../base/cli-error.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import type { Command } from '../session/command.ts';

const SHELLS = [...SCRIPTS.keys()];

export const completion: Command = {
  name: 'completion',
  summary: 'Print what lets a shell complete commands, options and names',
  usage: 'completion bash|zsh|fish',
  takes: SHELLS,
  examples: ['completion bash > ~/.local/share/bash-completion/completions/rollcall'],
  options: {},
  run: ({ out }, { words: [shell = ''] }) => {
    const script = SCRIPTS.get(shell);
    if (script === undefined) {
      throw usageError(`completion: expected ${SHELLS.join(', ')}, got "${shell}"`);
    }
    out.pass(script);
    return Promise.resolve(EXIT.ok);
  },
};
