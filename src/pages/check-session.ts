/**
 * The page of the `check_session_iframe`: nothing but its script (OpenID Connect Session Management 1.0 section 3.2).
 *
 * It is the one page that others may frame, of whatever origin: there is nothing in it that could be clicked (row I16).
 * Never: a form, a link, or anything that depends on the request.
 */
import { checkSessionScript } from './check-session-script.ts'
import { html } from './html.ts'

/** The page. */
export const checkSessionPage: string = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Session</title>
<script type="module" src="${checkSessionScript.path}"></script>
</head>
<body></body>
</html>
`.toString()

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "form-action 'none'",
  'frame-ancestors *',
  "base-uri 'none'",
  "object-src 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
]

/** Its headers. */
export const checkSessionHeaders: Readonly<Record<string, string | string[]>> = {
  'content-security-policy': policy.join('; '),
  // No line at all: it knows no value that lets others in.
  'x-frame-options': [],
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'public, max-age=300',
  pragma: [],
}
