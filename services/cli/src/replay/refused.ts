/** It cannot be done as asked, or not now; the message says how to go on. Nothing more was written. */
export class ReplayRefused extends Error {}
