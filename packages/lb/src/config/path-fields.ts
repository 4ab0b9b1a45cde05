const PATH_PATTERN = /^(\/[!-"$-)+->@-~]*|(\/[!-"$-)+->@-~]*)?\/\*)$/;

/** `/exact` or `/prefix/*`. */
export const isPathPattern = (path: string): boolean => PATH_PATTERN.test(path);
