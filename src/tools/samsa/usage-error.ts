/** What was asked of `samsa` makes no sense: one line is printed, and the exit code is 2. */
export class UsageError extends Error {}
