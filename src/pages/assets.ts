/**
 * Serves what pages load: `/assets/…`, public, the same for everybody, kept for a year since the name changes with the
 * content. While nodes of two releases run side by side, a page of one may ask the other for a name it does not know:
 * it gets today's content, which no cache may keep.
 */
import { z } from 'zod'
import { defineOperation, type Operation } from '../contract/operation.ts'
import { notFound } from '../errors/problem.ts'
import type { Asset } from './asset.ts'
import { checkSessionScript } from './check-session-script.ts'
import { formPostScript } from './form-post-script.ts'
import { icon } from './icon.ts'
import { signOffScript } from './sign-off-script.ts'
import { signOnScript } from './sign-on-script.ts'
import { styleSheet } from './style.css.ts'

const hashed = /^([a-z-]+)\.[0-9a-f]{16}\.([a-z]+)$/

/** The operation that serves the assets of one folder. */
export function serveAssets(id: string, folder: '/assets' | '/dev/assets', assets: readonly Asset[]): Operation {
  return defineOperation({
    id,
    method: 'GET',
    path: `${folder}/{file}`,
    surface: 'page',
    tag: 'Pages',
    summary: 'A file that the hosted pages load',
    source: 'security catalogue 4.1',
    permission: { kind: 'public' },
    cors: 'none',
    servesWhenStale: true,
    params: z.object({ file: z.string() }),
    replies: { 200: null },
    errors: ['NOT_FOUND'],
    handle({ params: { file } }) {
      const name = file.replace(hashed, '$1.$2')
      const asset = name === file ? undefined : assets.find((candidate) => candidate.name === name)
      if (!asset) throw notFound()
      const isToday = asset.path === `${folder}/${file}`
      return {
        status: 200,
        text: { contentType: asset.contentType, content: asset.content },
        headers: {
          'cache-control': isToday ? 'public, max-age=31536000, immutable' : 'no-store',
          // No line at all: Chromium takes a Pragma that says no-cache for an order even in answers.
          pragma: [],
          'cross-origin-resource-policy': 'same-origin',
        },
      }
    },
  })
}

/** The assets of the hosted pages. */
export const assetOperations: readonly Operation[] = [
  serveAssets('readAsset', '/assets', [
    styleSheet,
    icon,
    signOnScript,
    formPostScript,
    signOffScript,
    checkSessionScript,
  ]),
]
