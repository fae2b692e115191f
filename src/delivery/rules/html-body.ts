/**
 * Bodies of e-mail between text and HTML. Both ways take one pass, whatever the text is (row W06).
 *
 * Never: a character of a text that reads as markup.
 */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as HTML or XML says it. */
export function escapeMarkup(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** Paragraphs separated by empty lines as a page of HTML. */
export function htmlOf(paragraphs: string, language: string): string {
  const body = paragraphs
    .split('\n\n')
    .map((paragraph) => `<p>${escapeMarkup(paragraph)}</p>`)
    .join('\n')
  return `<!doctype html><html lang="${escapeMarkup(language)}"><body>${body}</body></html>`
}

const characters: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
}

/** What somebody reads who sees no HTML: the text between the tags, with a line for each block. */
export function textOf(html: string): string {
  let text = ''
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    const close = open < 0 ? -1 : html.indexOf('>', open)
    if (close < 0) {
      text += html.slice(at)
      break
    }
    text += html.slice(at, open)
    const tag = /^\/?([a-z0-9]+)/i.exec(html.slice(open + 1, open + 20))?.[1]?.toLowerCase() ?? ''
    at = close + 1
    if (tag === 'style' || tag === 'script' || tag === 'title') {
      const end = html.toLowerCase().indexOf(`</${tag}`, at)
      at = end < 0 ? html.length : end
    } else if (html[open + 1] === '/' ? blocks.has(tag) : tag === 'br') text += tag === 'br' ? '\n' : '\n\n'
  }
  return text
    .replaceAll(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => characters[entity] ?? entity)
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}

const blocks: ReadonlySet<string> = new Set(['p', 'div', 'h1', 'h2', 'h3', 'h4', 'tr', 'li', 'ul', 'ol', 'table'])
