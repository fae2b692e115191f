/**
 * The script of the `check_session_iframe` (OpenID Connect Session Management 1.0 section 3.2): a page of an application
 * sends `client_id session_state`, and is told `unchanged`, `changed` or `error`. The origin that the browser names is part
 * of the hash, so whoever asks for another application's state learns nothing (row I29). It asks the server for nothing,
 * and answers a few questions a second; more are ignored.
 *
 * The name of the cookie is that of directory/op-browser-state.ts; a test holds them together.
 */
import { defineAsset } from './asset.ts'

export const checkSessionScript = defineAsset(
  '/assets',
  'check-session',
  'js',
  `const browserState = () => {
  const pair = document.cookie.split('; ').find((each) => each.startsWith('OPBS='))
  return pair === undefined ? '' : pair.slice(5)
}
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const asked = /^([^ ]{1,256}) ([\\w-]{43})\\.([\\w-]{1,128})$/

const judge = async (question, origin) => {
  const [, clientId, known, salt] = (typeof question === 'string' && asked.exec(question)) || []
  if (clientId === undefined) return 'error'
  const text = [clientId, origin, browserState(), salt].join(' ')
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return base64url(digest) === known ? 'unchanged' : 'changed'
}

let left = 20
setInterval(() => (left = 20), 1000)
addEventListener('message', async ({ data, origin, source }) => {
  if (!source || source === window || origin === 'null' || left === 0) return
  left -= 1
  source.postMessage(await judge(data, origin).catch(() => 'error'), origin)
})
`,
)
