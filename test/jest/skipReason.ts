/** How a skipped test carries its reason in its name, so that the closing summary can tell it. */
const MARK = /\[skipped: (.*?)\]/;

export function markSkipped(name: string, reason: string): string {
  return `${name} [skipped: ${reason}]`;
}

/** The reason in the full name of a skipped test. */
export function skipReason(fullName: string): string {
  return MARK.exec(fullName)?.[1] ?? 'no reason given';
}
