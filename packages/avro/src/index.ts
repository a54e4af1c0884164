export { Bad, type BadReason } from './bad.ts';
export type { Codec, Registry } from './codec.ts';
