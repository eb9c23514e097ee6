/** Removes the first of `items`. Mostly it is the only one, and `pop` costs a tenth of `shift`, which is a call out of JavaScript. */
export function dropFirst(items: unknown[]): void {
  if (items.length === 1) items.pop();
  else items.shift();
}
