/**
 * What a page loads beside itself: a style sheet, a picture, a script. It lives in the source as text and is named by
 * the hash of its content, so that browsers may keep it for ever.
 *
 * Never: a file of another host (row A25), or content that depends on the request.
 */
import { createHash } from 'node:crypto'

const contentTypes = {
  css: 'text/css;charset=UTF-8',
  js: 'text/javascript;charset=UTF-8',
  svg: 'image/svg+xml;charset=UTF-8',
} as const

/** A file that pages load. */
export interface Asset {
  /** `<stem>.<extension>`: what it is, whatever its content is today. */
  readonly name: string
  /** Where pages load it from: `<folder>/<stem>.<hash>.<extension>`. */
  readonly path: string
  readonly contentType: string
  readonly content: string
}

/**
 * Names an asset by its content.
 * @param folder the path it is served under
 */
export function defineAsset(
  folder: '/assets' | '/dev/assets',
  stem: string,
  extension: keyof typeof contentTypes,
  content: string,
): Asset {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16)
  return {
    name: `${stem}.${extension}`,
    path: `${folder}/${stem}.${hash}.${extension}`,
    contentType: contentTypes[extension],
    content,
  }
}
