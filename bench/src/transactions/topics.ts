export const TOPICS = ['bench.out-1', 'bench.out-2', 'bench.changelog'] as const;
export const GROUP = 'bench.transactions';
export const PARTITIONS = 6;
