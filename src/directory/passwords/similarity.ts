/**
 * Likeness of two passwords by Levenshtein distance: characters added, removed or replaced. PingOne refuses a new
 * password at a distance below 3 (`kitten` and `smitten`). Only the band of the table that can stay below 3 is computed,
 * so that the cost grows with the length, not with its square.
 */

const LEAST_DISTANCE = 3

/** Whether `right` is fewer than 3 edits away from `left`. Both are lists of characters. */
export function isSimilar(left: readonly string[], right: readonly string[]): boolean {
  const reach = LEAST_DISTANCE - 1
  // distances[k] is the distance of the first `row` characters of left and the first `row - reach + k` of right.
  let distances = Array.from({ length: 2 * reach + 1 }, (_, k) => (k < reach ? Infinity : k - reach))
  for (let row = 1; row <= left.length; row++) {
    const above = distances
    distances = []
    for (let k = 0; k <= 2 * reach; k++) {
      const column = row - reach + k
      distances.push(column < 0 || column > right.length ? Infinity : distanceAt(row, column, k, above, distances))
    }
  }
  // Lengths that differ by more than the band is wide lie outside it.
  return (distances[right.length - left.length + reach] ?? Infinity) < LEAST_DISTANCE

  function distanceAt(row: number, column: number, k: number, above: readonly number[], before: readonly number[]) {
    if (column === 0) return row
    const replaced = (above[k] ?? Infinity) + (left[row - 1] === right[column - 1] ? 0 : 1)
    return Math.min(replaced, (above[k + 1] ?? Infinity) + 1, (before[k - 1] ?? Infinity) + 1)
  }
}
