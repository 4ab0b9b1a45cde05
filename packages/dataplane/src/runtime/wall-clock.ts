/** Time of the calendar, in milliseconds since 1970, for what is shown to others. */
export type WallClock = () => number;

export const systemWallClock: WallClock = () => Date.now();
