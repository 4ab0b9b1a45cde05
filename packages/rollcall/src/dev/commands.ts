/** How a person starts the programs: in a clone of the repository they run from source, otherwise from an installed package. */
export const COMMANDS = import.meta.filename.endsWith('.ts')
  ? { dev: 'npm start --', cli: 'npm run --silent rollcall --', hello: 'npm run hello' }
  : { dev: 'npx rollcall dev', cli: 'npx rollcall', hello: 'npx rollcall dev hello' };
