import fc from 'fast-check';

// Property tests print their seed and path when they fail; with these they do the same again.
const { SEED, SEED_PATH } = process.env;
fc.configureGlobal({
  ...(SEED === undefined ? {} : { seed: Number(SEED) }),
  ...(SEED_PATH === undefined ? {} : { path: SEED_PATH }),
});
