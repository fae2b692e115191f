/** What axe finds on a page. Its source, which is large, is put into a document once, however often it is judged. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** Has every document that the page shows from now on begin with axe: half the price, where each of them is judged. */
export async function bringAxe(page: Page): Promise<void> {
  await page.addInitScript({ content: source })
}

/** One finding: the rule, and the elements that break it. */
export interface Violation {
  readonly id: string
  readonly elements: readonly string[]
}

/**
 * Judges the page as it is now. Frames are not looked into: those we have (front-channel logout) show other people's pages.
 * @param rules default: all rules of axe
 */
export async function violationsOf(page: Page, rules?: readonly string[]): Promise<readonly Violation[]> {
  if (!(await page.evaluate(`'axe' in window`))) await page.evaluate(source)
  const options = {
    resultTypes: ['violations'],
    iframes: false,
    ...(rules && { runOnly: { type: 'rule', values: rules } }),
  }
  return page.evaluate<Violation[]>(
    `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) =>
      violations.map(({ id, nodes }) => ({ id, elements: nodes.map(({ html }) => html) })))`,
  )
}
