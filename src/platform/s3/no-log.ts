const nothing = () => undefined;

/** What the SDK of AWS writes its log to in place of the console: what it has to say is in its errors. */
export const NO_LOG = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
