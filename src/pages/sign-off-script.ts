/**
 * Goes on to the application once the frames of all others are loaded, each of which ends a session there (OpenID Connect
 * Front-Channel Logout 1.0 section 3); after five seconds in any case, since one of them may be away.
 */
import { defineAsset } from './asset.ts'

export const signOffScript = defineAsset(
  '/assets',
  'sign-off',
  'js',
  `const next = document.querySelector('#next')
const go = () => location.replace(next.href)
if (next && document.readyState === 'complete') go()
else if (next) {
  addEventListener('load', go)
  setTimeout(go, 5000)
}
`,
)
