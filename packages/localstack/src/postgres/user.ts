/** PostgreSQL refuses to run as root, so that a hole in it is not a hole in the machine. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: one that is meant for it, then one that owns nothing. */
const CANDIDATES = ['postgres', 'nobody'];

/** The user to run PostgreSQL as, from the text of `/etc/passwd`; undefined when it names none of them. */
export function unprivilegedUser(passwd: string): User | undefined {
  const users = passwd.split('\n').map(line => line.split(':'));
  for (const candidate of CANDIDATES) {
    const found = users.find(([name]) => name === candidate);
    const uid = Number(found?.[2]);
    const gid = Number(found?.[3]);
    if (found && uid > 0 && gid > 0) return { name: candidate, uid, gid };
  }
  return undefined;
}
