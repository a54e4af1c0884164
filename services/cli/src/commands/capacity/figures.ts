/** How figures are printed: as exact as they are known. */

export const NOT_MEASURED = 'not measured';

const figure =
  (print: (value: number) => string) =>
  (value: number): string =>
    Number.isNaN(value) ? NOT_MEASURED : value === Number.POSITIVE_INFINITY ? 'never' : print(value);

export const countText = figure(value => Math.round(value).toLocaleString('en-US'));
export const coresText = figure(value => value.toFixed(value < 10 ? 2 : 1));
export const shareText = figure(value => value.toFixed(2));
export const secondsText = figure(value => (value < 100 ? `${value.toFixed(1)} s` : `${countText(value)} s`));
export const msText = figure(value => `${countText(value)} ms`);
export const megabytesText = figure(value =>
  value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US'),
);

/** For JSON, which has neither NaN nor infinity: null is not measured, and "never" is never. */
export const plainly = (value: unknown): unknown =>
  typeof value === 'number'
    ? Number.isNaN(value)
      ? null
      : value === Number.POSITIVE_INFINITY
        ? 'never'
        : value
    : Array.isArray(value)
      ? value.map(plainly)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainly(inner)]))
        : value;
