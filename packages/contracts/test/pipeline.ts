import { constant, count, definePipeline, featureSet, featureView, field, ge, output, type Pipeline, type PipelineInput } from '@millrace/define'; // prettier-ignore
import type { SchemaSource } from '../src/index.ts';

const event = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  doc: 'An order.',
  fields: [
    { name: 'eventId', type: 'string', doc: 'Id.' },
    { name: 'revision', type: 'int', default: 0, doc: 'Revision.' },
    { name: 'withdrawn', type: 'boolean', default: false, doc: 'Withdrawn.' },
    { name: 'sequence', type: 'long', default: 0, doc: 'Sequence.' },
    { name: 'placedAt', type: 'long', doc: 'Event time.' },
    { name: 'shopId', type: 'string', doc: 'Shop.' },
    { name: 'itemId', type: 'string', doc: 'Item.' },
    { name: 'total', type: 'double', doc: 'Total.' },
  ],
};

/** Schemas of the pipeline below. */
export const schemas: SchemaSource = path =>
  path === 'shop/order' ? JSON.stringify(event, undefined, 2) : undefined;

const byShop = featureView({
  name: 'by-shop',
  version: 3,
  key: 'shopId',
  features: { orders1d: count({ of: 'orders', window: '1d' }) },
});

/** A small pipeline with one entity key unless told otherwise. */
export const shop = (more: Partial<PipelineInput> = {}): Pipeline =>
  definePipeline({
    name: 'shop-orders',
    entity: 'shopId',
    partitions: 4,
    scores: 'orders',
    events: { orders: { schema: 'shop/order', time: 'placedAt', keys: ['shopId'] } },
    features: featureSet({ version: 2, inputs: { total: field('total') }, views: [byShop] }),
    model: { name: 'm', outputs: ['a', 'b'], fallback: [] },
    decisions: [{ name: 'yes', when: ge(output('a'), constant(0.5)) }, { name: 'no' }],
    ...more,
  });
