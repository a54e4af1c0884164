/** Rights that somebody takes away while services use them. */
import { consumerGroup, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { PREDICTIONS } from '../rig/follower.ts';
import type { ServiceName } from '../rig/fleet.ts';
import { allow, deny, permit, type Right } from '../rig/rights.ts';
import type { Scene } from '../scene.ts';
import { ONE, type Scenario } from './scenario.ts';

const AWAY_S = 15;
const BETWEEN_S = 15;

/** One for each service; what the judges read is left to everybody. */
const TAKEN: readonly (Right & { readonly service: ServiceName; readonly what: string })[] = [
  { service: 'feature', what: 'to write vectors', operation: 'Write', topic: topicsOf(fraud).features },
  { service: 'inference', what: 'to write predictions', operation: 'Write', topic: PREDICTIONS },
  { service: 'sink', what: 'to read predictions in its group', operation: 'Read', group: consumerGroup('sink', fraud) },
]; // prettier-ignore

const rightsTaken = async (scene: Scene): Promise<void> => {
  const { rig } = scene;
  const { fleet } = rig;
  for (const { service, what, ...right } of TAKEN) {
    await allow(rig, right);
    const before = fleet.ownEnds.length;
    await scene.fault(`${service} has no right ${what} for ${AWAY_S} s`, async () => {
      await deny(rig, right);
      await scene.wait(AWAY_S);
      await permit(rig, right);
    });
    const ends = fleet.ownEnds.slice(before);
    scene.say(`    ended: ${ends.map(({ name, code }) => `${name} (${code})`).join(', ') || 'nobody'}`);
    if (!ends.some(({ name }) => name.startsWith(service)))
      scene.complaints.push(`${service} went on without the right ${what}`);
    if (ends.some(({ name, code }) => !name.startsWith(service) || code !== 1))
      scene.complaints.push(`others ended too, or otherwise: ${JSON.stringify(ends)}`);
    const told = fleet.of(service).some(member => fleet.log(member).some(line => line.includes('`millrace acls print`'))); // prettier-ignore
    if (!told) scene.complaints.push(`${service} does not say which right it lacks`);
    await scene.wait(BETWEEN_S);
  }
};

export const RIGHTS_SCENARIOS: readonly Scenario[] = [
  {
    number: 39,
    name: 'rights-taken',
    injects: `each service loses a right that it uses for ${AWAY_S} s, one after the other`,
    // Several would have to be super users to elect one of them, and here everybody is the same user.
    brokers: ONE,
    mayEnd: true,
    rig: {
      brokerSettings: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': true,
      },
    },
    run: rightsTaken,
  },
];
