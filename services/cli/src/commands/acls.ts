import { type Acl, aclsOf, catalogue, type ServiceName } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { EXIT, type ExitCode, type Io, table, UsageError } from '../io.ts';

export interface AclOptions {
  readonly service?: string;
  /** How a service is called at the brokers; `{service}` stands for its name. */
  readonly principal: string;
  readonly output: 'table' | 'json' | 'commands';
}

const PLACE = '{service}';

const isEqual = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();

/** Rights that differ only in the resource's name are one command. */
const gathered = (acls: readonly Acl[]): readonly (readonly Acl[])[] => {
  const groups: Acl[][] = [];
  for (const acl of acls) {
    const like = groups.find(
      ([one]) =>
        one!.service === acl.service &&
        one!.resource === acl.resource &&
        one!.pattern === acl.pattern &&
        isEqual(one!.operations, acl.operations),
    );
    if (like === undefined) groups.push([acl]);
    else like.push(acl);
  }
  return groups;
};

/** Lines for a shell, with Kafka's own tool. */
const commands = (acls: readonly Acl[], principalOf: (service: ServiceName) => string): readonly string[] =>
  gathered(acls).map(group => {
    const { service, resource, pattern, operations } = group[0]!;
    return [
      'kafka-acls.sh --bootstrap-server "$KAFKA_BOOTSTRAP_SERVERS" --command-config "$COMMAND_CONFIG" --add',
      `--allow-principal '${principalOf(service)}'`,
      ...operations.map(operation => `--operation ${operation}`),
      ...(pattern === 'prefixed' ? ['--resource-pattern-type prefixed'] : []),
      ...group.map(({ name }) => `--${resource} ${name}`),
    ].join(' ');
  });

/** `millrace acls print`: the rights at the brokers that each service needs, no more. */
export const printAcls = (io: Io, pipelines: readonly Pipeline[], options: AclOptions): ExitCode => {
  const { principal, service, output } = options;
  if (!principal.includes(PLACE) || principal.includes("'"))
    throw new UsageError(`--principal must hold ${PLACE}, such as User:${PLACE}, and no quotes`);
  const all = aclsOf(pipelines, catalogue(pipelines));
  const acls = service === undefined ? all : all.filter(acl => acl.service === service);
  if (acls.length === 0)
    throw new UsageError(
      `there is no service ${service}; there are ${[...new Set(all.map(acl => acl.service))].join(', ')}`,
    );
  const principalOf = (name: ServiceName): string => principal.replaceAll(PLACE, name);
  if (output === 'json')
    io.out(JSON.stringify(acls.map(acl => ({ principal: principalOf(acl.service), ...acl }))));
  else {
    const rows = acls.map(({ service: of, resource, name, pattern, operations }) => [
      principalOf(of),
      resource,
      pattern === 'prefixed' ? `${name}*` : name,
      operations.join(' '),
    ]);
    const lines =
      output === 'commands'
        ? commands(acls, principalOf)
        : table(['PRINCIPAL', 'RESOURCE', 'NAME', 'OPERATIONS'], rows);
    for (const line of lines) io.out(line);
  }
  return EXIT.done;
};
