// What the host tells the wasm of, by its number: `events` in `js.rs`.

/** A client: its settings, and the host. */
export const OPEN = 0;
/** A call begins; 1 when its wait shares nothing, and 2 when it wants to hear of readings. */
export const CALL = 1;
/** A run's handle is safe. */
export const PROCEED = 2;
/** Nobody wants the call any more; 1 when one of its requests may have reached the service. */
export const LEAVE = 3;
/** A question: whether the body of a reply with this status is the caller's to read. */
export const OPENS = 4;
/** A reply, with its status. */
export const REPLIED = 5;
/** A request came to nothing at what the text says; 1 when it may have reached the service. */
export const FAILED = 6;
/** A turn has come. */
export const TURN = 7;
/** A sleep is over. */
export const WOKE = 8;
/** The page became visible, or came back online. */
export const HURRY = 9;
/** A question of `persist`. */
export const KEEP = 10;
/** The client is closed: who leaves from now on does so for that. */
export const CLOSE = 11;
