/**
 * Uniform numbers in [0, 1) without allocation, whereas each `Math.random()` creates a number object of 16 bytes. G.
 * Marsaglia, "Xorshift RNGs" (J. Stat. Softw. 8/14, 2003), the 128-bit generator.
 */
export function createRandom(seed: number): () => number {
  const state = new Uint32Array([seed, 362_436_069, 521_288_629, 88_675_123]);
  return () => {
    let mixed = state[3]!;
    const first = state[0]!;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    mixed = (mixed ^ first ^ (first >>> 19)) >>> 0;
    state[3] = state[2]!;
    state[2] = state[1]!;
    state[1] = first;
    state[0] = mixed;
    return mixed / 4_294_967_296;
  };
}
